"""The picture as a grid of cells that say where the leak is, as a teacher writes it.

Guidance reads it (``gas_leak_map.h`` beside this module). A leak at a point is spread over the four
cells around it, bilinearly, so that their centre of mass is that point again. One beyond the
outermost cells' centres is drawn into those.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROWS = COLUMNS = 8
CELLS = ROWS * COLUMNS


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
    return np.asarray(np.maximum(1.0 - np.abs(np.arange(cells) - middle), 0.0), np.float64)
