"""What a drone carries besides camera and autopilot, and what it reads there: ``Senses``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.config import Config
from bytewing.sim.pilot import DroneState, Senses
from bytewing.sim.scene import Scene
from bytewing.sim.sensors.anemometer import Anemometer, AnemometerConfig
from bytewing.sim.sensors.mox import MetalOxide, MetalOxideConfig
from bytewing.sim.sensors.ranger import Ranger, RangerConfig

Vector = NDArray[np.float64]

NOTHING_NEAR_M = 4.0
"""What a ranger says where there is nothing, or no ranger."""

CLEAN_AIR = 1.0
"""Resistance of a metal-oxide sensor, over that in clean air."""


_EMPTY = np.full(4, NOTHING_NEAR_M)
_STILL = np.zeros(2)


class InstrumentsConfig(Config):
    """Which decks are mounted; without one its readings are those of empty, clean, still air.

    Attributes:
        ranger: free distances to the four sides.
        metal_oxide: a gas sensor.
        anemometer: the wind, as the drone can tell it.
    """

    ranger: RangerConfig | None = None
    metal_oxide: MetalOxideConfig | None = None
    anemometer: AnemometerConfig | None = None


class Instruments:
    """The instruments of one flight.

    Args:
        config: which there are.
        scene: what the ranger measures.
        seed: of the flight.
    """

    def __init__(self, config: InstrumentsConfig, scene: Scene, seed: int) -> None:
        self._ranger = None if config.ranger is None else Ranger(scene, config.ranger, seed)
        self._nose = None if config.metal_oxide is None else MetalOxide(config.metal_oxide, seed)
        self._vane = None if config.anemometer is None else Anemometer(config.anemometer, seed)
        self._reading = 0

    def breathe(self, gas_ppm: float, duration_s: float) -> None:
        """Let the gas sensor hang in air of that concentration for so long."""
        if self._nose is not None:
            self._nose.step(gas_ppm, duration_s)

    def read(
        self, truth: DroneState, estimate: Vector, wind_world_m_s: Vector, t_s: float
    ) -> Senses:
        """Return what the drone reads now, once a camera tick.

        Args:
            truth: where it is.
            estimate: (13,) where its autopilot believes to be (``Plant.estimate``).
            wind_world_m_s: (3,) the air's velocity where it is.
            t_s: since take-off.
        """
        index, self._reading = self._reading, self._reading + 1
        range_m = _EMPTY
        if self._ranger is not None:
            range_m = self._ranger.measure(truth.position_world_m, truth.quaternion_xyzw, t_s)
        wind_m_s = _STILL
        if self._vane is not None:
            wind_m_s = self._vane.measure(wind_world_m_s, index)
        resistance = CLEAN_AIR if self._nose is None else self._nose.resistance
        return Senses(estimate[:3], estimate[3:7], range_m, resistance, wind_m_s)
