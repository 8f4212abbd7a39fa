"""Configuration of a gas site: the ``[course]`` table of a scenario."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bytewing.foundation.config import Config
from bytewing.foundation.errors import BadInputError
from bytewing.sim.fields.gas import load_gas
from bytewing.sim.randomise import LogRange, Range, log_uniform, uniform, whole, within

TANK_RADIUS_M = (0.35, 0.7)
"""Small process vessels, assumed: between a hot-water tank and a storage tank of 2 m3."""

GAP_M = 0.3
"""Least room between two things in the row of equipment, and from its ends to the site's."""

RUN_LENGTH_MIN_M = 1.3
"""Shortest pipe run: room for two flanges."""


class GasSiteConfig(Config):
    """A family of small plants with at most one leak, one drawn from it per seed.

    A range is a number or [low, high], drawn uniformly once a site (rates: uniformly in their
    logarithm; what a thing has of its own: once a thing). East of the site's middle is +x; the back
    wall stands in the north, the equipment in a row before it, and the drone patrols south of that.

    Attributes:
        kind: tag of this course.
        length_m: of the site, east-west.
        depth_m: of the site, north-south.
        tank_count: upright tanks in the row.
        pipe_run_count: stretches of one or two pipes in the row.
        flange_count: on tanks and pipes; each a place where there may be a leak.
        side_wall_probability: of each of two walls, at the row's two ends.
        obstacle_count: boxes and poles that stand in the drone's space.
        leak_probability: that one of the flanges leaks.
        gas: what leaks (``sim/fields/gases``).
        leak_rate_g_h: how much.
        air_c: temperature of the air, and of the gas.
        background_excess_k: how much warmer than the air the site's surfaces are, once a site; the
            single surface differs from that by up to SURFACE_SPREAD_K.
        sky_c: temperature that the sky has for a thermal camera.
        hot_pipe_count: how many pipes are hot.
        hot_pipe_excess_k: how much warmer than the air those are.
        steam_count: vents that steam.
        steam_rate_g_h: of a vent.
        steam_excess_k: how much warmer than the air the steam comes out.
        walker_count: people who walk to and fro, off the drone's way.
        walker_speed_m_s: how fast.
        walker_c: temperature of their surface.
        cloud_shadow_probability: that the cool shadow of a small cloud creeps over the ground.
        cloud_shadow_depth_k: how much cooler its middle is than the ground.
        brightness: illumination of level ground, 1 = a white ground is just not overexposed.
        sun_elevation_deg: of the light; its azimuth is always random.
        sky_grey: radiance of the sky.
        patrol_height_m: of the route over the ground.
        start_along_route: share of the route that has been flown before take-off; what is flown
            begins at the place nearest to it, and never at the last. Training begins anywhere.
        start_offset_m: of the drone at take-off from the route's first place, along x and along y.
        start_heading_error_deg: left of where the route says to look.
    """

    kind: Literal["gas_site"] = "gas_site"
    length_m: Annotated[Range, within(8.0, 20.0)] = uniform(12.0, 15.0)
    depth_m: Annotated[Range, within(7.0, 12.0)] = uniform(8.0, 10.0)
    tank_count: Annotated[Range, within(0, 6), whole] = uniform(1, 3)
    pipe_run_count: Annotated[Range, within(1, 6), whole] = uniform(2, 3)
    flange_count: Annotated[Range, within(1, 16), whole] = uniform(6, 12)
    side_wall_probability: float = Field(default=0.3, ge=0, le=1)
    obstacle_count: Annotated[Range, within(0, 12), whole] = uniform(0, 3)

    leak_probability: float = Field(default=0.7, ge=0, le=1)
    gas: str = "methane"
    leak_rate_g_h: Annotated[LogRange, within(0.1, 20_000.0)] = log_uniform(100.0, 2000.0)

    air_c: Annotated[Range, within(-60.0, 60.0)] = uniform(5.0, 30.0)
    background_excess_k: Annotated[Range, within(-30.0, 40.0)] = uniform(2.0, 8.0)
    sky_c: Annotated[Range, within(-100.0, 40.0)] = uniform(-40.0, -5.0)

    hot_pipe_count: Annotated[Range, within(0, 6), whole] = uniform(0, 0)
    hot_pipe_excess_k: Annotated[Range, within(0.0, 150.0)] = uniform(10.0, 40.0)
    steam_count: Annotated[Range, within(0, 3), whole] = uniform(0, 0)
    steam_rate_g_h: Annotated[LogRange, within(0.1, 20_000.0)] = log_uniform(200.0, 1000.0)
    steam_excess_k: Annotated[Range, within(0.0, 80.0)] = uniform(30.0, 60.0)
    walker_count: Annotated[Range, within(0, 4), whole] = uniform(0, 0)
    walker_speed_m_s: Annotated[Range, within(0.05, 1.5)] = uniform(0.3, 0.8)
    walker_c: Annotated[Range, within(10.0, 40.0)] = uniform(28.0, 32.0)
    cloud_shadow_probability: float = Field(default=0.0, ge=0, le=1)
    cloud_shadow_depth_k: Annotated[Range, within(0.0, 15.0)] = uniform(1.0, 4.0)

    brightness: Annotated[Range, within(0.05, 1.0)] = uniform(0.5, 1.0)
    sun_elevation_deg: Annotated[Range, within(5.0, 90.0)] = uniform(25.0, 70.0)
    sky_grey: Annotated[Range, within(0.0, 1.0)] = uniform(0.4, 1.0)

    patrol_height_m: Annotated[Range, within(0.8, 1.5)] = uniform(1.0, 1.2)
    start_along_route: Annotated[Range, within(0.0, 1.0)] = uniform(0.0, 0.0)
    start_offset_m: Annotated[Range, within(-0.2, 0.2)] = uniform(-0.15, 0.15)
    start_heading_error_deg: Annotated[Range, within(-45.0, 45.0)] = uniform(-10.0, 10.0)

    @model_validator(mode="after")
    def _possible(self) -> GasSiteConfig:
        tanks, runs = int(self.tank_count.high), int(self.pipe_run_count.high)
        least_m = GAP_M + tanks * (2 * TANK_RADIUS_M[1] + GAP_M) + runs * (RUN_LENGTH_MIN_M + GAP_M)
        if self.length_m.low < least_m:
            raise ValueError(
                f"key 'length_m': {tanks} tanks and {runs} pipe runs in a row take at least "
                f"{least_m:g} m; lengthen it, or lower tank_count or pipe_run_count"
            )
        try:
            load_gas(self.gas)
        except BadInputError as error:
            raise ValueError(f"key 'gas': {error}") from error
        if self.gas == "steam":
            raise ValueError(
                "key 'gas': steam is a distractor and no leak; give another gas, or steam_count"
            )
        return self
