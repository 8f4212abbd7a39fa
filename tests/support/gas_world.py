"""A world for the gas guidance: a drone that does as told, a point that leaks, walls, a network.

The drone's velocity follows its command with a lag; the network sees the leak without error but
for the noise asked for; ranges are exact distances to boxes seen from above, in cones like those
of the real sensors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from bytewing.policies.tasks.gas.constants import GasGuidance
from bytewing.policies.tasks.gas.leak_map import spread

PITCH_RAD, HALF_FOV = math.radians(12.0), math.tan(math.radians(24.0))
GUIDANCE = GasGuidance(
    tan_half_fov_left=HALF_FOV,
    tan_half_fov_up=HALF_FOV,
    pitch_cos=math.cos(PITCH_RAD),
    pitch_sin=math.sin(PITCH_RAD),
    mount_forward_m=0.03,
    mount_left_m=0.0,
    mount_up_m=0.01,
)
STEP_S, LAG_S, RANGE_M = 0.04, 0.25, 4.0
VIEW_RAD = np.linspace(-0.218, 0.218, 5)  # a range sensor sees a cone of 25 degrees
SEEN_M = 6.0  # how far the network sees gas

# West, south, east, north edges of a hall, and what stands in it.
HALL = (-1.0, -1.0, 11.0, 11.0)


def route_of(*rows):
    """Return a (N, 5) route from rows of x, y, z, yaw."""
    return np.array([(x, y, z, math.cos(yaw), math.sin(yaw)) for x, y, z, yaw in rows], np.float32)


ROUTE = route_of(
    (2.0, 2.0, 1.0, 0.0), (5.0, 2.0, 1.0, math.pi / 2), (8.5, 2.0, 1.0, math.pi / 2),
    (8.5, 5.0, 1.0, math.pi), (8.5, 8.5, 1.0, math.pi), (2.0, 8.5, 1.0, -math.pi / 2),
)  # fmt: skip


def said(gas, left, up, far):
    """Return the outputs (65,) of a network that sees gas from there, so far away."""
    return np.append(spread(gas, left, up), np.float32(far))


@dataclass
class GasWorld:
    """See the module; ``boxes`` are (west, south, east, north)."""

    leak: tuple[float, float, float] | None
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    noise: float = 0.0
    seed: int = 0
    start: tuple[float, float, float] = (0.5, 0.5, 1.0)

    def __post_init__(self):
        self.position, self.yaw, self.t_s = np.array(self.start), 0.0, 0.0
        self.velocity, self.rng = np.zeros(3), np.random.default_rng(self.seed)
        self.clearance_m = math.inf

    def outputs(self) -> np.ndarray:
        """Return what the network answers."""
        rng, noise = self.rng, self.noise
        nothing = said(abs(rng.normal(0, noise)), *rng.uniform(-1, 1, 2), rng.uniform())
        if self.leak is None:
            return nothing
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        x, y, z = np.array(self.leak) - self.position
        forward, left, up = c * x + s * y - 0.03, c * y - s * x, z - 0.01
        cos, sin = math.cos(PITCH_RAD), math.sin(PITCH_RAD)
        axis, above = cos * forward - sin * up, sin * forward + cos * up
        distance = math.sqrt(forward**2 + left**2 + up**2)
        if axis <= 0.1 or distance > SEEN_M or self.hidden():
            return nothing
        across, above = left / axis / HALF_FOV, above / axis / HALF_FOV
        if max(abs(across), abs(above)) > 1:
            return nothing
        shaken = np.array([across, above]) + rng.normal(0, 1 * noise, 2)
        far = distance * (1 + rng.normal(0, 2 * noise)) / 8.0
        return said(0.95 - abs(rng.normal(0, noise)), *shaken, far)

    def hidden(self) -> bool:
        """Whether a box is between the drone and the leak."""
        way = np.array(self.leak[:2]) - self.position[:2]
        length = float(np.hypot(*way))
        return self.free(math.atan2(way[1], way[0])) < 0.97 * length

    def free(self, angle: float) -> float:
        """Return the free distance along a heading."""
        (x, y), c, s = self.position[:2], math.cos(angle), math.sin(angle)
        west, south, east, north = HALL
        walls = [((east if c > 0 else west) - x) / c if c else RANGE_M]
        walls.append(((north if s > 0 else south) - y) / s if s else RANGE_M)
        distance = min(RANGE_M, *walls)
        for w, b, e, t in self.boxes:
            spans = [((w - x) / (c or 1e-12), (e - x) / (c or 1e-12))]
            spans.append(((b - y) / (s or 1e-12), (t - y) / (s or 1e-12)))
            near, far = max(map(min, spans)), min(map(max, spans))
            if near <= far and far > 0:
                distance = min(distance, max(near, 0.0))
        return max(distance, 0.0)

    def senses(self) -> np.ndarray:
        """Return the drone's senses, exact."""
        ranges = [
            min(self.free(self.yaw + k * math.pi / 2 + aside) for aside in VIEW_RAD)
            for k in range(4)
        ]
        q = (0.0, 0.0, math.sin(self.yaw / 2), math.cos(self.yaw / 2))
        return np.array([*self.position, *q, *ranges, 1.0, 0.0, 0.0], np.float32)

    def move(self, answer: np.ndarray) -> None:
        """Fly for one step as an answer says."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        forward, left, climb, turn = (float(v) for v in answer[:4])
        wanted = np.array([c * forward - s * left, s * forward + c * left, climb])
        self.velocity += (wanted - self.velocity) * STEP_S / LAG_S
        self.position = self.position + self.velocity * STEP_S
        self.yaw += turn * STEP_S
        self.t_s += STEP_S
        gaps = [self.free(k * math.pi / 8) for k in range(16)]
        self.clearance_m = min(self.clearance_m, *gaps)


def search(guide, world, route=ROUTE, limit_s=150.0):
    """Fly until there is a result; return the (N, 9) answers."""
    guide.reset(route)
    answers = []
    while world.t_s < limit_s:
        answers.append(guide.step(world.outputs(), world.senses()))
        world.move(answers[-1])
        if answers[-1][4] >= 4:
            break
    return np.array(answers)
