"""A road course, drawn from a configuration and a seed.

Each part has its own random stream (``course.layout``, ``course.look``, ...), so that changing
the scenery of a scenario does not change where its roads run.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.rng import stream
from bytewing.sim.courses.road.centreline import Centreline
from bytewing.sim.courses.road.config import RoadCourseConfig
from bytewing.sim.courses.road.crossings import RoadCrossing, place_crossings, ways
from bytewing.sim.courses.road.layout import RUN_IN_M, lay_out
from bytewing.sim.courses.road.marks import draw_marks
from bytewing.sim.courses.road.paint import draw_look, paint_ground
from bytewing.sim.courses.road.referee import RoadReferee
from bytewing.sim.courses.road.things import RoadObstacle, place_obstacle, place_things
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.scene import Light, Scene

__all__ = ["RoadCourse", "RoadCourseConfig", "RoadObstacle", "generate_road"]


@dataclass(frozen=True)
class RoadCourse:
    """One road with all that is around it.

    Attributes:
        centreline: from behind the start to beyond the finish.
        width_m: of the road.
        obstacle: what blocks it, None on a free road.
        crossing: who walks across it; a road that is only crossed counts as free.
        scene: what there is to see and to hit.
        start_position_world_m: (3,) where the drone begins, in the air.
        start_yaw_rad: its heading there.
        start_s_m: arc length abeam of the start.
        finish_s_m: arc length of the finish.
        off_road_limit_m: see RoadCourseConfig.
        flying_height_m: see RoadCourseConfig.
        parameters: what was drawn, for logs; plain JSON types.
    """

    centreline: Centreline
    width_m: float
    obstacle: RoadObstacle | None
    crossing: tuple[RoadCrossing, ...]
    scene: Scene
    start_position_world_m: NDArray[np.float64]
    start_yaw_rad: float
    start_s_m: float
    finish_s_m: float
    off_road_limit_m: float
    flying_height_m: float
    parameters: dict[str, Any] = field(default_factory=dict)

    completed_outcomes: ClassVar = frozenset({"finished", "stopped_for_obstacle"})

    @property
    def route(self) -> NDArray[np.float32]:
        """Empty: a road pilot is given no route."""
        return np.empty((0, 5), np.float32)

    @property
    def releases(self) -> tuple[GasRelease, ...]:
        """No gas here."""
        return ()

    def referee(self, time_limit_s: float | None = None) -> RoadReferee:
        """Return a fresh referee for one flight."""
        blocked = None if self.obstacle is None else (self.obstacle.s_m, self.obstacle.far_s_m)
        return RoadReferee(
            self.centreline,
            self.finish_s_m,
            blocked,
            self.off_road_limit_m,
            time_limit_s,
            self.start_s_m,
        )

    def log_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what metrics and plots need of the course.

        ``centreline_xy_world_m`` (N, 2), ``centreline_s_m`` (N,), ``width_m``, ``start_s_m``,
        ``finish_s_m`` (1,), ``obstacle_s_m`` (0,) or (2,) near and far face, and
        ``obstacle_outline_world_m`` (K, 2), K = 0 on a free road; of those who cross it
        ``crossing_way_world_m`` (C, 2, 2), begin and end, and ``crossing_half_width_m`` (C,).
        """
        free, blocked = np.zeros((0, 2)), self.obstacle
        return {
            "centreline_xy_world_m": self.centreline.xy_world_m,
            "centreline_s_m": self.centreline.s_m,
            "width_m": np.array([self.width_m]),
            "start_s_m": np.array([self.start_s_m]),
            "finish_s_m": np.array([self.finish_s_m]),
            "obstacle_s_m": np.array([blocked.s_m, blocked.far_s_m] if blocked else []),
            "obstacle_outline_world_m": blocked.outline_world_m if blocked else free,
            "crossing_way_world_m": ways(self.crossing),
            "crossing_half_width_m": np.array([c.half_width_m for c in self.crossing]),
        }


