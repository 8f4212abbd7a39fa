"""Instruments besides camera and autopilot, and their readings for the pilot."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.foundation.config import Config
from bytewing.sim import senses
from bytewing.sim.pilot import Truth
from bytewing.sim.probes import Samples
from bytewing.sim.scene import Scene
from bytewing.sim.sensors.anemometer import Anemometer, AnemometerConfig
from bytewing.sim.sensors.mox import MetalOxide, MetalOxideConfig
from bytewing.sim.sensors.ranger import Ranger, RangerConfig
from bytewing.sim.weather import GAS_PROBE, WIND_PROBE

Vector = NDArray[np.float64]


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
        ranger, metal_oxide, anemometer = config.ranger, config.metal_oxide, config.anemometer
        self._ranger = Ranger(scene, ranger, seed) if ranger else None
        self._metal_oxide = MetalOxide(metal_oxide, seed) if metal_oxide else None
        self._anemometer = Anemometer(anemometer, seed) if anemometer else None
        self._reading = 0

    def sample(self, probes: Samples, duration_s: float) -> None:
        """Let the sensors that lag behind follow what the probes found, for so long."""
        if self._metal_oxide is not None:
            self._metal_oxide.step(float(probes[GAS_PROBE][0]), duration_s)

    def read(self, truth: Truth, estimate: Vector, t_s: float) -> senses.Row:
        """Return the packed senses (SENSES_SIZE,) now, once a camera tick.

        Args:
            truth: where the drone is, and in what air.
            estimate: (13,) where its autopilot believes to be (``Plant.estimate``).
            t_s: since take-off.
        """
        index, self._reading = self._reading, self._reading + 1
        state = truth.state
        readings: dict[str, ArrayLike] = {
            "position_m": estimate[:3],
            "quaternion_xyzw": estimate[3:7],
        }
        if self._ranger is not None:
            readings["range_m"] = self._ranger.measure(
                state.position_world_m, state.quaternion_xyzw, t_s
            )
        if self._metal_oxide is not None:
            readings["gas_resistance"] = self._metal_oxide.resistance
        if self._anemometer is not None:
            readings["wind_m_s"] = self._anemometer.measure(truth.probes[WIND_PROBE], index)
        return senses.pack(readings)
