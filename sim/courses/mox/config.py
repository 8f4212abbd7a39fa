"""Configuration of a gas field: the ``[course]`` table of a scenario."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from bytewing.foundation.config import Config
from bytewing.foundation.errors import BadInputError
from bytewing.sim.fields.gas import load_gas
from bytewing.sim.randomise import LogRange, Range, log_uniform, uniform, within


class GasFieldConfig(Config):
    """A family of walled yards with one leak on a standpipe in the west, one drawn per seed.

    Let the wind blow to the east, more or less: the drone begins east of the leak.

    Attributes:
        kind: tag of this course.
        length_m: of the yard, east-west.
        depth_m: of the yard, north-south.
        gas: what leaks (``sim/fields/gases``).
        leak_rate_g_h: how much.
        leak_height_m: over the ground; the drone flies at FLIGHT_HEIGHT_M.
        leak_from_wall_m: from the west wall.
        leak_aside_m: north of the yard's middle.
        start_downwind_m: from the leak to the east, where the drone begins.
        start_aside_m: north of the leak.
        start_heading_deg: from east counter-clockwise.
        air_c: temperature of the air, and of the gas.
    """

    kind: Literal["gas_field"] = "gas_field"
    length_m: Annotated[Range, within(8.0, 20.0)] = uniform(12.0, 12.0)
    depth_m: Annotated[Range, within(5.0, 16.0)] = uniform(8.0, 8.0)
    gas: str = "methane"
    leak_rate_g_h: Annotated[LogRange, within(0.1, 20_000.0)] = log_uniform(50.0, 300.0)
    leak_height_m: Annotated[Range, within(0.3, 2.5)] = uniform(0.8, 1.2)
    leak_from_wall_m: Annotated[Range, within(1.0, 4.0)] = uniform(1.5, 2.5)
    leak_aside_m: Annotated[Range, within(-6.0, 6.0)] = uniform(-1.5, 1.5)
    start_downwind_m: Annotated[Range, within(2.0, 12.0)] = uniform(5.0, 8.0)
    start_aside_m: Annotated[Range, within(-6.0, 6.0)] = uniform(-2.0, 2.0)
    start_heading_deg: Annotated[Range, within(-180.0, 180.0)] = uniform(-180.0, 180.0)
    air_c: Annotated[Range, within(-60.0, 60.0)] = uniform(5.0, 30.0)

    @model_validator(mode="after")
    def _possible(self) -> GasFieldConfig:
        farthest_m = self.leak_from_wall_m.high + self.start_downwind_m.high
        if farthest_m > self.length_m.low - 1.0:
            raise ValueError(
                f"key 'start_downwind_m': {farthest_m:g} m from the west wall is less than 1 m "
                "from the east wall or beyond it; shorten it, or lengthen length_m"
            )
        aside = (self.leak_aside_m, self.start_aside_m)
        widest_m = max(abs(sum(r.low for r in aside)), abs(sum(r.high for r in aside)))
        if widest_m > self.depth_m.low / 2 - 0.5:
            raise ValueError(
                f"key 'start_aside_m': {widest_m:g} m from the middle is less than 0.5 m from a "
                "wall or beyond it; lower it, or raise depth_m"
            )
        try:
            load_gas(self.gas)
        except BadInputError as error:
            raise ValueError(f"key 'gas': {error}") from error
        return self
