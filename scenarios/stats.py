"""The little statistics a comparison of flights needs: medians, intervals, paired outcomes."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def median(values: Iterable[float | None]) -> float | None:
    """Return the median of the values that are there (None marks a flight without one).

    >>> median([0.3, None, 0.1])
    0.2
    """
    present = [value for value in values if value is not None]
    return float(statistics.median(present)) if present else None


def wilson_interval(successes: int, flights: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a completion rate, both ends in [0, 1].

    Unlike the normal approximation it stays sensible where all or none completed, which is where
    suites live. No flights at all leave everything open: (0, 1).

    >>> low, high = wilson_interval(57, 60)
    >>> round(low, 3), round(high, 3)
    (0.863, 0.983)
    """
    if flights == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest  # half a second, which who only flies need not wait

    interval = binomtest(successes, flights).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class PairedOutcomes:
    """Two pilots on the same flights: where did only one of them complete?

    Attributes:
        flights: flights both flew.
        only_first: flights only the first completed.
        only_second: flights only the second completed.
        p_value: exact McNemar test (two-sided) of "both complete equally often"; 1 where the
            outcomes never differ.
    """

    flights: int
    only_first: int
    only_second: int
    p_value: float


def compare_paired(first: Sequence[bool], second: Sequence[bool]) -> PairedOutcomes:
    """Compare the outcomes of two pilots flight by flight.

    Args:
        first: completed or not, one entry a flight.
        second: the same flights in the same order.

    >>> compare_paired([True, True, False], [True, False, False])
    PairedOutcomes(flights=3, only_first=1, only_second=0, p_value=1.0)
    """
    if len(first) != len(second):
        raise ValueError(f"paired outcomes differ in length: {len(first)} and {len(second)}")
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    discordant = only_first + only_second
    from scipy.stats import binomtest

    p_value = float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
    return PairedOutcomes(len(first), only_first, only_second, p_value)
