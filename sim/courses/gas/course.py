"""A small plant with at most one gas leak, a patrol to fly and a referee.

Each part has its own random stream (``course.layout``, ``course.heat``, ...), so that changing the
looks, the warmth or the distractors of a scenario moves neither its equipment nor its route.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.errors import BadInputError
from bytewing.foundation.rng import stream
from bytewing.sim.courses.gas.config import GasSiteConfig
from bytewing.sim.courses.gas.layout import Layout, Part, lay_out
from bytewing.sim.courses.gas.referee import GasReferee
from bytewing.sim.courses.gas.route import BEFORE_ROW_M, Patrol, plan_patrol
from bytewing.sim.courses.gas.solids import Solids, require_in_the_open, solids_of
from bytewing.sim.courses.gas.surfaces import (
    FLANGE_SPREAD_K,
    FLANGE_TEXTURE_K,
    GROUND_ALBEDO,
    draw_albedos,
    draw_heat,
    dress,
    paint_ground,
)
from bytewing.sim.courses.gas.things import place_cloud_shadow, place_vents, place_walkers
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.scene import Heat, Light, Scene

__all__ = ["GasSite", "GasSiteConfig", "generate_gas_site"]

LAYOUT_ATTEMPTS = 40
"""Layouts drawn until one has a free patrol that sees every flange."""

VENT_WARMTH = 0.5
"""Of a vent's shell over the air, as a part of its steam's: assumed."""


@dataclass(frozen=True)
class GasSite:
    """One site with all that is on it; its origin is in the middle, on the ground.

    Attributes:
        scene: what there is to see and to hit.
        solids: what of it stands still and can be hit.
        bounds_m: (west, south, east, north).
        patrol: the way past the equipment.
        leak: the leak, None on a site without one.
        releases: the leak if there is one, then the steam vents.
        flanges_world_m: (F, 3) where there may be a leak.
        start_position_world_m: (3,) where the drone begins, in the air.
        start_yaw_rad: its heading there.
        parameters: what was drawn, for logs; plain JSON types.
    """

    scene: Scene
    solids: Solids
    bounds_m: tuple[float, float, float, float]
    patrol: Patrol
    leak: GasRelease | None
    releases: tuple[GasRelease, ...]
    flanges_world_m: NDArray[np.float64]
    start_position_world_m: NDArray[np.float64]
    start_yaw_rad: float
    parameters: dict[str, Any] = field(default_factory=dict)

    completed_outcomes: ClassVar = frozenset({"found", "nothing_there"})

    @property
    def air_c(self) -> float:
        """Temperature of the air, and of the leaking gas."""
        return self.scene.air_c

    @property
    def route(self) -> NDArray[np.float32]:
        """(N, 5) the patrol, see ``bytewing.sim.flight.Course``."""
        return self.patrol.rows

    def referee(self) -> GasReferee:
        """Return a fresh referee for one flight."""
        return GasReferee(self.bounds_m, self.leak.position_world_m if self.leak else None)

    def log_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what metrics and plots need of the site.

        ``leak_position_world_m`` (0, 3) or (1, 3), ``leak_rate_g_h`` (0,) or (1,), ``route``
        (N, 5) float32, and ``flanges_world_m`` (F, 3).
        """
        leaks = [self.leak] if self.leak else []
        places = [leak.position_world_m for leak in leaks]
        return {
            "leak_position_world_m": np.array(places, float).reshape(-1, 3),
            "leak_rate_g_h": np.array([leak.rate_g_h for leak in leaks], float),
            "route": self.route,
            "flanges_world_m": self.flanges_world_m,
        }


