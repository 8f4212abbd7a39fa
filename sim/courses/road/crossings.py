"""People and boxes that cross a road slowly.

That every road can be flown without a collision is built into where they turn back. A pilot is
asked for three things only: to stop for what is within ``keep_away_m`` of the road's middle, unless
it is already nearer than COMMIT_M and its own way is free; to go on when the road is free; and to
pass at PASSING_SPEED_M_S or faster. Then

- who has come within COMMIT_M while the walker was beyond ``keep_away_m`` is past it before the
  walker reaches the drone's way, and
- each time the walker is beyond ``keep_away_m`` it stays there for ``crossing_pause_s``, longer
  than it takes to come from a standstill to within COMMIT_M.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bytewing.sim import meshes
from bytewing.sim.courses.people import PERSON_HEIGHT_M, PERSON_RADIUS_M
from bytewing.sim.courses.road.centreline import Array, Centreline
from bytewing.sim.courses.road.config import (
    CROSSING_FROM_START_M,
    CROSSING_TO_FINISH_M,
    RoadCourseConfig,
)
from bytewing.sim.courses.road.things import RoadObstacle, pattern
from bytewing.sim.scene import Box, Cylinder, SceneObject, Shuttle, Surface

COMMIT_M = 0.7
"""Nearer than this a drone goes on: it needs 0.5 m to stop from 0.7 m/s, and to stand with its
rotors in somebody's way is worse than to pass."""

HIT_M = 0.17
"""Half of the drone's own way: a radius of 0.07 m and 0.1 m of cross-track error."""

PASSING_SPEED_M_S = 0.65

REACTION_S = 0.2
"""Frames, low-pass and latency."""

DEPTH_MAX_M = 2 * PERSON_RADIUS_M[1]

APART_M = 2.0
"""Least distance between crossings, and from an obstacle: who waits at one is not hit at another
(pilots stop some 1.2 m ahead)."""

OFF_ROAD_M = 0.05
"""Where a walker turns back, its own stretch of road is the nearest, up to this."""

PLACING_ATTEMPTS = 40
"""Per crossing; one that finds no place is left out."""


@dataclass(frozen=True)
class RoadCrossing:
    """Somebody or something that walks across the road.

    Attributes:
        kind: "person" or "box".
        s_m: arc length of its near face.
        far_s_m: arc length of its far face.
        half_width_m: half of its extent across the road.
        height_m: from the ground.
        keep_away_m: how near to the road's middle its nearest side may come before one must wait.
        middle_world_m: (x, y) where its way crosses the road's middle.
        start_world_m: (x, y, z) where its way begins.
        motion: how it walks from there.
    """

    kind: str
    s_m: float
    far_s_m: float
    half_width_m: float
    height_m: float
    keep_away_m: float
    middle_world_m: tuple[float, float]
    start_world_m: tuple[float, float, float]
    motion: Shuttle

    def beside_m(self, t_s: float) -> float:
        """Return how far its nearest side is from the road's middle; below 0: it is across it."""
        x, y, _ = self.motion.position(self.start_world_m, t_s)
        away_m = math.hypot(x - self.middle_world_m[0], y - self.middle_world_m[1])
        return away_m - self.half_width_m


def keep_away_m(speed_m_s: float) -> float:
    """Return how far from the road's middle a walker of this speed lets a drone pass in safety."""
    passing_m = COMMIT_M + DEPTH_MAX_M + HIT_M
    return HIT_M + speed_m_s * (passing_m / PASSING_SPEED_M_S + REACTION_S)


def place_crossings(
    config: RoadCourseConfig,
    centreline: Centreline,
    start_s_m: float,
    finish_s_m: float,
    obstacle: RoadObstacle | None,
    rng: np.random.Generator,
) -> list[tuple[RoadCrossing, SceneObject]]:
    """Return who crosses the road, with their looks."""
    placed: list[tuple[RoadCrossing, SceneObject]] = []
    taken = [] if obstacle is None else [(obstacle.s_m, obstacle.far_s_m)]
    # One distance for all: how fast a walker is cannot be seen in one frame.
    away_m = keep_away_m(config.crossing_speed_m_s.high)
    for index in range(config.crossing_count.draw_integer(rng)):
        for _ in range(PLACING_ATTEMPTS):
            s_m = float(
                rng.uniform(start_s_m + CROSSING_FROM_START_M, finish_s_m - CROSSING_TO_FINISH_M)
            )
            crossing, item = _crossing(config, centreline, s_m, away_m, f"crossing {index}", rng)
            apart = all(
                crossing.s_m - far >= APART_M or near - crossing.far_s_m >= APART_M
                for near, far in taken
            )
            if apart and _stays_alone(centreline, crossing):
                taken.append((crossing.s_m, crossing.far_s_m))
                placed.append((crossing, item))
                break
    return placed


def _crossing(
    config: RoadCourseConfig,
    centreline: Centreline,
    s_m: float,
    away_m: float,
    name: str,
    rng: np.random.Generator,
) -> tuple[RoadCrossing, SceneObject]:
    kind = config.crossing_kinds[int(rng.integers(len(config.crossing_kinds)))]
    shape: Box | Cylinder
    if kind == "person":
        radius_m = float(rng.uniform(*PERSON_RADIUS_M))
        height_m = float(rng.uniform(*PERSON_HEIGHT_M))
        half_along_m = half_across_m = radius_m
        mesh, shape = meshes.person(radius_m, height_m), Cylinder(radius_m, height_m)
    else:
        half_along_m, half_across_m = (float(v) / 2 for v in rng.uniform(0.2, 0.5, 2))
        height_m = config.obstacle_height_m.draw(rng)
        size = (2 * half_along_m, 2 * half_across_m, height_m)
        mesh, shape = meshes.box(size), Box(size)

    speed_m_s = config.crossing_speed_m_s.draw(rng)
    pause_s = config.crossing_pause_s.draw(rng)
    turn_m = away_m + half_across_m + speed_m_s * pause_s / 2
    side = 1 if rng.random() < 0.5 else -1
    lead_s = float(rng.random()) * 4 * turn_m / speed_m_s
    start, end = (
        (float(x), float(y), height_m / 2)
        for x, y in (centreline.beside(s_m, side * turn_m), centreline.beside(s_m, -side * turn_m))
    )
    motion = Shuttle(end, speed_m_s, lead_s)
    x, y = centreline.point(s_m)
    surface = Surface(texture=pattern(float(rng.uniform(0.1, 0.9)), rng))
    yaw_rad = centreline.heading(s_m)
    return (
        RoadCrossing(
            kind,
            s_m - half_along_m,
            s_m + half_along_m,
            half_across_m,
            height_m,
            away_m,
            (float(x), float(y)),
            start,
            motion,
        ),
        SceneObject(name, mesh, surface, start, yaw_rad, shape, motion),
    )


def _stays_alone(centreline: Centreline, crossing: RoadCrossing) -> bool:
    """Whether the walk never comes nearer to another stretch of the road than to its own."""
    ends = (crossing.start_world_m, crossing.motion.end_world_m)
    own_m = math.dist(ends[0][:2], ends[1][:2]) / 2
    return all(centreline.distance(end[:2]) >= own_m - OFF_ROAD_M for end in ends)


def ways(crossings: Sequence[RoadCrossing]) -> Array:
    """Return (K, 2, 2): where each way begins and ends, (x, y) world."""
    ends = [(c.start_world_m[:2], c.motion.end_world_m[:2]) for c in crossings]
    return np.array(ends, float).reshape(-1, 2, 2)
