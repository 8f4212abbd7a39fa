"""Objects beside a road and, on a blocked road, on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bytewing.sim import meshes
from bytewing.sim.courses.people import PERSON_HEIGHT_M, PERSON_RADIUS_M
from bytewing.sim.courses.road.centreline import Centreline
from bytewing.sim.courses.road.config import (
    OBSTACLE_FROM_START_M,
    OBSTACLE_TO_FINISH_M,
    RoadCourseConfig,
)
from bytewing.sim.scene import Box, Cylinder, SceneObject, Surface

PLACING_ATTEMPTS = 40
"""Per thing; one that finds no place is left out."""

REACH_M = 2.0
"""Things stand within this distance of the nearest they may come."""

SKEW_MAX_RAD = 0.3
"""An obstacle is turned by at most this against the road."""


@dataclass(frozen=True)
class RoadObstacle:
    """What blocks a road.

    Attributes:
        kind: "box", "pillar" or "person".
        s_m: arc length of its near face: the least of its outline's.
        far_s_m: arc length of its far face.
        lateral_m: its middle, left of the centreline.
        width_m: across the road.
        height_m: from the ground.
        outline_world_m: (K, 2) its corners seen from above.
    """

    kind: str
    s_m: float
    far_s_m: float
    lateral_m: float
    width_m: float
    height_m: float
    outline_world_m: NDArray[np.float64]


def place_things(
    config: RoadCourseConfig,
    centreline: Centreline,
    width_m: float,
    ways_world_m: NDArray[np.float64],
    rng: np.random.Generator,
) -> list[SceneObject]:
    """Return poles, boxes, trees and people, none nearer to the road than ``thing_clearance_m``.

    They also stay out of the (K, 2, 2) ways along which others walk across the road.
    """
    things: list[SceneObject] = []
    taken: list[tuple[NDArray[np.float64], float]] = []
    for index in range(config.thing_count.draw_integer(rng)):
        kind = config.things[int(rng.integers(len(config.things)))]
        radius_m, make = _thing(kind, rng)
        nearest_m = width_m / 2 + config.thing_clearance_m + radius_m
        for _ in range(PLACING_ATTEMPTS):
            s_m = centreline.length_m * float(rng.random())
            left_m = (nearest_m + REACH_M * float(rng.random())) * (1 if rng.random() < 0.5 else -1)
            xy = centreline.beside(s_m, left_m)
            free = all(math.dist(xy, other) > radius_m + reach + 0.1 for other, reach in taken)
            free = free and all(
                _distance_m(xy, way) > radius_m + PERSON_RADIUS_M[1] for way in ways_world_m
            )
            if free and centreline.distance(xy) >= nearest_m - 1e-9:
                taken.append((xy, radius_m))
                things.append(make(f"{kind} {index}", xy, float(rng.uniform(0, math.pi))))
                break
    return things


def _distance_m(xy: NDArray[np.float64], way: NDArray[np.float64]) -> float:
    """Return the distance of a point from the straight way between two points."""
    start, step = way[0], way[1] - way[0]
    part = min(max(float((xy - start) @ step / (step @ step)), 0.0), 1.0)
    return math.dist(xy, start + part * step)


def _thing(
    kind: str, rng: np.random.Generator
) -> tuple[float, Callable[[str, NDArray[np.float64], float], SceneObject]]:
    """Return a thing's outer radius and the function that gives it name, place and yaw."""
    surface = Surface(texture=pattern(float(rng.uniform(0.1, 0.9)), rng))
    collision: Box | Cylinder
    if kind == "pole":
        radius_m, height_m = float(rng.uniform(0.02, 0.06)), float(rng.uniform(0.4, 2.0))
        mesh, collision = meshes.cylinder(radius_m, height_m), Cylinder(radius_m, height_m)
    elif kind == "box":
        length_m, breadth_m, height_m = (float(v) for v in rng.uniform(0.12, 0.7, 3))
        radius_m = math.hypot(length_m, breadth_m) / 2
        mesh = meshes.box((length_m, breadth_m, height_m))
        collision = Box((length_m, breadth_m, height_m))
    elif kind == "person":
        radius_m = float(rng.uniform(*PERSON_RADIUS_M))
        height_m = float(rng.uniform(*PERSON_HEIGHT_M))
        mesh, collision = meshes.person(radius_m, height_m), Cylinder(radius_m, height_m)
    else:
        # Trunk and crown; the collision shape is the crown's cylinder down to the ground.
        radius_m, height_m = float(rng.uniform(0.15, 0.4)), float(rng.uniform(0.7, 1.8))
        trunk_m = height_m * float(rng.uniform(0.2, 0.4))
        crown_m = height_m - trunk_m
        mesh = meshes.join(
            meshes.shifted(meshes.cylinder(0.04, trunk_m), (0, 0, (trunk_m - height_m) / 2)),
            meshes.shifted(meshes.cone(radius_m, crown_m), (0, 0, (height_m - crown_m) / 2)),
        )
        collision = Cylinder(radius_m, height_m)

    def make(name: str, xy: NDArray[np.float64], yaw_rad: float) -> SceneObject:
        position = (float(xy[0]), float(xy[1]), height_m / 2)
        return SceneObject(name, mesh, surface, position, yaw_rad, collision)

    return radius_m, make