def generate_road(config: RoadCourseConfig, seed: int) -> RoadCourse:
    """Draw one course; the same configuration and seed give the same course."""
    centreline, finish_s_m = lay_out(config, stream(seed, "course.layout"))
    width_m = config.width_m.draw(stream(seed, "course.width"))
    look = draw_look(config, stream(seed, "course.look"))
    light, sky_grey = _light(config, stream(seed, "course.light"))
    marks = draw_marks(config, centreline, width_m, seed)
    # Level ground receives the sum of the light's two parts.
    received = light.ambient + light.diffuse * light.direction_world[2]
    mirrored = min(sky_grey / received, 1.0)
    ground = paint_ground(
        centreline, width_m, look, marks, mirrored, stream(seed, "course.texture")
    )
    blocked = place_obstacle(
        config,
        centreline,
        width_m,
        RUN_IN_M,
        finish_s_m,
        look.road_albedo,
        stream(seed, "course.obstacle"),
    )
    obstacle = blocked[0] if blocked else None
    crossed = place_crossings(
        config, centreline, RUN_IN_M, finish_s_m, obstacle, stream(seed, "course.crossing")
    )
    crossings = tuple(crossing for crossing, _ in crossed)
    things = place_things(
        config, centreline, width_m, ways(crossings), stream(seed, "course.things")
    )
    objects = (*things, *(item for _, item in crossed), *([blocked[1]] if blocked else []))

    start = stream(seed, "course.start")
    lateral_m = config.start_lateral_m.draw(start)
    error_rad = math.radians(config.start_heading_error_deg.draw(start))
    x, y = centreline.beside(RUN_IN_M, lateral_m)
    return RoadCourse(
        centreline=centreline,
        width_m=width_m,
        obstacle=obstacle,
        crossing=crossings,
        scene=Scene(objects, light, sky_grey, ground),
        start_position_world_m=np.array([x, y, config.flying_height_m]),
        start_yaw_rad=centreline.heading(RUN_IN_M) + error_rad,
        start_s_m=RUN_IN_M,
        finish_s_m=finish_s_m,
        off_road_limit_m=config.off_road_limit_m,
        flying_height_m=config.flying_height_m,
        parameters={
            "kind": config.kind,
            "length_m": finish_s_m - RUN_IN_M,
            "width_m": width_m,
            "smallest_radius_m": float(1 / max(np.abs(centreline.curvature_1_m).max(), 1e-6)),
            "look": asdict(look),
            "marks": {
                "marking_wear": marks.marking_wear,
                "road_wear": marks.road_wear,
                "junctions": len(marks.junctions),
                "puddles": len(marks.puddles),
                "shadows": len(marks.shadows),
            },
            "light": {**asdict(light), "direction_world": list(light.direction_world)},
            "sky_grey": sky_grey,
            "things": [item.name for item in things],
            "obstacle": _summary(obstacle),
            "crossings": [
                {
                    "kind": crossing.kind,
                    "s_m": crossing.s_m,
                    "keep_away_m": crossing.keep_away_m,
                    "speed_m_s": crossing.motion.speed_m_s,
                    "lead_s": crossing.motion.lead_s,
                }
                for crossing in crossings
            ],
            "start_lateral_m": lateral_m,
            "start_heading_error_rad": error_rad,
            "flying_height_m": config.flying_height_m,
            "off_road_limit_m": config.off_road_limit_m,
        },
    )


def _light(config: RoadCourseConfig, rng: np.random.Generator) -> tuple[Light, float]:
    """Draw the light so that level ground receives ``brightness`` whatever the sun's height."""
    brightness = config.brightness.draw(rng)
    ambient_share = config.ambient_share.draw(rng)
    elevation_deg = config.sun_elevation_deg.draw(rng)
    azimuth = float(rng.uniform(0, 2 * math.pi))
    sky_grey = config.sky_grey.draw(rng)
    if config.daylight == "dusk_to_noon":
        hour = float(rng.random())
        brightness, elevation_deg, sky_grey = (
            values.low + hour * (values.high - values.low)
            for values in (config.brightness, config.sun_elevation_deg, config.sky_grey)
        )
    ambient = brightness * ambient_share
    elevation = math.radians(elevation_deg)
    direction = (
        math.cos(elevation) * math.cos(azimuth),
        math.cos(elevation) * math.sin(azimuth),
        math.sin(elevation),
    )
    light = Light(direction, ambient, (brightness - ambient) / math.sin(elevation))
    return light, sky_grey


def _summary(obstacle: RoadObstacle | None) -> dict[str, Any] | None:
    if obstacle is None:
        return None
    values = asdict(obstacle)
    del values["outline_world_m"]
    return values
