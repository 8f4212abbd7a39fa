"""Height sensor: an ST VL53L1x time-of-flight ranger that looks down, read at 40 Hz.

Its cone is wide, so a small tilt changes nothing: it reads z / cos(tilt - 7.5 deg), and z below
that tilt (the firmware's ``mm_tof.c``). Noise grows with distance as the firmware's ``zranger2.c``
has it. The ground is taken as flat; what stands on it is not seen.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.sim.compiled import compiled
from bytewing.sim.noise import standard_normal
from bytewing.sim.sensors.imu import NonNegative

HALF_CONE_RAD = math.radians(7.5)  # crazyflie-firmware, mm_tof.c
# crazyflie-firmware, zranger2.c: the deviation doubles at 2.5 m and is 80 times as much at 4 m.
NOISE_DOUBLES_AT_M = 2.5
NOISE_GROWTH_PER_M = math.log(0.2 / 0.0025) / (4.0 - 2.5)
DISTANCE_MAX_M = 4.0  # data sheet
UPRIGHT_MIN = 0.5  # cosine of the tilt beyond which (60 deg) there is no reading


class HeightConfig(Config):
    """The ranger.

    Attributes:
        rate_hz: of the driver (zranger2.c: a reading every 25 ms).
        noise_m: standard deviation near the ground (zranger2.c, expStdA: 2.5 mm).
        quantum_m: a reading is a whole multiple of this (1 mm).
    """

    rate_hz: Annotated[float, Field(gt=0)] = 40.0
    noise_m: NonNegative = 0.0025
    quantum_m: NonNegative = 0.001


@compiled
def slant(upright: float) -> float:
    """Return distance over height at a tilt whose cosine is ``upright``."""
    tilt_rad = math.acos(min(upright, 1.0))
    return 1.0 / math.cos(max(tilt_rad - HALF_CONE_RAD, 0.0))


@compiled
def noise_growth(distance_m: float) -> float:
    """Return the noise at a distance over the noise near the ground."""
    return 1.0 + math.exp(NOISE_GROWTH_PER_M * (distance_m - NOISE_DOUBLES_AT_M))


@compiled
def ranged(
    distance_m: float, noise_m: float, quantum_m: float, key: np.uint64, index: int
) -> float:
    """Return one reading, m."""
    reading = distance_m
    if noise_m > 0.0:
        reading += noise_m * noise_growth(distance_m) * standard_normal(key, index)
    if quantum_m > 0.0:
        reading = quantum_m * np.rint(reading / quantum_m)
    return reading
