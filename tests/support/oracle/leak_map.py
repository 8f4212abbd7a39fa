"""The picture as a grid of cells that say where the leak is: written by a teacher, read in flight.

A leak at a point is spread over the four cells around it, bilinearly, so that their centre of mass
is that point again. One beyond the outermost cells' centres is drawn into those.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from support.oracle.float32 import F32, TINY, clamp

ROWS = COLUMNS = 8
CELLS = ROWS * COLUMNS
# Almost at the outermost cells' centres, 0.875: who is read there may be beyond the picture.
EDGE = F32(0.85)


def spread(gas: float, left: float, up: float) -> NDArray[np.float32]:
    """Return the map (CELLS,) of a leak, row by row from the top left.

    Args:
        gas: what the cells add up to, 0..1.
        left: where it is, -1 at the picture's right edge to 1 at its left.
        up: -1 at the lower edge to 1 at the upper.
    """
    down = _shares((1.0 - up) / 2, ROWS)
    across = _shares((1.0 - left) / 2, COLUMNS)
    return (gas * np.outer(down, across)).astype(np.float32).ravel()


def _shares(place: float, cells: int) -> NDArray[np.float64]:
    """Return each cell's share of a point at ``place`` in 0..1."""
    middle = min(max(place * cells - 0.5, 0.0), cells - 1.0)
    return np.maximum(1.0 - np.abs(np.arange(cells) - middle), 0.0)


def read(cells: NDArray[np.float32]) -> tuple[np.float32, np.float32, np.float32, bool]:
    """Return gas 0..1, the leak's place left and up, and whether that is at the picture's edge.

    The strongest four cells that touch: what they add up to, and their centre of mass. What a
    network puts elsewhere says that it does not know where, and counts as nothing. In float32, as C
    has it.

    Args:
        cells: (CELLS,), clamped here; NaN counts as 0.
    """
    zero, one = F32(0), F32(1)
    values = [clamp(value, zero, one) for value in cells]
    gas, row, column = zero, 0, 0
    for i in range(ROWS - 1):
        for j in range(COLUMNS - 1):
            total = four(values, i, j)
            if total > gas:
                gas, row, column = total, i, j
    if gas < TINY:
        return zero, zero, zero, False
    corner = row * COLUMNS + column
    down = (values[corner + COLUMNS] + values[corner + COLUMNS + 1]) / gas
    across = (values[corner + 1] + values[corner + COLUMNS + 1]) / gas
    left = one - (F32(column) + F32(0.5) + across) * F32(2 / COLUMNS)
    up = one - (F32(row) + F32(0.5) + down) * F32(2 / ROWS)
    at_edge = bool(abs(left) > EDGE or abs(up) > EDGE)
    return clamp(gas, zero, one), left, up, at_edge


def four(values: Sequence[np.float32], row: int, column: int) -> np.float32:
    """Return what a cell and those right of it, below, and below that add up to."""
    corner = row * COLUMNS + column
    above = values[corner] + values[corner + 1]
    return above + (values[corner + COLUMNS] + values[corner + COLUMNS + 1])
