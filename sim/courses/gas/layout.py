"""Layout of a gas site: tanks, pipe runs and their flanges, walls, obstacles.

Tanks and pipe runs take turns in one row along x, before the back wall in the north and with a
service aisle behind them; the drone's space is south of the row. Nothing stands before anything
else in the row, so that every flange faces the open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bytewing.sim import meshes
from bytewing.sim.courses.gas.config import (
    GAP_M,
    RUN_LENGTH_MIN_M,
    TANK_RADIUS_M,
    GasSiteConfig,
)
from bytewing.sim.scene import Box, Cylinder, SceneObject, Surface, TriangleMesh

Array = NDArray[np.float64]
PartKind = Literal["wall", "tank", "pipe", "support", "flange", "obstacle", "vent", "walker"]

BEHIND_FRONT_M = (2.6, 3.0)
"""From the row's southern edge to the back wall: the equipment and an aisle to walk in."""

WALL_THICK_M = 0.2
PIPE_HEIGHT_M = (0.4, 1.7)
PIPE_RADIUS_M = (0.05, 0.11)
"""Nominal diameters of about 100 to 200 mm."""

FLANGE_OVER_PIPE = 1.7
"""Outer radius over the pipe's: DN 100 in EN 1092-1 (PN 16) has 220 mm over 114.3 mm, 1.9; DN 200
has 340 over 219.1, 1.6."""

FLANGE_THICK_M = 0.08
"""A pair with its gasket."""

NOZZLE_M = 0.1
"""How far a tank's flange stands off its shell."""

NOZZLE_ANGLE_MAX_RAD = math.radians(35)
"""A tank's flanges face south within this, and with that the patrol."""

FLANGES_APART_M = 0.35
OPENING_OFF_M = 0.02
"""A leak comes out this far before its flange's face: it is a jet at first."""

LEAK_HEIGHT_M = (0.3, 1.9)
OBSTACLE_FROM_ROW_M = 1.0
PLACING_ATTEMPTS = 40
"""Per flange, obstacle or vent; one that finds no place is left out."""


@dataclass(frozen=True)
class Part:
    """A thing's shape, without looks and warmth.

    Attributes:
        kind: what it is.
        item: the thing, its surface still the plain one.
    """

    kind: PartKind
    item: SceneObject


@dataclass(frozen=True)
class Flange:
    """Where two pieces are bolted together, and where a leak may be.

    Attributes:
        name: of its part.
        on: name of the pipe or tank.
        opening_world_m: (x, y, z) where gas would come out: just before its face to the open.
    """

    name: str
    on: str
    opening_world_m: tuple[float, float, float]


@dataclass(frozen=True)
class Layout:
    """A drawn site.

    Attributes:
        length_m: east-west.
        depth_m: north-south; the origin is in the middle.
        front_y_m: southern edge of the row.
        parts: everything that stands.
        flanges: some of them, in the order they were drawn.
    """

    length_m: float
    depth_m: float
    front_y_m: float
    parts: tuple[Part, ...]
    flanges: tuple[Flange, ...]


@dataclass(frozen=True)
class _Host:
    """A tank (upright) or pipe (along x from x_m to x_m + length_m) that flanges sit on."""

    name: str
    x_m: float
    y_m: float
    z_m: float
    radius_m: float
    length_m: float


def lay_out(config: GasSiteConfig, rng: np.random.Generator) -> Layout:
    """Draw a site; whether its patrol is free is another question (``gas_site_route``)."""
    length_m, depth_m = config.length_m.draw(rng), config.depth_m.draw(rng)
    front_y_m = depth_m / 2 - float(rng.uniform(*BEHIND_FRONT_M))
    parts = _walls(config, length_m, depth_m, front_y_m, rng)
    hosts: list[_Host] = []
    for is_tank, west_m, room_m in _slots(config, length_m, rng):
        make = _tank if is_tank else _pipe_run
        new_hosts, new_parts = make(len(hosts), west_m, room_m, front_y_m, rng)
        hosts += new_hosts
        parts += new_parts
    flanges: list[Flange] = []
    for index in range(config.flange_count.draw_integer(rng)):
        for _ in range(PLACING_ATTEMPTS):
            host = hosts[int(rng.integers(len(hosts)))]
            flange, part = (_tank_flange if host.length_m == 0 else _pipe_flange)(index, host, rng)
            apart = all(
                math.dist(flange.opening_world_m, other.opening_world_m) >= FLANGES_APART_M
                for other in flanges
            )
            if apart:
                flanges.append(flange)
                parts.append(part)
                break
    parts += _obstacles(config, length_m, depth_m, front_y_m, rng)
    return Layout(length_m, depth_m, front_y_m, tuple(parts), tuple(flanges))


