import pytest

from bytewing.scenarios.stats import compare_paired, median, wilson_interval


def test_the_median_ignores_flights_without_a_figure():
    assert median([None, 3.0, 1.0, None, 2.0]) == 2.0
    assert median([None]) is None


@pytest.mark.parametrize(("successes", "flights"), [(0, 6), (6, 6), (57, 60), (1, 2)])
def test_wilson_contains_the_rate_and_mirrors(successes, flights):
    low, high = wilson_interval(successes, flights)
    assert 0 <= low <= successes / flights <= high <= 1
    assert wilson_interval(flights - successes, flights) == pytest.approx((1 - high, 1 - low))


def test_wilson_narrows_with_flights():
    widths = [high - low for low, high in (wilson_interval(9 * k, 10 * k) for k in (1, 4, 16))]
    assert widths == sorted(widths, reverse=True)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_paired_counts_only_where_outcomes_differ():
    first = [True] * 8 + [False] * 2
    second = [False] * 8 + [False, True]
    pairs = compare_paired(first, second)
    assert (pairs.flights, pairs.only_first, pairs.only_second) == (10, 8, 1)
    assert pairs.p_value == pytest.approx(compare_paired(second, first).p_value)
    assert pairs.p_value < 0.05 < compare_paired(first, first).p_value


def test_paired_refuses_different_flights():
    with pytest.raises(ValueError, match="length"):
        compare_paired([True], [])
