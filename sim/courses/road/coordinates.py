"""Arc length and offset of a map's pixels along a curve."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.compiled import compiled
from bytewing.sim.courses.road.centreline import Array, Centreline

Map = NDArray[np.float32]

FAR_M = 1e3
"""Offset of a pixel that no strip has reached."""

STRIP_STEPS = 4
"""Samples of the centreline a strip is long: 8 cm, whose chord departs from a bend of 1 m by less
than a tenth of a pixel."""


class RoadMap(NamedTuple):
    """Where each pixel lies along a curve.

    Attributes:
        s: (H, W) arc length of the nearest point of the curve, m.
        left: (H, W) offset from it, m, left positive; FAR_M where no curve is near.
    """

    s: Map
    left: Map


def empty_map(shape: tuple[int, int]) -> RoadMap:
    """Return a map (H, W) on which no pixel is near a curve."""
    return RoadMap(np.zeros(shape, np.float32), np.full(shape, FAR_M, np.float32))


def fill_map(
    road_map: RoadMap,
    curve: Centreline,
    reach_m: float,
    corner_m: tuple[float, float],
    pixel_m: float,
) -> None:
    """Write arc length and offset (left positive) into the pixels within reach of a curve.

    Args:
        road_map: row 0 in the north; a pixel that has an entry keeps the nearer one.
        curve: bent less sharply than ``reach_m``.
        reach_m: how far to both sides.
        corner_m: (x, y) world of the outer corner of pixel [0, 0].
        pixel_m: side of a pixel.
    """
    last = len(curve.s_m) - 1
    every = STRIP_STEPS if last > STRIP_STEPS else 1
    knots = np.append(np.arange(0, last, every), last)
    xy = (curve.xy_world_m[knots] - corner_m) * (1, -1) / pixel_m
    _fill(xy, curve.heading_rad[knots], curve.s_m[knots], reach_m, pixel_m, *road_map)


@compiled
def _fill(
    xy_px: Array, heading: Array, s: Array, reach: float, pixel: float, s_map: Map, left_map: Map
) -> None:
    """Fill the quadrilaterals between the normals at successive knots; y in pixels points south."""
    rows, columns = s_map.shape
    reach_px = reach / pixel
    x, y = np.empty(4), np.empty(4)
    for i in range(len(s) - 1):
        ax, ay, bx, by = xy_px[i, 0], xy_px[i, 1], xy_px[i + 1, 0], xy_px[i + 1, 1]
        ca, sa, cb, sb = (
            math.cos(heading[i]),
            math.sin(heading[i]),
            math.cos(heading[i + 1]),
            math.sin(heading[i + 1]),
        )
        # The normal to the left is (-sin, cos) in the world, (-sin, -cos) with y to the south.
        x[0], y[0] = ax - reach_px * sa, ay - reach_px * ca
        x[1], y[1] = ax + reach_px * sa, ay + reach_px * ca
        x[2], y[2] = bx + reach_px * sb, by + reach_px * cb
        x[3], y[3] = bx - reach_px * sb, by - reach_px * cb
        for row in range(max(int(y.min()) - 1, 0), min(int(y.max()) + 2, rows)):
            first, last = np.inf, -np.inf
            py = row + 0.5
            near_y = min(max(py, y.min()), y.max())
            for k in range(4):
                x0, y0, x1, y1 = x[k], y[k], x[(k + 1) % 4], y[(k + 1) % 4]
                if min(y0, y1) <= near_y <= max(y0, y1):
                    cut = 0.0 if y0 == y1 else (near_y - y0) / (y1 - y0)
                    first = min(first, x0 + cut * (x1 - x0))
                    last = max(last, x0 + cut * (x1 - x0))
            if first > last:
                continue
            for column in range(max(int(first) - 1, 0), min(int(last) + 2, columns)):
                px = column + 0.5
                along_a = (px - ax) * ca - (py - ay) * sa
                along_b = (px - bx) * cb - (py - by) * sb
                if along_a < 0.0 or along_b >= 0.0:
                    continue
                fraction = along_a / (along_a - along_b)
                left_a = -(px - ax) * sa - (py - ay) * ca
                left_b = -(px - bx) * sb - (py - by) * cb
                left = pixel * (left_a + fraction * (left_b - left_a))
                if abs(left) <= reach and abs(left) < abs(left_map[row, column]):
                    left_map[row, column] = left
                    s_map[row, column] = s[i] + fraction * (s[i + 1] - s[i])
