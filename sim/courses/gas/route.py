"""Patrol route of a gas site: a free path along the equipment, and its headings.

The route follows the lane in front of the equipment and passes around obstacles in it. It is the
cheapest path from one end of the site to the other over a grid on which solids are inflated, column
by column, so it never turns back. The path is divided into straight legs of equal length. The
heading at each waypoint is the one that shows most of the equipment seen least so far.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.courses.gas.layout import Layout
from bytewing.sim.courses.gas.solids import Solids

Array = NDArray[np.float64]

CLEARANCE_M = 0.6
"""Least distance of the drone's centre from everything solid, seen from above, on every leg."""

SPARE_M = 0.1
"""The grid's way keeps this much more, for the legs cut its corners."""

BEFORE_ROW_M = (2.2, 2.7)
"""The lane's distance from the row: near enough to see a faint leak, far enough for a flange at
0.3 m or 1.8 m to be within the picture."""

FROM_END_M = 0.85
"""Of the site's ends; a side wall may stand there."""

LEG_M = (1.0, 2.0)
LEG_WANTED_M = 1.4
WAYPOINTS_MAX = 24
CELL_M = (0.2, 0.1)
"""Of the grid, along and across the lane."""

STEEPEST_CELLS = 3
"""Most cells across for one along: 56 degrees off the lane."""

OFF_LANE_MAX_M = 2.5

SEEN_WITHIN_M = 4.0
SEEN_WITHIN_RAD = math.radians(25.0)
"""Half a field of view of 50 degrees."""

SEEN_ABOVE_RAD = math.radians(20.0)
"""Upwards it is less: the thermal cameras look 5 degrees down."""

LOOK_WITHIN_RAD = math.radians(20.0)
"""What a look is aimed at is well within the picture, not at its edge."""


@dataclass(frozen=True)
class Patrol:
    """A way and where to look on it.

    Attributes:
        places_world_m: (N, 3).
        yaw_rad: (N,) where to look at each.
    """

    places_world_m: Array
    yaw_rad: Array

    @property
    def rows(self) -> NDArray[np.float32]:
        """(N, 5) as a ``Course`` gives its route."""
        turned = np.stack([np.cos(self.yaw_rad), np.sin(self.yaw_rad)], axis=1)
        return np.concatenate([self.places_world_m, turned], axis=1).astype(np.float32)

    def from_share(self, share: float) -> Patrol:
        """Return what is left of it after that share of its places, at least the last leg."""
        first = min(round(share * (len(self.yaw_rad) - 1)), len(self.yaw_rad) - 2)
        return Patrol(self.places_world_m[first:], self.yaw_rad[first:])

    @property
    def length_m(self) -> float:
        """Along the legs."""
        return float(np.linalg.norm(np.diff(self.places_world_m, axis=0), axis=1).sum())


def plan_patrol(
    layout: Layout, solids: Solids, height_m: float, before_row_m: float, westward: bool
) -> Patrol | None:
    """Return a patrol that sees every flange, None where the site has none."""
    way = _way(layout, solids, layout.front_y_m - before_row_m)
    if way is None:
        return None
    way = way[::-1] if westward else way
    corners = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    legs = math.ceil(corners[-1] / LEG_WANTED_M)
    at_m = np.linspace(0.0, corners[-1], legs + 1)
    places = np.stack([np.interp(at_m, corners, way[:, axis]) for axis in (0, 1)], axis=1)
    leg_m = np.linalg.norm(np.diff(places, axis=0), axis=1)
    if legs >= WAYPOINTS_MAX or leg_m.min() < LEG_M[0] or leg_m.max() > LEG_M[1]:
        return None
    if solids.plan_distance_m(along(places)).min() < CLEARANCE_M:
        return None
    places_m = np.column_stack([places, np.full(len(places), height_m)])
    openings = np.array([flange.opening_world_m for flange in layout.flanges])
    yaw_rad = _looks(places_m, openings, solids)
    patrol = Patrol(places_m, yaw_rad)
    return patrol if seen(patrol, openings, solids).any(axis=0).all() else None


