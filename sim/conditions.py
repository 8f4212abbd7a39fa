"""Conditions of a flight besides its course: wind, battery, sensors, faults, mass.

Left out, each is ideal: still air, a battery that never empties, an autopilot that knows the
truth, a camera link without faults. What is declared here is drawn once a flight, each from its own
stream.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bytewing.foundation.config import Config
from bytewing.sim.camera.faults import FaultsConfig
from bytewing.sim.clock import Clock
from bytewing.sim.fields.wind import WindConfig
from bytewing.sim.instruments import InstrumentsConfig
from bytewing.sim.navigation import NavigationConfig
from bytewing.sim.randomise import Range, uniform, within


class BatteryUse(Config):
    """In what state the battery takes off.

    Attributes:
        sags: False for an ideal source: always full, no resistance.
        state_of_charge: at take-off, 1 = full.
    """

    sags: bool = False
    state_of_charge: Annotated[Range, within(0.0, 1.0)] = uniform(1.0, 1.0)


class Conditions(Config):
    """Declared distributions of all that is drawn for a flight besides its course.

    Attributes:
        autopilot_acts_on: "estimate" of its own sensors, as flown; or "truth", for comparison.
        mass_scale: take-off mass over the airframe's own (another payload, a repair).
        wind: see WindConfig.
        navigation: the sensors that the estimate comes from.
        battery: see BatteryUse.
        faults: of the camera's link, see FaultsConfig.
        instruments: what the drone carries besides, see InstrumentsConfig.
    """

    autopilot_acts_on: Literal["truth", "estimate"] = "truth"
    mass_scale: Annotated[Range, within(0.5, 2.0)] = uniform(1.0, 1.0)
    wind: WindConfig = Field(default_factory=WindConfig)
    navigation: NavigationConfig = Field(default_factory=NavigationConfig)
    battery: BatteryUse = Field(default_factory=BatteryUse)
    faults: FaultsConfig = Field(default_factory=FaultsConfig)
    instruments: InstrumentsConfig = Field(default_factory=InstrumentsConfig)

    @model_validator(mode="after")
    def _rates_divide(self) -> Self:
        clock, sensors = Clock(), self.navigation
        clock.require_divides(sensors.flow.rate_hz, "navigation.flow.rate_hz")
        clock.require_divides(sensors.height.rate_hz, "navigation.height.rate_hz")
        return self
