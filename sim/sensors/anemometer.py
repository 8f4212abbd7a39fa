"""Wind estimate of a drone, derived from its tilt, with errors.

A reading is the true horizontal wind plus white noise and a bias that wanders. Both deviations are
assumed, 0.1 m/s each. Published errors (Yu et al. 2025, arXiv 2512.10428, with a body made for it):
0.06 m/s in a wind tunnel, 0.22 m/s hovering outdoors, up to 0.38 m/s in motion, 7 degrees of
direction; so the default is what a good estimate reaches in a light wind.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.sim.compiled import compiled
from bytewing.sim.noise import noise_key, standard_normal
from bytewing.sim.sensors.imu import NonNegative

Vector = NDArray[np.float64]


class AnemometerConfig(Config):
    """The estimate's errors, each axis for itself.

    Attributes:
        noise_m_s: standard deviation of a reading; assumed.
        bias_m_s: standard deviation of the bias; assumed.
        bias_readings: after how many readings the bias is another one (750: 30 s at 25 Hz);
            assumed.
    """

    noise_m_s: NonNegative = 0.1
    bias_m_s: NonNegative = 0.1
    bias_readings: Annotated[int, Field(gt=0)] = 750


class Anemometer:
    """The wind estimate of one flight: a pure function of the wind and the reading's number."""

    def __init__(self, config: AnemometerConfig, seed: int) -> None:
        self._config = config
        self._noise_key = noise_key(seed, "sensors.anemometer")
        self._bias_key = noise_key(seed, "sensors.anemometer.bias")

    def measure(self, wind_world_m_s: Vector, index: int) -> Vector:
        """Return reading ``index`` (0 or more) of the wind, (2,) m/s to the east and the north.

        Args:
            wind_world_m_s: (3,) the true one where the drone is.
            index: number of the reading.
        """
        config = self._config
        return _read(
            wind_world_m_s,
            config.noise_m_s,
            config.bias_m_s,
            config.bias_readings,
            self._noise_key,
            self._bias_key,
            index,
        )


@compiled
def _read(
    wind: Vector,
    noise: float,
    bias: float,
    bias_readings: int,
    noise_key: np.uint64,
    bias_key: np.uint64,
    index: int,
) -> Vector:
    knot = index // bias_readings
    # Between two independent values along a circle, so that the variance stays what it is.
    turn = 0.5 * math.pi * (index - knot * bias_readings) / bias_readings
    reading = np.empty(2)
    for axis in range(2):
        wandered = math.cos(turn) * standard_normal(bias_key, 2 * knot + axis)
        wandered += math.sin(turn) * standard_normal(bias_key, 2 * (knot + 1) + axis)
        white = standard_normal(noise_key, 2 * index + axis)
        reading[axis] = wind[axis] + bias * wandered + noise * white
    return reading
