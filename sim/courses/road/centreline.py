"""Centreline of a road: a plane curve sampled by arc length, and projection onto it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.sim.compiled import compiled

Array = NDArray[np.float64]

HINT_WINDOW_M = 1.0
"""Search range around a hint: farther than a drone flies between two projections, and well
within the distance at which a road may pass itself."""


class Projection(NamedTuple):
    """The point of a centreline that is nearest to some point.

    Attributes:
        s_m: arc length from the centreline's start.
        cross_track_m: distance from the centreline, positive to its left. Before the start and
            beyond the end it is the distance to that end.
        heading_rad: direction of the centreline, from east towards north, not wrapped.
        curvature_1_m: positive where the road bends to the left.
    """

    s_m: float
    cross_track_m: float
    heading_rad: float
    curvature_1_m: float


class Centreline:
    """A smooth plane curve given by points at equal arc-length steps.

    Attributes:
        xy_world_m: (N, 2) the points, ENU.
        s_m: (N,) their arc lengths.
        heading_rad: (N,) direction of the curve, unwrapped.
        curvature_1_m: (N,) its derivative by arc length.
    """

    def __init__(self, xy_world_m: ArrayLike) -> None:
        self.xy_world_m: Array = np.ascontiguousarray(xy_world_m, dtype=np.float64)
        if self.xy_world_m.ndim != 2 or self.xy_world_m.shape[1] != 2 or len(self.xy_world_m) < 3:
            raise ValueError(f"a centreline needs (N >= 3, 2) points, got {self.xy_world_m.shape}")
        chords = np.hypot(*np.diff(self.xy_world_m, axis=0).T)
        self.s_m: Array = np.concatenate([[0.0], np.cumsum(chords)])
        dx, dy = np.gradient(self.xy_world_m, self.s_m, axis=0, edge_order=2).T
        self.heading_rad: Array = np.unwrap(np.arctan2(dy, dx))
        self.curvature_1_m: Array = np.gradient(self.heading_rad, self.s_m, edge_order=2)

    @property
    def length_m(self) -> float:
        """Arc length from the first to the last point."""
        return float(self.s_m[-1])

    def point(self, s_m: float) -> Array:
        """Return (x, y) at arc length ``s_m``, held at the ends."""
        x, y = self.xy_world_m.T
        return np.array([np.interp(s_m, self.s_m, x), np.interp(s_m, self.s_m, y)])

    def heading(self, s_m: float) -> float:
        """Return the direction at ``s_m`` in rad, unwrapped."""
        return float(np.interp(s_m, self.s_m, self.heading_rad))

    def curvature(self, s_m: float) -> float:
        """Return the curvature at ``s_m`` in 1/m, positive to the left."""
        return float(np.interp(s_m, self.s_m, self.curvature_1_m))

    def offset(self, left_m: float, start_s_m: float = 0.0, end_s_m: float = math.inf) -> Array:
        """Return (K, 2) points of the curve that runs ``left_m`` to the left of this one."""
        start_s_m, end_s_m = max(start_s_m, 0.0), min(end_s_m, self.length_m)
        between = self.s_m[(self.s_m > start_s_m) & (self.s_m < end_s_m)]
        s = np.concatenate([[start_s_m], between, [end_s_m]])
        heading = np.interp(s, self.s_m, self.heading_rad)
        x, y = (np.interp(s, self.s_m, values) for values in self.xy_world_m.T)
        return np.stack([x - left_m * np.sin(heading), y + left_m * np.cos(heading)], axis=1)

    def distance(self, xy: Sequence[float] | Array) -> float:
        """Return the distance of a point from the centreline, m."""
        return abs(self.project(xy).cross_track_m)

    def beside(self, s_m: float, left_m: float) -> Array:
        """Return the point (x, y) that lies ``left_m`` to the left at ``s_m``."""
        heading = self.heading(s_m)
        return self.point(s_m) + left_m * np.array([-math.sin(heading), math.cos(heading)])

    def project(self, xy: Sequence[float] | Array, hint_s_m: float | None = None) -> Projection:
        """Return the nearest point of the centreline.

        Args:
            xy: (x, y) world, m.
            hint_s_m: where the point was lately; only the centreline near it is searched, which
                is faster and cannot jump to another stretch that passes close by.
        """
        x, y = float(xy[0]), float(xy[1])
        first, last = 0, len(self.s_m) - 1
        if hint_s_m is not None:
            step = self.s_m[-1] / last
            first = min(max(int((hint_s_m - HINT_WINDOW_M) / step), 0), last - 1)
            last = max(min(int((hint_s_m + HINT_WINDOW_M) / step) + 1, last), first + 1)
        s, left, index, fraction = _nearest(self.xy_world_m, self.s_m, x, y, first, last)
        heading, curvature = self.heading_rad, self.curvature_1_m
        return Projection(
            s,
            left,
            float(heading[index] + fraction * (heading[index + 1] - heading[index])),
            float(curvature[index] + fraction * (curvature[index + 1] - curvature[index])),
        )


@compiled
def _nearest(
    xy: Array, s: Array, x: float, y: float, first: int, last: int
) -> tuple[float, float, int, float]:
    """Return (s, signed distance, segment index, fraction along it) of the nearest point."""
    best, best_index, best_fraction = np.inf, first, 0.0
    for i in range(first, last):
        dx, dy = xy[i + 1, 0] - xy[i, 0], xy[i + 1, 1] - xy[i, 1]
        px, py = x - xy[i, 0], y - xy[i, 1]
        fraction = min(max((px * dx + py * dy) / (dx * dx + dy * dy), 0.0), 1.0)
        square = (px - fraction * dx) ** 2 + (py - fraction * dy) ** 2
        if square < best:
            best, best_index, best_fraction = square, i, fraction
    i = best_index
    dx, dy = xy[i + 1, 0] - xy[i, 0], xy[i + 1, 1] - xy[i, 1]
    side = dx * (y - xy[i, 1]) - dy * (x - xy[i, 0])
    distance = math.sqrt(best)
    at = s[i] + best_fraction * (s[i + 1] - s[i])
    return at, distance if side >= 0 else -distance, i, best_fraction
