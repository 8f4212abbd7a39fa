"""A walled yard with one gas leak, to be found with a gas sensor and an anemometer.

The referee ends a flight as soon as the drone is within REACHED_M of the source: who comes that
near has found it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.rng import stream
from bytewing.sim import meshes
from bytewing.sim.courses.mox.config import GasFieldConfig
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.pilot import DroneState, Report
from bytewing.sim.scene import Box, Cylinder, Ground, Scene, SceneObject, Surface

__all__ = ["GasField", "GasFieldConfig", "generate_gas_field"]

REACHED_M = 1.0
"""From the drone to the source: what published source seekers are held to."""

FLIGHT_HEIGHT_M = 1.0
CEILING_M = 4.0
EDGE_M = 0.6
"""The area searched ends this far before the walls: the estimate of the position drifts."""

WALL_HEIGHT_M, WALL_THICKNESS_M = 1.5, 0.1
PIPE_RADIUS_M = 0.03
GROUND_GREY, WALL_ALBEDO, PIPE_ALBEDO = 110, 0.5, 0.3

Outcome = Literal["reached", "collision", "left_field"]


@dataclass(frozen=True)
class GasFieldReferee:
    """Judges one flight to a source.

    Attributes:
        half_m: half the yard's length and depth.
        source_world_m: (x, y, z).
    """

    half_m: tuple[float, float]
    source_world_m: tuple[float, float, float]

    def update(self, t_s: float, state: DroneState, in_contact: bool) -> Outcome | None:
        """Return the outcome, or None while the flight goes on."""
        if in_contact:
            return "collision"
        if math.dist(state.position_world_m, self.source_world_m) <= REACHED_M:
            return "reached"
        x, y, z = state.position_world_m
        beyond = abs(x) > self.half_m[0] or abs(y) > self.half_m[1] or z > CEILING_M
        return "left_field" if beyond else None

    def on_report(self, report: Report) -> Outcome | None:
        """Return None: to be there counts, not to say so."""
        return None


@dataclass(frozen=True)
class GasField:
    """One yard; its origin is in the middle, on the ground.

    Attributes:
        scene: walls, standpipe and ground.
        half_m: half the yard's length and depth.
        leak: the source.
        start_position_world_m: (3,) where the drone begins, in the air.
        start_yaw_rad: its heading there.
        parameters: what was drawn, for logs; plain JSON types.
    """

    scene: Scene
    half_m: tuple[float, float]
    leak: GasRelease
    start_position_world_m: NDArray[np.float64]
    start_yaw_rad: float
    parameters: dict[str, Any] = field(default_factory=dict)

    completed_outcomes: ClassVar = frozenset({"reached"})

    @property
    def releases(self) -> tuple[GasRelease, ...]:
        """The leak alone."""
        return (self.leak,)

    @property
    def route(self) -> NDArray[np.float32]:
        """(2, 5) the corners of the area to search, at the height to fly at."""
        x, y = self.half_m[0] - EDGE_M, self.half_m[1] - EDGE_M
        corners = [(-x, -y), (x, y)]
        return np.array([(*corner, FLIGHT_HEIGHT_M, 1.0, 0.0) for corner in corners], np.float32)

    def referee(self) -> GasFieldReferee:
        """Return a fresh referee for one flight."""
        return GasFieldReferee(self.half_m, self.leak.position_world_m)

    def log_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what metrics and plots need of the yard.

        ``leak_position_world_m`` (1, 3), ``leak_rate_g_h`` (1,), ``route`` (2, 5) float32, and
        ``half_m`` (2,).
        """
        return {
            "leak_position_world_m": np.array([self.leak.position_world_m], float),
            "leak_rate_g_h": np.array([self.leak.rate_g_h], float),
            "route": self.route,
            "half_m": np.array(self.half_m),
        }


def generate_gas_field(config: GasFieldConfig, seed: int) -> GasField:
    """Draw one yard; the same configuration and seed give the same yard."""
    rng = stream(seed, "course.field")
    length_m, depth_m = config.length_m.draw(rng), config.depth_m.draw(rng)
    leak_x_m = -length_m / 2 + config.leak_from_wall_m.draw(rng)
    leak_y_m = config.leak_aside_m.draw(rng)
    source = (leak_x_m, leak_y_m, config.leak_height_m.draw(rng))
    leak = GasRelease(config.gas, config.leak_rate_g_h.draw(rng), source)
    start = (
        leak_x_m + config.start_downwind_m.draw(rng),
        leak_y_m + config.start_aside_m.draw(rng),
        FLIGHT_HEIGHT_M,
    )
    yaw_rad = math.radians(config.start_heading_deg.draw(rng))
    air_c = config.air_c.draw(rng)
    return GasField(
        scene=Scene((*_walls(length_m, depth_m), _pipe(source)), ground=_ground(), air_c=air_c),
        half_m=(length_m / 2, depth_m / 2),
        leak=leak,
        start_position_world_m=np.array(start),
        start_yaw_rad=yaw_rad,
        parameters={
            "kind": config.kind,
            "length_m": length_m,
            "depth_m": depth_m,
            "leak": {**asdict(leak), "position_world_m": list(source)},
            "start_world_m": list(start),
            "start_yaw_rad": yaw_rad,
            "air_c": air_c,
        },
    )


def _walls(length_m: float, depth_m: float) -> list[SceneObject]:
    x, y, thick = length_m / 2, depth_m / 2, WALL_THICKNESS_M
    sides = {
        "north wall": ((0.0, y + thick / 2), (length_m + 2 * thick, thick)),
        "south wall": ((0.0, -y - thick / 2), (length_m + 2 * thick, thick)),
        "east wall": ((x + thick / 2, 0.0), (thick, depth_m)),
        "west wall": ((-x - thick / 2, 0.0), (thick, depth_m)),
    }
    walls = []
    for name, (place, plan) in sides.items():
        size = (*plan, WALL_HEIGHT_M)
        at = (*place, WALL_HEIGHT_M / 2)
        walls.append(SceneObject(name, meshes.box(size), Surface(WALL_ALBEDO), at, 0.0, Box(size)))
    return walls


def _pipe(source: tuple[float, float, float]) -> SceneObject:
    x, y, height_m = source
    mesh = meshes.cylinder(PIPE_RADIUS_M, height_m)
    shape = Cylinder(PIPE_RADIUS_M, height_m)
    at = (x, y, height_m / 2)
    return SceneObject("standpipe", mesh, Surface(PIPE_ALBEDO), at, 0.0, shape)


def _ground() -> Ground:
    grey = np.full((8, 8), GROUND_GREY, np.uint8)
    return Ground(grey, (-0.5, 0.5), 0.125, grey, 0.125)