def standing(
    kind: PartKind,
    name: str,
    mesh: TriangleMesh,
    position_world_m: tuple[float, float, float],
    collision: Box | Cylinder,
    yaw_rad: float = 0.0,
) -> Part:
    """Return a part that stands still."""
    return Part(kind, SceneObject(name, mesh, Surface(), position_world_m, yaw_rad, collision))


def _walls(
    config: GasSiteConfig,
    length_m: float,
    depth_m: float,
    front_y_m: float,
    rng: np.random.Generator,
) -> list[Part]:
    height_m = float(rng.uniform(2.2, 3.0))
    walls = [("back wall", 0.0, depth_m / 2, (length_m, WALL_THICK_M, height_m))]
    for name, x_m in (("west wall", -length_m / 2), ("east wall", length_m / 2)):
        if rng.random() < config.side_wall_probability:
            reach_m = depth_m / 2 - front_y_m
            y_m = (depth_m / 2 - WALL_THICK_M / 2 + front_y_m) / 2
            walls.append((name, x_m, y_m, (WALL_THICK_M, reach_m - WALL_THICK_M / 2, height_m)))
    return [
        standing("wall", name, meshes.box(size), (x_m, y_m, height_m / 2), Box(size))
        for name, x_m, y_m, size in walls
    ]


def _slots(
    config: GasSiteConfig, length_m: float, rng: np.random.Generator
) -> list[tuple[bool, float, float]]:
    """Return whether each place in the row is a tank's, its western end and its room, m."""
    tanks = config.tank_count.draw_integer(rng)
    runs = config.pipe_run_count.draw_integer(rng)
    is_tank = np.arange(tanks + runs) < tanks
    rng.shuffle(is_tank)
    radii = rng.uniform(*TANK_RADIUS_M, len(is_tank))
    room = np.where(is_tank, 2 * radii, RUN_LENGTH_MIN_M)
    gaps = np.full(len(room) + 1, GAP_M)
    # What is left over is shared out: most of it makes the pipe runs longer.
    spare_m = length_m - room.sum() - gaps.sum()
    shares = rng.dirichlet(np.full(runs + 1, 3.0))
    room[~is_tank] += spare_m * shares[:runs]
    gaps += spare_m * shares[runs] / len(gaps)
    west = -length_m / 2 + np.cumsum(gaps)[:-1] + np.concatenate([[0.0], np.cumsum(room)[:-1]])
    return [(bool(t), float(w), float(r)) for t, w, r in zip(is_tank, west, room, strict=True)]


def _tank(
    index: int, west_m: float, room_m: float, front_y_m: float, rng: np.random.Generator
) -> tuple[list[_Host], list[Part]]:
    radius_m, height_m = room_m / 2, float(rng.uniform(1.3, 2.3))
    x_m, y_m = west_m + radius_m, front_y_m + radius_m + float(rng.uniform(0.2, 0.5))
    name = f"tank {index}"
    mesh = meshes.cylinder(radius_m, height_m)
    place = (x_m, y_m, height_m / 2)
    tank = standing("tank", name, mesh, place, Cylinder(radius_m, height_m))
    return [_Host(name, x_m, y_m, height_m, radius_m, 0.0)], [tank]


def _pipe_run(
    index: int, west_m: float, room_m: float, front_y_m: float, rng: np.random.Generator
) -> tuple[list[_Host], list[Part]]:
    """Return one or two pipes above each other, with an upright behind each end."""
    low_m, high_m = PIPE_HEIGHT_M
    heights = [float(rng.uniform(low_m, high_m))]
    second_m = float(rng.uniform(low_m, high_m))
    if abs(second_m - heights[0]) > 0.5:
        heights.append(second_m)
    y_m = front_y_m + float(rng.uniform(0.2, 0.5))
    hosts, parts = [], []
    for offset, z_m in enumerate(heights):
        radius_m = float(rng.uniform(*PIPE_RADIUS_M))
        name = f"pipe {index + offset}"
        size = (room_m, 2 * radius_m, 2 * radius_m)
        mesh, place = meshes.rod(radius_m, room_m), (west_m + room_m / 2, y_m, z_m)
        parts.append(standing("pipe", name, mesh, place, Box(size)))
        hosts.append(_Host(name, west_m, y_m, z_m, radius_m, room_m))
    size = (0.08, 0.08, max(heights) + 0.15)
    for side, x_m in (("west", west_m + 0.2), ("east", west_m + room_m - 0.2)):
        place = (x_m, y_m + PIPE_RADIUS_M[1] + size[1] / 2, size[2] / 2)
        name = f"{side} support of pipe {index}"
        parts.append(standing("support", name, meshes.box(size), place, Box(size)))
    return hosts, parts


