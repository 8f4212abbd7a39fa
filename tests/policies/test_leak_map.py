"""What a teacher writes into a map is what guidance reads from it."""

import numpy as np
import pytest

from bytewing.policies.tasks.gas.leak_map import CELLS, COLUMNS, ROWS, spread
from support.gas_parts import read

END = 1 - 1 / COLUMNS  # the outermost cells' centres


def grid(cells):
    return cells.reshape(ROWS, COLUMNS)


def at(*cells):
    """Return a map that is 0 but for some cells: (row, column, value)."""
    values = np.zeros(CELLS, np.float32)
    for row, column, value in cells:
        grid(values)[row, column] = value
    return values


def test_a_place_within_the_outermost_centres_comes_back():
    rng = np.random.default_rng(0)
    for gas, left, up in rng.uniform((0.01, -END, -END), (1, END, END), (300, 3)):
        found = read(spread(gas, left, up))
        assert found[:3] == pytest.approx((gas, left, up), abs=1e-6)
        assert all(value.dtype == np.float32 for value in found[:3])
    for left in (-END, 0.0, END):
        for up in (-END, 0.0, END):
            assert read(spread(1.0, left, up))[:3] == pytest.approx((1, left, up), abs=1e-6)


@pytest.mark.parametrize("far", [END + 0.01, 1.0, 7.0, 1e9])
def test_one_beyond_them_is_drawn_into_them(far):
    for sign in (-1, 1):
        assert read(spread(0.8, sign * far, 0.3))[:3] == pytest.approx((0.8, sign * END, 0.3))
        assert read(spread(0.8, 0.3, sign * far))[:3] == pytest.approx((0.8, 0.3, sign * END))


def test_left_is_left_and_up_is_up():
    """Rows from the top, columns from the left, as a picture lies in memory."""
    assert grid(spread(1.0, END, END)).argmax() == 0
    assert grid(spread(1.0, -END, END))[0, COLUMNS - 1] == 1
    assert grid(spread(1.0, END, -END))[ROWS - 1, 0] == 1
    mirror = grid(spread(0.7, -0.3, 0.2))[:, ::-1]
    np.testing.assert_allclose(grid(spread(0.7, 0.3, 0.2)), mirror, atol=1e-7)


def test_a_map_adds_up_to_the_gas_in_no_more_than_four_cells():
    for left, up in np.random.default_rng(1).uniform(-1.2, 1.2, (100, 2)):
        cells = spread(0.6, left, up)
        assert cells.sum() == pytest.approx(0.6)
        rows, columns = np.nonzero(grid(cells))
        assert np.ptp(rows) <= 1
        assert np.ptp(columns) <= 1


def test_the_stronger_of_two_plumes_is_read_alone():
    strong, weak = at((2, 5, 0.6)), at((6, 1, 0.5))
    both = read(strong + weak)
    assert both[:3] == pytest.approx(read(strong)[:3])
    assert both[0] == pytest.approx(0.6)
    swapped = at((2, 5, 0.5), (6, 1, 0.6))
    assert read(swapped)[1:3] == pytest.approx(read(weak)[1:3])


def test_of_two_as_strong_the_first_is_read():
    assert read(at((1, 6, 0.5), (4, 2, 0.5)))[1:3] == read(at((1, 6, 0.5)))[1:3]


def test_four_that_touch_count_and_no_more():
    """A lone strong cell is less than four that agree; what is strewn about counts as nothing."""
    four = at((3, 3, 0.2), (3, 4, 0.2), (4, 3, 0.2), (4, 4, 0.2))
    around = at((2, 2, 0.1), (5, 5, 0.1), (2, 5, 0.1), (5, 2, 0.1), (0, 7, 0.5))
    assert read(four)[0] == pytest.approx(0.8)
    assert read(four + around) == read(four)
    assert read(np.full(CELLS, 0.05, np.float32))[0] == pytest.approx(0.2)


@pytest.mark.parametrize("odd", [np.nan, -np.inf, -0.5])
def test_what_is_no_probability_counts_as_none(odd):
    expected = read(at((3, 3, 0.5), (3, 4, 0.25)))
    assert read(at((3, 3, 0.5), (3, 4, 0.25), (2, 3, odd), (7, 7, odd))) == expected
    assert read(np.full(CELLS, odd, np.float32)) == (0, 0, 0, False)
    assert read(at((3, 3, np.inf)))[0] == 1


def test_nothing_is_nowhere_and_everything_is_one():
    assert read(np.zeros(CELLS, np.float32)) == (0, 0, 0, False)
    gas, left, up, at_edge = read(np.ones(CELLS, np.float32))
    assert gas == 1
    assert (left, up) == pytest.approx((0.75, 0.75)), "the first four"
    assert not at_edge


def test_a_place_beyond_the_outermost_cells_centres_is_at_the_edge():
    for row in range(ROWS):
        for column in range(COLUMNS):
            outermost = row in (0, ROWS - 1) or column in (0, COLUMNS - 1)
            gas, left, up, at_edge = read(at((row, column, 0.4)))
            assert at_edge == outermost
            assert gas == pytest.approx(0.4)
            assert (left, up) == pytest.approx((0.875 - column / 4, 0.875 - row / 4))