def along(places_m: Array, step_m: float = 0.04) -> Array:
    """Return points (M, 2) along the legs between places (N, 2), at most ``step_m`` apart."""
    pieces = [
        np.linspace(a, b, math.ceil(math.dist(a, b) / step_m) + 1)
        for a, b in zip(places_m[:-1, :2], places_m[1:, :2], strict=True)
    ]
    return np.concatenate(pieces)


def seen(patrol: Patrol, points_world_m: Array, solids: Solids) -> NDArray[np.bool_]:
    """Return (N, P): whether a point is near, in the picture and not hidden, from each place."""
    bearing, visible = _bearings(patrol.places_world_m, points_world_m, solids)
    return visible & (np.abs(_wrapped(bearing - patrol.yaw_rad[:, None])) <= SEEN_WITHIN_RAD)


def _way(layout: Layout, solids: Solids, lane_y_m: float) -> Array | None:
    """Return the grid's way from west to east as (M, 2) points, None where there is none."""
    half_m = layout.length_m / 2 - FROM_END_M
    xs = np.linspace(-half_m, half_m, round(2 * half_m / CELL_M[0]) + 1)
    south_m = max(lane_y_m - OFF_LANE_MAX_M, -layout.depth_m / 2)
    # The lane itself is one of the grid's rows.
    ys = np.arange(lane_y_m, south_m, -CELL_M[1])[::-1]
    ys = np.concatenate([ys, np.arange(lane_y_m, layout.front_y_m, CELL_M[1])[1:]])
    clear_m = solids.plan_distance_m(np.stack(np.meshgrid(xs, ys, indexing="ij"), axis=-1))
    price = np.where(clear_m >= CLEARANCE_M + SPARE_M, (ys - lane_y_m) ** 2, np.inf)

    shifts = np.arange(-STEEPEST_CELLS, STEEPEST_CELLS + 1)
    turn_price = 2.0 * (shifts * CELL_M[1]) ** 2 / CELL_M[0]
    total, came_from = price[0], []
    rows = np.arange(len(ys))
    sources = np.clip(rows[None, :] + shifts[:, None], 0, len(ys) - 1)
    for column in price[1:]:
        options = total[sources] + turn_price[:, None]
        best = options.argmin(axis=0)
        came_from.append(sources[best, rows])
        total = options[best, rows] + column
    row = int(total.argmin())
    if not np.isfinite(total[row]):
        return None
    path = [row]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    return np.stack([xs, ys[path[::-1]]], axis=1)


def _looks(places_m: Array, openings_m: Array, solids: Solids) -> Array:
    """Return (N,) yaws: north, or aside where a flange would else be seen less often."""
    bearing, visible = _bearings(places_m, openings_m, solids)
    yaw = np.full(len(places_m), math.pi / 2)
    candidates = np.radians(np.arange(50.0, 131.0, 5.0))
    offered = visible[:, None] & (
        np.abs(_wrapped(bearing[:, None] - candidates[:, None])) <= LOOK_WITHIN_RAD
    )
    times_seen = np.zeros(len(openings_m))
    # First the places from which least can be seen: they have the least choice.
    for index in np.argsort(visible.sum(axis=1), kind="stable"):
        score = (offered[index] / (1.0 + 4.0 * times_seen)).sum(axis=1)
        score -= 0.4 * np.abs(candidates - math.pi / 2)
        best = int(score.argmax())
        yaw[index] = candidates[best]
        times_seen += offered[index, best]
    return yaw


def _bearings(places_m: Array, points_m: Array, solids: Solids) -> tuple[Array, NDArray[np.bool_]]:
    """Return (N, P) bearings, and whether a look that way shows the point."""
    offset = points_m[None, :] - places_m[:, None]
    level_m = np.hypot(offset[..., 0], offset[..., 1])
    near = np.linalg.norm(offset, axis=-1) <= SEEN_WITHIN_M
    up = np.arctan2(offset[..., 2], level_m)
    upright = (up <= SEEN_ABOVE_RAD) & (up >= -SEEN_WITHIN_RAD)
    hidden = solids.hides(places_m[:, None], points_m[None, :])
    return np.arctan2(offset[..., 1], offset[..., 0]), near & upright & ~hidden


def _wrapped(angle_rad: Array) -> Array:
    return (angle_rad + math.pi) % (2 * math.pi) - math.pi
