"""Wear, junctions, puddles and shadows on a road.

Each kind has its own random stream, so that adding puddles does not move a shadow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bytewing.foundation.rng import stream
from bytewing.sim.courses.road.centreline import Array, Centreline
from bytewing.sim.courses.road.config import RoadCourseConfig

JUNCTION_ANGLE_RAD = (math.radians(60), math.radians(120))
"""Side roads leave nearly at right angles: one that goes straight on where the road bends could not
be distinguished from the road, not even by a person."""

JUNCTION_WIDTH = (0.6, 1.0)
"""Width of a road's side roads as a share of the road's."""

JUNCTION_APART_M = 0.3
"""Least distance of a side road's end from any other stretch of the road, edge to edge."""

PLACING_ATTEMPTS = 20
"""Per side road; one that finds no place is left out."""

STEP_M = 0.1
"""Arc length between samples of a side road, which is straight."""


@dataclass(frozen=True)
class Junction:
    """A side road that soon ends.

    Attributes:
        centreline: from the middle of the road to the side road's end.
        width_m: of the side road.
    """

    centreline: Centreline
    width_m: float


@dataclass(frozen=True)
class Puddle:
    """Water on the road: an ellipse with a ragged edge.

    Attributes:
        x_m: middle, world.
        y_m: middle, world.
        along_m: half axis along ``heading_rad``.
        across_m: half axis across it.
        heading_rad: of the road there.
        mirrors: whether it shines like the sky instead of being dark.
    """

    x_m: float
    y_m: float
    along_m: float
    across_m: float
    heading_rad: float
    mirrors: bool


@dataclass(frozen=True)
class Shadow:
    """A band of shade with soft edges.

    Attributes:
        x_m: middle, world.
        y_m: middle, world.
        along_m: half its length.
        across_m: half its width.
        heading_rad: which way it runs.
        edge_m: from full shade to none.
        depth: share of the light that it takes.
    """

    x_m: float
    y_m: float
    along_m: float
    across_m: float
    heading_rad: float
    edge_m: float
    depth: float


@dataclass(frozen=True)
class RoadMarks:
    """All of them on one road.

    Attributes:
        marking_wear: share of the paint that is worn off.
        road_wear: share of the road that has faded.
        junctions: side roads.
        puddles: on the road.
        shadows: across the road.
    """

    marking_wear: float = 0.0
    road_wear: float = 0.0
    junctions: tuple[Junction, ...] = ()
    puddles: tuple[Puddle, ...] = ()
    shadows: tuple[Shadow, ...] = ()


def draw_marks(
    config: RoadCourseConfig, centreline: Centreline, width_m: float, seed: int
) -> RoadMarks:
    """Draw what is on one road."""
    wear = stream(seed, "course.wear")
    return RoadMarks(
        config.marking_wear.draw(wear),
        config.road_wear.draw(wear),
        _junctions(config, centreline, width_m, stream(seed, "course.junctions")),
        _puddles(config, centreline, width_m, stream(seed, "course.puddles")),
        _shadows(config, centreline, stream(seed, "course.shadows")),
    )


def _junctions(
    config: RoadCourseConfig, centreline: Centreline, width_m: float, rng: np.random.Generator
) -> tuple[Junction, ...]:
    found = []
    branch_m = width_m * float(rng.uniform(*JUNCTION_WIDTH))
    for _ in range(config.junction_count.draw_integer(rng)):
        for _ in range(PLACING_ATTEMPTS):
            s_m = centreline.length_m * float(rng.random())
            length_m = width_m / 2 + config.junction_length_m.draw(rng)
            side = 1 if rng.random() < 0.5 else -1
            heading = centreline.heading(s_m) + side * float(rng.uniform(*JUNCTION_ANGLE_RAD))
            way = np.linspace(0, length_m, math.ceil(length_m / STEP_M) + 2)
            step = np.array([math.cos(heading), math.sin(heading)])
            points = centreline.point(s_m) + way[:, None] * step
            if _keeps_apart(centreline, width_m, points):
                found.append(Junction(Centreline(points), branch_m))
                break
    return tuple(found)


def _keeps_apart(centreline: Centreline, width_m: float, points: Array) -> bool:
    """Whether a side road, once it has left the road, never comes near to it again."""
    left_m = [centreline.distance(point) for point in points]
    free_m = width_m + JUNCTION_APART_M
    departs = next((i for i, value in enumerate(left_m) if value >= free_m), len(left_m))
    rises = all(a < b for a, b in pairwise(left_m[:departs]))
    return rises and all(value >= free_m for value in left_m[departs:])


def _puddles(
    config: RoadCourseConfig, centreline: Centreline, width_m: float, rng: np.random.Generator
) -> tuple[Puddle, ...]:
    found = []
    for _ in range(config.puddle_count.draw_integer(rng)):
        s_m = centreline.length_m * float(rng.random())
        x, y = centreline.beside(s_m, width_m * float(rng.uniform(-0.4, 0.4)))
        along_m, across_m = float(rng.uniform(0.06, 0.25)), width_m * float(rng.uniform(0.2, 0.6))
        mirrors = bool(rng.random() < 0.5)
        found.append(Puddle(x, y, along_m, across_m, centreline.heading(s_m), mirrors))
    return tuple(found)


def _shadows(
    config: RoadCourseConfig, centreline: Centreline, rng: np.random.Generator
) -> tuple[Shadow, ...]:
    found = []
    for _ in range(config.shadow_count.draw_integer(rng)):
        s_m = centreline.length_m * float(rng.random())
        x, y = centreline.point(s_m)
        # Within 50 degrees of straight across; short enough to end within the painted picture.
        turn_rad = math.pi / 2 + float(rng.uniform(-0.87, 0.87))
        along_m, across_m = float(rng.uniform(0.4, 0.8)), float(rng.uniform(0.04, 0.3))
        edge_m, depth = float(rng.uniform(0.02, 0.12)), config.shadow_depth.draw(rng)
        heading = centreline.heading(s_m) + turn_rad
        found.append(Shadow(x, y, along_m, across_m, heading, edge_m, depth))
    return tuple(found)
