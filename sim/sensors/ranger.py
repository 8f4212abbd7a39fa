"""Horizontal range sensors: Bitcraze's Multi-ranger deck, four of its five VL53L1x.

A sensor answers with the nearest thing in its view, a cone of 25 degrees (ST's data sheet: up to 27
degrees across the diagonal), here sampled by 13 rays: the axis and two rings of six. The ground is
a thing like any other. Distances are from the drone's centre, a centimetre or two behind the real
sensors. Noise is that of the same part looking down (``bytewing.sim.sensors.height``); the data
sheet's accuracy of 20 mm is taken as two deviations of an offset that each sensor keeps.

What is not modelled: reflectance and sunlight, which shorten the range, and that a thing in a
corner of the view may return too little light. A reading belongs to a frame (25 Hz; the data sheet
allows 50 Hz), where Bitcraze's driver (multiranger.c) asks every 100 ms.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.sim.compiled import compiled
from bytewing.sim.frames import turned
from bytewing.sim.noise import noise_key, standard_normal
from bytewing.sim.scene import Box, Scene, SceneObject
from bytewing.sim.sensors.height import ranged
from bytewing.sim.sensors.imu import NonNegative

Vector = NDArray[np.float64]

SENSORS = 4
RING_RAYS = 6
TICKS_PER_S = 1000.0  # the base clock, which numbers the samples of noise

# The columns of a thing: where it is, how it is turned, its half sides; a cylinder has its radius
# twice and the mark in the last column.
X, Y, Z, COS_YAW, SIN_YAW, HALF_X, HALF_Y, HALF_Z, REACH, ROUND = range(10)


class RangerConfig(Config):
    """The four horizontal sensors.

    Attributes:
        view_deg: full angle of the cone.
        distance_max_m: what a reading saturates at (data sheet: up to 4 m).
        noise_m: standard deviation near by (crazyflie-firmware, zranger2.c: 2.5 mm).
        offset_m: standard deviation of a sensor's constant error.
        quantum_m: a reading is a whole multiple of this (1 mm).
    """

    view_deg: Annotated[float, Field(ge=0, lt=90)] = 25.0
    distance_max_m: Annotated[float, Field(gt=0)] = 4.0
    noise_m: NonNegative = 0.0025
    offset_m: NonNegative = 0.01
    quantum_m: NonNegative = 0.001


class Ranger:
    """The sensors of one flight in one scene.

    Attributes:
        rays_body: (4, R, 3) unit vectors, body axes, that sample the views.
    """

    def __init__(self, scene: Scene, config: RangerConfig, seed: int) -> None:
        """Draw the sensors' offsets from the stream "sensors.ranger" of ``seed``."""
        solid = [item for item in scene.objects if item.collision is not None]
        self._things = np.array([_row(item) for item in solid]).reshape(-1, ROUND + 1)
        self._moving = [(row, item) for row, item in enumerate(solid) if item.motion is not None]
        self.rays_body = _rays(math.radians(config.view_deg))
        self._grounded = scene.ground is not None
        self._distance_max_m = config.distance_max_m
        self._noise_m, self._quantum_m = config.noise_m, config.quantum_m
        self._key = noise_key(seed, "sensors.ranger")
        self._offset_key = noise_key(seed, "sensors.ranger.offset")
        self._offset_m = config.offset_m

    def measure(self, position_world_m: Vector, quaternion_xyzw: Vector, t_s: float) -> Vector:
        """Return (4,) free distance to the front, left, back and right, m; at most the longest.

        Args:
            position_world_m: (3,) of the drone's centre.
            quaternion_xyzw: (4,) its attitude.
            t_s: since take-off; moving things are where they then are.
        """
        for row, item in self._moving:
            self._things[row, X : Z + 1] = item.position_at(t_s)
        free_m = free_distances(
            self._things,
            self._grounded,
            self.rays_body,
            position_world_m,
            quaternion_xyzw,
            self._distance_max_m,
        )
        _spoil(
            free_m,
            self._distance_max_m,
            self._noise_m,
            self._offset_m,
            self._quantum_m,
            self._key,
            self._offset_key,
            round(t_s * TICKS_PER_S),
        )
        return free_m


def _row(item: SceneObject) -> list[float]:
    turn = [math.cos(item.yaw_rad), math.sin(item.yaw_rad)]
    if isinstance(item.collision, Box):
        halves, is_round = [side / 2 for side in item.collision.size_m], 0.0
    else:
        assert item.collision is not None
        radius_m = item.collision.radius_m
        halves, is_round = [radius_m, radius_m, item.collision.height_m / 2], 1.0
    return [*item.position_world_m, *turn, *halves, math.hypot(*halves), is_round]