def _pipe_flange(index: int, host: _Host, rng: np.random.Generator) -> tuple[Flange, Part]:
    radius_m = FLANGE_OVER_PIPE * host.radius_m
    x_m = host.x_m + float(rng.uniform(0.15, host.length_m - 0.15))
    z_m = host.z_m + float(rng.uniform(-0.5, 0.5)) * radius_m
    opening = (x_m, host.y_m - radius_m - OPENING_OFF_M, float(np.clip(z_m, *LEAK_HEIGHT_M)))
    size = (FLANGE_THICK_M, 2 * radius_m, 2 * radius_m)
    mesh = meshes.rod(radius_m, FLANGE_THICK_M)
    place = (x_m, host.y_m, host.z_m)
    part = standing("flange", f"flange {index}", mesh, place, Box(size))
    return Flange(part.item.name, host.name, opening), part


def _tank_flange(index: int, host: _Host, rng: np.random.Generator) -> tuple[Flange, Part]:
    radius_m = float(rng.uniform(0.1, 0.15))
    yaw_rad = -math.pi / 2 + float(rng.uniform(-1, 1)) * NOZZLE_ANGLE_MAX_RAD
    z_m = float(rng.uniform(LEAK_HEIGHT_M[0] + 0.1, min(LEAK_HEIGHT_M[1], host.z_m) - 0.2))
    out_m = host.radius_m + NOZZLE_M
    mesh = meshes.join(
        meshes.rod(radius_m, FLANGE_THICK_M),
        meshes.shifted(meshes.rod(radius_m / 2, NOZZLE_M), (-NOZZLE_M / 2, 0, 0)),
    )

    def outward(by_m: float) -> tuple[float, float]:
        return host.x_m + by_m * math.cos(yaw_rad), host.y_m + by_m * math.sin(yaw_rad)

    size = (FLANGE_THICK_M, 2 * radius_m, 2 * radius_m)
    place = (*outward(out_m), z_m)
    part = standing("flange", f"flange {index}", mesh, place, Box(size), yaw_rad)
    height_m = z_m + float(rng.uniform(-0.5, 0.5)) * radius_m
    opening = (*outward(out_m + FLANGE_THICK_M / 2 + OPENING_OFF_M), height_m)
    return Flange(part.item.name, host.name, opening), part


def _obstacles(
    config: GasSiteConfig,
    length_m: float,
    depth_m: float,
    front_y_m: float,
    rng: np.random.Generator,
) -> list[Part]:
    parts: list[Part] = []
    for index in range(config.obstacle_count.draw_integer(rng)):
        x_m = float(rng.uniform(-0.5, 0.5)) * (length_m - 1.5)
        y_m = float(rng.uniform(-depth_m / 2 + 0.5, front_y_m - OBSTACLE_FROM_ROW_M))
        name, yaw_rad = f"obstacle {index}", 0.0
        shape: Box | Cylinder
        if rng.random() < 0.5:
            radius_m, height_m = float(rng.uniform(0.04, 0.12)), float(rng.uniform(1.5, 2.5))
            mesh, shape = meshes.cylinder(radius_m, height_m), Cylinder(radius_m, height_m)
        else:
            along_m, across_m = (float(v) for v in rng.uniform(0.3, 0.8, 2))
            height_m, yaw_rad = float(rng.uniform(0.6, 1.6)), float(rng.uniform(0, math.pi))
            size = (along_m, across_m, height_m)
            mesh, shape = meshes.box(size), Box(size)
        parts.append(standing("obstacle", name, mesh, (x_m, y_m, height_m / 2), shape, yaw_rad))
    return parts
