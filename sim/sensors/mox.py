"""Metal-oxide gas sensor: resistance that falls with gas, with a slow response.

The model is that of GADEN's simulated sensors: a curve read off the data sheet,
RS / R0 = A ppm^B but never above its value in clean air, then a first-order lag with one time
constant where the gas rises and a longer one where it falls. Defaults are those of a Figaro TGS2611
for methane. It feels nothing below the concentration where the curve meets clean air (31 ppm).
Humidity, temperature and drift are left out.
"""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.sim.noise import noise_key, standard_normal
from bytewing.sim.sensors.imu import NonNegative

Positive = Annotated[float, Field(gt=0)]


class MetalOxideConfig(Config):
    """The sensor.

    Attributes:
        factor: A of RS / R0 = A ppm^B.
        exponent: B, below 0.
        clean_air: RS / R0 without gas.
        rise_s: time constant while the gas rises (the resistance falls).
        fall_s: time constant while the gas falls.
        noise: standard deviation of a reading over the reading; assumed (a 10-bit converter over
            half of its range has a step of 0.002).
    """

    factor: Positive = 38.46
    exponent: Annotated[float, Field(lt=0)] = -0.4289
    clean_air: Positive = 8.8
    rise_s: Positive = 3.44
    fall_s: Positive = 6.35
    noise: NonNegative = 0.003


class MetalOxide:
    """The sensor of one flight, at rest in clean air before its first step.

    Attributes:
        resistance: its last reading, RS over RS in clean air: 1 = clean, less with gas.
    """

    def __init__(self, config: MetalOxideConfig, seed: int) -> None:
        self._config = config
        self._key = noise_key(seed, "sensors.mox")
        self._readings = 0
        self._true = 1.0
        self.resistance = 1.0

    def settled(self, ppm: float) -> float:
        """Return what it reads, without noise, after a long time in ``ppm`` of gas."""
        config = self._config
        if ppm <= 0.0:
            return 1.0
        # A float to a float's power may be complex, so mypy calls it Any.
        power: float = ppm**config.exponent
        return min(config.factor * power / config.clean_air, 1.0)

    def step(self, ppm: float, dt_s: float) -> float:
        """Return the reading after ``dt_s`` in ``ppm``; the lag does not depend on the step."""
        config, settled = self._config, self.settled(ppm)
        time_constant_s = config.rise_s if settled < self._true else config.fall_s
        self._true -= (settled - self._true) * math.expm1(-dt_s / time_constant_s)
        self.resistance = self._true * (
            1.0 + config.noise * standard_normal(self._key, self._readings)
        )
        self._readings += 1
        return self.resistance