def place_obstacle(
    config: RoadCourseConfig,
    centreline: Centreline,
    width_m: float,
    start_s_m: float,
    finish_s_m: float,
    road_albedo: float,
    rng: np.random.Generator,
) -> tuple[RoadObstacle, SceneObject] | None:
    """Return the obstacle and its looks, or None on a free road.

    It stands within the road's width and across its middle, so that who follows the road hits it.
    """
    if rng.random() >= config.obstacle_probability:
        return None
    kind = str(rng.choice(config.obstacle_kinds))
    across_m = min(config.obstacle_width_m.draw(rng), width_m)
    height_m = config.obstacle_height_m.draw(rng)
    if kind == "person":
        across_m = 2 * float(rng.uniform(*PERSON_RADIUS_M))
        height_m = float(rng.uniform(*PERSON_HEIGHT_M))
    is_round = kind != "box"
    along_m = across_m if is_round else float(rng.uniform(0.15, 0.35))
    skew = 0.0 if is_round else float(rng.uniform(-SKEW_MAX_RAD, SKEW_MAX_RAD))
    reach_m = math.hypot(across_m, along_m) / 2
    s_m = float(
        rng.uniform(
            start_s_m + OBSTACLE_FROM_START_M + reach_m, finish_s_m - OBSTACLE_TO_FINISH_M - reach_m
        )
    )
    play_m = min(abs(width_m - across_m) / 2, across_m / 4)
    lateral_m = float(rng.uniform(-play_m, play_m))

    xy = centreline.beside(s_m, lateral_m)
    if is_round:
        make = meshes.person if kind == "person" else meshes.cylinder
        mesh = make(across_m / 2, height_m)
        shape: Box | Cylinder = Cylinder(across_m / 2, height_m)
        corners = meshes.cylinder(across_m / 2, height_m).vertices_m[:, :2]
    else:
        size = (along_m, across_m, height_m)
        mesh, shape = meshes.box(size), Box(size)
        corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * (along_m / 2, across_m / 2)
    yaw = centreline.heading(s_m) + skew
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    outline = xy + corners @ turn.T
    along = [centreline.project(corner, s_m).s_m for corner in outline]

    # It differs from the road by at least 0.3 in albedo on average, however it is patterned.
    apart = float(rng.uniform(0.3, 0.6))
    albedo = road_albedo + (apart if road_albedo < 0.5 else -apart)
    surface = Surface(texture=pattern(min(max(albedo, 0.05), 0.95), rng))
    position = (float(xy[0]), float(xy[1]), height_m / 2)
    return (
        RoadObstacle(kind, min(along), max(along), lateral_m, across_m, height_m, outline),
        SceneObject("obstacle", mesh, surface, position, yaw, shape),
    )


def pattern(albedo: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a small (16, 16) texture: plain, stripes, checks or noise around an albedo."""
    rows, columns = np.indices((16, 16))
    kind = int(rng.integers(4))
    if kind == 0:
        relief = np.zeros((16, 16))
    elif kind == 1:
        relief = np.where((rows // 4) % 2 == 0, 1.0, -1.0)
    elif kind == 2:
        relief = np.where((rows // 8 + columns // 8) % 2 == 0, 1.0, -1.0)
    else:
        relief = np.clip(rng.standard_normal((4, 4)).repeat(4, 0).repeat(4, 1), -1, 1)
    depth = float(rng.uniform(0.1, 0.6)) * min(albedo, 1 - albedo)
    return np.round(np.clip(albedo + depth * relief, 0, 1) * 255).astype(np.uint8)
