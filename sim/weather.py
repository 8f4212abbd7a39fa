"""Weather of one flight: wind and gas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.fields.field import sample_finite
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.fields.plume import PLUME_LEAD_S, Plume
from bytewing.sim.fields.wind import Wind, WindConfig
from bytewing.sim.probes import Probe

Vector = NDArray[np.float64]

WIND_PROBE = "wind_world_m_s"
"""(3,) the air's velocity where the drone is."""

GAS_PROBE = "gas_ppm"
"""(1,) gas from leaks where the drone is."""


@dataclass(frozen=True)
class Weather:
    """Wind and plumes.

    Attributes:
        wind: the air's velocity.
        plumes: one a release of the course, in its order.
    """

    wind: Wind
    plumes: tuple[Plume, ...]

    @property
    def probes(self) -> tuple[Probe, ...]:
        """What samples this air where the drone is."""
        return Probe(WIND_PROBE, self.wind_m_s), Probe(GAS_PROBE, self._gas_ppm)

    def wind_m_s(self, position_world_m: Vector, t_s: float) -> Vector:
        """Return the air's velocity (3,) at (3,), world; BytewingError where it is not finite."""
        return sample_finite(self.wind, position_world_m, t_s)

    def gas_ppm(self, position_world_m: Vector, t_s: float) -> float:
        """Return the concentration at (3,), ppm: of gas from leaks, not of warm vents."""
        if not self.plumes:
            return 0.0
        return sum(
            float(plume.concentration_ppm(position_world_m, t_s))
            for plume in self.plumes
            if plume.release.excess_k == 0.0
        )

    def _gas_ppm(self, position_world_m: Vector, t_s: float) -> Vector:
        return np.array([self.gas_ppm(position_world_m, t_s)])


def draw_weather(
    config: WindConfig,
    releases: Sequence[GasRelease],
    air_c: float,
    *,
    seed: int,
    duration_s: float,
) -> Weather:
    """Return the air of the flight of ``seed``.

    Args:
        config: of the wind.
        releases: where gas comes out; its plumes are there already at take-off.
        air_c: temperature of the air.
        seed: of the flight.
        duration_s: longest flight.
    """
    wind = Wind(config, seed, duration_s, PLUME_LEAD_S if releases else 0.0)
    plumes = tuple(
        Plume(release, wind, air_c, seed, f"plume{index}") for index, release in enumerate(releases)
    )
    return Weather(wind, plumes)
