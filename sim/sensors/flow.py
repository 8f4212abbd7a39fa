"""Optical flow sensor: a PixArt PMW3901 that looks down, read at 100 Hz.

It counts how far the ground has moved across its 35 pixels since it was last read. With v the
body's velocity, w its rates and d the distance to the ground along the optical axis, the angle it
counts is the time integral of v_x / d - w_y to the front and of v_y / d + w_x to the left (the
model of the firmware's ``mm_flow.c``). The ground is taken as flat and textured: PixArt's part
loses track over a bare floor, and that is not modelled.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from bytewing.foundation.config import Config
from bytewing.sim.compiled import compiled
from bytewing.sim.noise import standard_normal
from bytewing.sim.sensors.imu import NonNegative

# crazyflie-firmware, mm_flow.c: 35 pixels over 0.71674 rad, counted in tenths of a pixel.
COUNTS_PER_RAD = 35.0 / 0.71674 / 0.1
DISTANCE_MIN_M = 0.08  # data sheet: works from 80 mm upwards


class FlowConfig(Config):
    """The flow sensor.

    Attributes:
        rate_hz: of the driver (flowdeck_v1v2.c: a reading every 10 ms).
        noise_counts: standard deviation of a reading; 2 counts is what the firmware's filter takes
            (flowdeck_v1v2.c, flowStdFixed).
        quantum_counts: a reading is a whole multiple of this; the rest waits for the next reading.
    """

    rate_hz: Annotated[float, Field(gt=0)] = 100.0
    noise_counts: NonNegative = 2.0
    quantum_counts: NonNegative = 1.0


@compiled
def counted(
    moved: float, noise: float, quantum: float, key: np.uint64, index: int
) -> tuple[float, float]:
    """Return what is read of ``moved`` counts, and what is left over for the next reading."""
    seen = moved
    if noise > 0.0:
        seen += noise * standard_normal(key, index)
    if quantum > 0.0:
        reading = quantum * np.rint(seen / quantum)
        return reading, seen - reading
    return seen, 0.0
