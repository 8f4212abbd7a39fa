"""Inertial unit: a Bosch BMI088 at 1 kHz, filtered as in the Crazyflie's firmware.

Per axis: reading = low_pass(truth + bias + noise). Before take-off the drone stands still, and the
firmware averages the gyro's bias away and scales the accelerometer to read 1 g; what stays is the
change of the gyro's bias afterwards and the accelerometer's tilt. Rounding to 16 bits (0.06 deg/s,
0.7 mg) is left out, being a fraction of the noise of a sample.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.sim.compiled import compiled
from bytewing.sim.noise import standard_normal

Vector = NDArray[np.float64]
NonNegative = Annotated[float, Field(ge=0)]

STANDARD_GRAVITY_M_S2 = 9.80665  # what "g" means in a data sheet


class GyroConfig(Config):
    """The gyroscope of the BMI088 (data sheet BST-BMI088-DS001).

    Attributes:
        noise_density_deg_s_rthz: 0.014 deg/s/sqrt(Hz), data sheet.
        bias_deg_s: standard deviation of what is left of the bias after the calibration at rest;
            assumed: 3 K of warming up at the data sheet's 0.015 deg/s/K.
        bias_walk_deg_s_rts: growth of the bias, deg/s a root second; assumed (the data sheet gives
            a stability of 2 deg/h, which is less).
        low_pass_hz: the firmware's filter (sensors_bmi088_bmp3xx.c, GYRO_LPF_CUTOFF_FREQ).
    """

    noise_density_deg_s_rthz: NonNegative = 0.014
    bias_deg_s: NonNegative = 0.05
    bias_walk_deg_s_rts: NonNegative = 0.001
    low_pass_hz: Annotated[float, Field(gt=0, lt=500)] = 80.0


class AccelerometerConfig(Config):
    """The accelerometer of the BMI088 (data sheet BST-BMI088-DS001).

    Attributes:
        noise_density_mg_rthz: 0.175 mg/sqrt(Hz), data sheet (x and y 0.16, z 0.19).
        bias_mg: standard deviation of the zero-g offset. The data sheet's typical 20 mg would tilt
            "level" by 1.1 deg; who flies trims that away (roll and pitch trim of Bitcraze's
            client), and a quarter of it is assumed to stay.
        low_pass_hz: the firmware's filter (sensors_bmi088_bmp3xx.c, ACCEL_LPF_CUTOFF_FREQ).
    """

    noise_density_mg_rthz: NonNegative = 0.175
    bias_mg: NonNegative = 5.0
    low_pass_hz: Annotated[float, Field(gt=0, lt=500)] = 30.0


def low_pass_coefficients(cutoff_hz: float, rate_hz: float) -> tuple[float, float, float]:
    """Return (b0, a1, a2) of a second-order Butterworth low pass, bilinear transform.

    The firmware's ``filter.c`` uses the same: y = b0 (x + 2 x' + x'') - a1 y' - a2 y''.
    """
    warped = math.tan(math.pi * cutoff_hz / rate_hz)
    scale = 1 + math.sqrt(2) * warped + warped**2
    return (
        warped**2 / scale,
        2 * (warped**2 - 1) / scale,
        (1 - math.sqrt(2) * warped + warped**2) / scale,
    )


@compiled
def settle(memory: Vector, at: int, b0: float, a2: float, value: float) -> None:
    """Set one filter's two cells, from ``at`` on, to a past of nothing but ``value``."""
    memory[at] = value * (1.0 - b0)
    memory[at + 1] = value * (b0 - a2)


@compiled
def low_passed(memory: Vector, at: int, b0: float, a1: float, a2: float, value: float) -> float:
    """Return the filter's next output; its two cells are ``memory[at]`` and ``memory[at + 1]``."""
    output: float = b0 * value + memory[at]
    memory[at] = 2.0 * b0 * value - a1 * output + memory[at + 1]
    memory[at + 1] = b0 * value - a2 * output
    return output


@compiled
def noisy(truth: float, bias: float, noise: float, key: np.uint64, index: int) -> float:
    """Return one raw sample: what is true, off by the bias and by noise of that deviation."""
    if noise > 0.0:
        return truth + bias + noise * standard_normal(key, index)
    return truth + bias