def generate_gas_site(config: GasSiteConfig, seed: int) -> GasSite:
    """Draw one site; the same configuration and seed give the same site.

    Raises BadInputError where no layout has a free patrol.
    """
    layout, patrol = _patrolled(config, seed)
    solids = _solids(layout.parts)
    leak = _leak(config, layout, seed)
    vents = place_vents(config, layout, solids, stream(seed, "course.steam"))
    standing = (*layout.parts, *(part for part, _ in vents))
    solids = _solids(standing)
    walkers = place_walkers(config, layout, solids, patrol, stream(seed, "course.walkers"))
    releases = (*([leak] if leak else []), *(steam for _, steam in vents))
    for release in releases:
        require_in_the_open(solids, release.position_world_m, f"a release of {release.gas}")

    heat = stream(seed, "course.heat")
    air_c, sky_c = config.air_c.draw(heat), config.sky_c.draw(heat)
    excess_k = config.background_excess_k.draw(heat)
    look = stream(seed, "course.look")
    ground_albedo = float(look.uniform(*GROUND_ALBEDO))
    ground_heat = draw_heat(air_c + excess_k, heat)
    ground = paint_ground(layout, ground_albedo, ground_heat, look, heat)
    hot = _hot_pipes(config, layout, seed)
    steam_k = {part.item.name: steam.excess_k for part, steam in vents}
    parts = (*standing, *walkers)
    host_of = {flange.name: flange.on for flange in layout.flanges}
    warmth: dict[str, Heat] = {}
    for part in parts:
        name = part.item.name
        mean_c = air_c + excess_k
        if part.kind == "walker":
            mean_c = config.walker_c.draw(heat)
        elif part.kind == "vent":
            mean_c = air_c + VENT_WARMTH * steam_k[name]
        elif name in hot:
            mean_c = air_c + hot[name]
        if name in host_of:
            host = warmth[host_of[name]]
            mean_c = (host.low_c + host.high_c) / 2
            warmth[name] = draw_heat(mean_c, heat, FLANGE_SPREAD_K, FLANGE_TEXTURE_K)
        else:
            warmth[name] = draw_heat(mean_c, heat)
    objects = dress(parts, draw_albedos(parts, look), list(warmth.values()))
    cloud = place_cloud_shadow(config, layout, ground, ground_heat, stream(seed, "course.cloud"))
    light, sky_grey = _light(config, stream(seed, "course.light"))
    scene = Scene(
        (*objects, *([cloud] if cloud else [])), light, sky_grey, ground, air_c=air_c, sky_c=sky_c
    )

    start = stream(seed, "course.start")
    east_m, north_m = config.start_offset_m.draw(start), config.start_offset_m.draw(start)
    error_rad = math.radians(config.start_heading_error_deg.draw(start))
    patrol = patrol.from_share(config.start_along_route.draw(start))
    half_m = (layout.length_m / 2, layout.depth_m / 2)
    return GasSite(
        scene=scene,
        solids=solids,
        bounds_m=(-half_m[0], -half_m[1], half_m[0], half_m[1]),
        patrol=patrol,
        leak=leak,
        releases=releases,
        flanges_world_m=np.array([flange.opening_world_m for flange in layout.flanges]),
        start_position_world_m=patrol.places_world_m[0] + (east_m, north_m, 0.0),
        start_yaw_rad=float(patrol.yaw_rad[0]) + error_rad,
        parameters={
            "kind": config.kind,
            "length_m": layout.length_m,
            "depth_m": layout.depth_m,
            "parts": [part.item.name for part in parts],
            "flanges": host_of,
            "leak": _summary(leak),
            "steam": [_summary(steam) for _, steam in vents],
            "air_c": air_c,
            "background_excess_k": excess_k,
            "sky_c": sky_c,
            "hot_pipes": hot,
            "walkers": len(walkers),
            "cloud_shadow": cloud is not None,
            "distractors": len(hot) + len(vents) + len(walkers) + int(cloud is not None),
            "route_length_m": patrol.length_m,
            "patrol_height_m": float(patrol.places_world_m[0, 2]),
            "sky_grey": sky_grey,
            "start_offset_m": [east_m, north_m],
            "start_heading_error_rad": error_rad,
        },
    )


def _patrolled(config: GasSiteConfig, seed: int) -> tuple[Layout, Patrol]:
    """Return the first layout that has a free patrol, and the patrol."""
    layouts, routes = stream(seed, "course.layout"), stream(seed, "course.route")
    height_m = config.patrol_height_m.draw(routes)
    before_row_m = float(routes.uniform(*BEFORE_ROW_M))
    westward = bool(routes.random() < 0.5)
    for _ in range(LAYOUT_ATTEMPTS):
        layout = lay_out(config, layouts)
        patrol = plan_patrol(layout, _solids(layout.parts), height_m, before_row_m, westward)
        if patrol is not None:
            return layout, patrol
    raise BadInputError(
        f"course: none of {LAYOUT_ATTEMPTS} sites drawn has a free path for the patrol with every "
        "flange in sight; lower course.obstacle_count, or raise course.length_m and course.depth_m"
    )


def _solids(parts: tuple[Part, ...]) -> Solids:
    return solids_of([part.item for part in parts])


def _leak(config: GasSiteConfig, layout: Layout, seed: int) -> GasRelease | None:
    rng = stream(seed, "course.leak")
    leaks = rng.random() < config.leak_probability
    flange = layout.flanges[int(rng.integers(len(layout.flanges)))]
    rate_g_h = config.leak_rate_g_h.draw(rng)
    return GasRelease(config.gas, rate_g_h, flange.opening_world_m) if leaks else None


def _hot_pipes(config: GasSiteConfig, layout: Layout, seed: int) -> dict[str, float]:
    """Return how much warmer than the air each hot pipe is, by name."""
    rng = stream(seed, "course.hot_pipes")
    pipes = [part.item.name for part in layout.parts if part.kind == "pipe"]
    count = min(config.hot_pipe_count.draw_integer(rng), len(pipes))
    chosen = rng.permutation(len(pipes))[:count]
    return {pipes[index]: config.hot_pipe_excess_k.draw(rng) for index in chosen}


def _light(config: GasSiteConfig, rng: np.random.Generator) -> tuple[Light, float]:
    """Draw the light so that level ground receives ``brightness`` whatever the sun's height."""
    brightness = config.brightness.draw(rng)
    elevation_rad = math.radians(config.sun_elevation_deg.draw(rng))
    azimuth_rad = float(rng.uniform(0, 2 * math.pi))
    level = math.cos(elevation_rad)
    direction = (
        level * math.cos(azimuth_rad),
        level * math.sin(azimuth_rad),
        math.sin(elevation_rad),
    )
    # Half of it comes from everywhere.
    light = Light(direction, brightness / 2, brightness / 2 / math.sin(elevation_rad))
    return light, config.sky_grey.draw(rng)


def _summary(release: GasRelease | None) -> dict[str, Any] | None:
    if release is None:
        return None
    return {**asdict(release), "position_world_m": list(release.position_world_m)}
