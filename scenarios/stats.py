"""Compute the statistics that compare flights: medians, confidence intervals, paired outcomes."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def median(values: Iterable[float | None]) -> float | None:
    """Return the median of the values that are not None; None if there are no such values.

    >>> median([0.3, None, 0.1])
    0.2
    """
    present = [value for value in values if value is not None]
    return float(statistics.median(present)) if present else None


def wilson_interval(successes: int, flights: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a completion rate, both ends in [0, 1].

    Unlike the normal approximation, it is valid for rates near 0 and 1, which most suites have. The
    interval for zero flights is (0, 1).

    >>> low, high = wilson_interval(57, 60)
    >>> round(low, 3), round(high, 3)
    (0.863, 0.983)
    """
    if flights == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest  # a slow import (0.5 s), rarely needed

    interval = binomtest(successes, flights).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class PairedOutcomes:
    """Outcomes of two pilots on the same flights.

    Attributes:
        flights: number of flights that both pilots flew.
        only_first: number of flights that only the first pilot completed.
        only_second: number of flights that only the second pilot completed.
        p_value: p-value of the two-sided exact McNemar test of equal completion rates; 1 if no
            outcomes differ.
    """

    flights: int
    only_first: int
    only_second: int
    p_value: float


def compare_paired(first: Sequence[bool], second: Sequence[bool]) -> PairedOutcomes:
    """Compare the outcomes of two pilots flight by flight.

    Args:
        first: whether the first pilot completed each flight.
        second: whether the second pilot completed each flight, in the same order.

    >>> compare_paired([True, True, False], [True, False, False])
    PairedOutcomes(flights=3, only_first=1, only_second=0, p_value=1.0)
    """
    if len(first) != len(second):
        raise ValueError(f"paired outcomes differ in length: {len(first)} and {len(second)}")
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    discordant = only_first + only_second
    from scipy.stats import binomtest  # a slow import, as above

    p_value = float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
    return PairedOutcomes(len(first), only_first, only_second, p_value)
