"""Make the leak map, a grid of cells over the frame that labels the position of the leak.

Guidance reads the map (``gas_leak_map.h`` beside this module). A leak is distributed bilinearly
over the four nearest cells, so that their centroid is its position. Positions beyond the centres of
the outermost cells are moved to these centres.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROWS = COLUMNS = 8
CELLS = ROWS * COLUMNS


def spread(gas: float, left: float, up: float) -> NDArray[np.float32]:
    """Return the map (CELLS,) of a leak, row by row from the top left.

    Args:
        gas: sum of the cells, 0..1.
        left: horizontal position, from -1 at the right edge of the frame to 1 at the left edge.
        up: vertical position, from -1 at the lower edge to 1 at the upper edge.
    """
    down = _shares((1.0 - up) / 2, ROWS)
    across = _shares((1.0 - left) / 2, COLUMNS)
    return (gas * np.outer(down, across)).astype(np.float32).ravel()


def _shares(place: float, cells: int) -> NDArray[np.float64]:
    """Return each cell's share of a point at ``place`` in 0..1."""
    middle = min(max(place * cells - 0.5, 0.0), cells - 1.0)
    return np.asarray(np.maximum(1.0 - np.abs(np.arange(cells) - middle), 0.0), np.float64)