def _rays(view_rad: float) -> Vector:
    """Return (4, R, 3) unit vectors, body axes: each sensor's axis and two rings around it.

    The outer ring is turned by half a step, so that a thin pole meets a ray wherever it stands.
    """
    front = [(1.0, 0.0, 0.0)]
    for off_axis_rad, turn_rad in ((view_rad / 4, 0.0), (view_rad / 2, math.pi / RING_RAYS)):
        for step in range(RING_RAYS):
            around_rad = turn_rad + 2 * math.pi * step / RING_RAYS
            aside = math.sin(off_axis_rad)
            sideways, up = aside * math.cos(around_rad), aside * math.sin(around_rad)
            front.append((math.cos(off_axis_rad), sideways, up))
    x, y, z = np.array(front).T
    return np.stack(
        [np.stack(axes, axis=1) for axes in ((x, y, z), (-y, x, z), (-x, -y, z), (y, -x, z))]
    )


@compiled
def free_distances(
    things: Vector,
    grounded: bool,
    rays_body: Vector,
    position_world_m: Vector,
    quaternion_xyzw: Vector,
    distance_max_m: float,
) -> Vector:
    """Return for each sensor the length of its shortest ray, without noise, m.

    Args:
        things: (N, 10) rows as the columns above name them.
        grounded: whether there is a ground, the plane z = 0.
        rays_body: (S, R, 3) unit vectors.
        position_world_m: (3,) where all rays begin.
        quaternion_xyzw: (4,) turns body into world.
        distance_max_m: how long a ray is that meets nothing.
    """
    px, py, pz = position_world_m
    qx, qy, qz, qw = quaternion_xyzw
    # What is near enough: its row, where its centre lies from here, how far that is, squared.
    near, towards = np.empty(len(things), np.int64), np.empty((len(things), 4))
    count = 0
    for n in range(len(things)):
        dx, dy, dz = things[n, X] - px, things[n, Y] - py, things[n, Z] - pz
        away2 = dx * dx + dy * dy + dz * dz
        reach = things[n, REACH] + distance_max_m
        if away2 < reach * reach:
            near[count] = n
            towards[count, 0], towards[count, 1] = dx, dy
            towards[count, 2], towards[count, 3] = dz, away2
            count += 1
    free = np.empty(len(rays_body))
    for sensor in range(len(rays_body)):
        shortest = distance_max_m
        for ray in range(rays_body.shape[1]):
            bx, by, bz = rays_body[sensor, ray]
            rx, ry, rz = turned(qx, qy, qz, qw, bx, by, bz)
            if grounded and rz < 0.0:
                shortest = min(shortest, max(pz, 0.0) / -rz)
            for i in range(count):
                thing = things[near[i]]
                dx, dy, dz, away2 = towards[i]
                # The ball around a thing, which most rays miss.
                along, reach = dx * rx + dy * ry + dz * rz, thing[REACH]
                if away2 - along * along > reach * reach or not -reach < along < shortest + reach:
                    continue
                # In the thing's own frame.
                cos, sin = thing[COS_YAW], thing[SIN_YAW]
                ox, oy = -cos * dx - sin * dy, sin * dx - cos * dy
                vx, vy = cos * rx + sin * ry, cos * ry - sin * rx
                if thing[ROUND] > 0.0:
                    enter, leave = _disc(ox, oy, vx, vy, thing[HALF_X])
                else:
                    enter_x, leave_x = _slab(ox, vx, thing[HALF_X])
                    enter_y, leave_y = _slab(oy, vy, thing[HALF_Y])
                    enter, leave = max(enter_x, enter_y), min(leave_x, leave_y)
                enter_z, leave_z = _slab(-dz, rz, thing[HALF_Z])
                enter, leave = max(enter, enter_z), min(leave, leave_z)
                if enter <= leave and leave >= 0.0:
                    shortest = min(shortest, max(enter, 0.0))
        free[sensor] = shortest
    return free


@compiled
def _slab(origin: float, direction: float, half: float) -> tuple[float, float]:
    """Return where along a ray it is between two planes: [enter, leave], empty if enter > leave."""
    if direction == 0.0:
        return (-np.inf, np.inf) if abs(origin) <= half else (np.inf, -np.inf)
    one, other = (-half - origin) / direction, (half - origin) / direction
    return min(one, other), max(one, other)


@compiled
def _disc(ox: float, oy: float, vx: float, vy: float, radius: float) -> tuple[float, float]:
    """Return where along a ray it is within an endless upright cylinder around the origin."""
    a = vx * vx + vy * vy
    b = ox * vx + oy * vy
    c = ox * ox + oy * oy - radius * radius
    if a == 0.0:
        return (-np.inf, np.inf) if c <= 0.0 else (np.inf, -np.inf)
    inside = b * b - a * c
    if inside < 0.0:
        return np.inf, -np.inf
    root = math.sqrt(inside)
    return (-b - root) / a, (-b + root) / a


@compiled
def _spoil(
    free_m: Vector,
    distance_max_m: float,
    noise_m: float,
    offset_m: float,
    quantum_m: float,
    key: np.uint64,
    offset_key: np.uint64,
    tick: int,
) -> None:
    """Turn true distances below the longest into readings; beyond it, nothing comes back."""
    for sensor in range(len(free_m)):
        if free_m[sensor] < distance_max_m:
            off = offset_m * standard_normal(offset_key, sensor)
            index = tick * SENSORS + sensor
            reading = ranged(free_m[sensor] + off, noise_m, quantum_m, key, index)
            free_m[sensor] = min(max(reading, 0.0), distance_max_m)
