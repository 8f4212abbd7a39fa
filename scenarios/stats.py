"""Statistics for comparing flights: medians, confidence intervals, paired outcomes."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def median(values: Iterable[float | None]) -> float | None:
    """Return the median of the values that are not None; None where there are none.

    >>> median([0.3, None, 0.1])
    0.2
    """
    present = [value for value in values if value is not None]
    return float(statistics.median(present)) if present else None


def wilson_interval(successes: int, flights: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a completion rate, both ends in [0, 1].

    Unlike the normal approximation it is also valid where nearly all or none are completed, as on
    most suites. The interval of no flights is (0, 1).

    >>> low, high = wilson_interval(57, 60)
    >>> round(low, 3), round(high, 3)
    (0.863, 0.983)
    """
    if flights == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest  # takes half a second, which a single flight need not wait

    interval = binomtest(successes, flights).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class PairedOutcomes:
    """Outcomes of two pilots on the same flights.

    Attributes:
        flights: number of flights of both.
        only_first: number of flights that only the first pilot completed.
        only_second: number of flights that only the second pilot completed.
        p_value: two-sided exact McNemar test of the hypothesis that both complete equally often; 1
            where the outcomes do not differ.
    """

    flights: int
    only_first: int
    only_second: int
    p_value: float


def compare_paired(first: Sequence[bool], second: Sequence[bool]) -> PairedOutcomes:
    """Compare the outcomes of two pilots flight by flight.

    Args:
        first: whether the first pilot completed each flight.
        second: the same of the second pilot, in the same order.

    >>> compare_paired([True, True, False], [True, False, False])
    PairedOutcomes(flights=3, only_first=1, only_second=0, p_value=1.0)
    """
    if len(first) != len(second):
        raise ValueError(f"paired outcomes differ in length: {len(first)} and {len(second)}")
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    discordant = only_first + only_second
    from scipy.stats import binomtest  # as above

    p_value = float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
    return PairedOutcomes(len(first), only_first, only_second, p_value)
