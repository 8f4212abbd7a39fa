"""What a network sees of scent and wind: the last seconds of the senses, as a picture.

A column is made every COLUMN_STEPS steps from the mean of the readings since the one before, the
newest on the right; its rows, each a byte:

    0  how far the resistance has fallen below that of clean air
    1  where it is bound for: the resistance plus its rate of change times the sensor's time
       constant, which undoes the sensor's lag (and amplifies its noise)
    2  the drone's own speed across the wind, left positive
    3  and upwind
    4  how much more the wind blows to the left now than on average
    5  the wind's speed

The arithmetic is float32 that C repeats bit for bit (``bytewing.policies.guidance``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import InputSpec
from support.oracle.downwind import WIND_MAX_M_S
from support.oracle.float32 import F32, Vector, clamp, norm
from support.oracle.gas import POSITION_MAX_M
from support.oracle.wind_vane import WindVane

ROWS = 6
COLUMN_STEPS = 5  # 0.2 s at 25 Hz

# Time constants of the sensor as published (TGS2611) over the time between columns.
RISE = F32(3.44 / 0.2)
FALL = F32(6.35 / 0.2)
# What a byte spans: speeds and gusts up to 0.6 and 1 m/s either way, winds up to 2.5 m/s, and
# resistances from 1.2 down to -0.4, where noise and the lag's undoing may lead.
SPEED_SCALE = F32(1 / 1.2)
GUST_SCALE = F32(0.5)
WIND_SCALE = F32(0.4)
BOUND_HIGH, BOUND_SCALE = F32(1.2), F32(0.625)
PER_S = F32(5)  # columns a second

# Where they are in ``Senses.packed``.
EAST, NORTH, GAS, WIND_EAST, WIND_NORTH = 0, 1, 11, 12, 13
# Bounds of what comes in, so that no input makes a NaN or an infinity.
GAS_MAX = F32(2)


class ScentHistory:
    """The columns of a flight so far, for the network (``bytewing.policies.inputs.look.Look``)."""

    needs_frames = False

    def __init__(self, size: InputSpec) -> None:
        self._columns = size.width_px
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._picture: NDArray[np.uint8] | None = None
        self._vane = WindVane()
        self._sum = [F32(0), F32(0), F32(0)]  # resistance, wind to the east and to the north
        self._count = 0
        self._last: Vector = (F32(0), F32(0), F32(0))  # resistance, position at the last column

    def push(
        self, frame: NDArray[np.uint8] | None, senses: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        """Return the network's input (1, ROWS, T) now that these senses (14,) have come.

        The first column stands in for what is before it. No frame is looked at.
        """
        gas = clamp(F32(senses[GAS]), F32(0), GAS_MAX)
        east = clamp(F32(senses[WIND_EAST]), -WIND_MAX_M_S, WIND_MAX_M_S)
        north = clamp(F32(senses[WIND_NORTH]), -WIND_MAX_M_S, WIND_MAX_M_S)
        up = self._vane.turn(east, north)
        at = (
            clamp(F32(senses[EAST]), -POSITION_MAX_M, POSITION_MAX_M),
            clamp(F32(senses[NORTH]), -POSITION_MAX_M, POSITION_MAX_M),
        )
        if self._picture is None:
            self._last = (gas, *at)
            column = self._column(gas, (east, north), at, up)
            self._picture = np.repeat(column[:, np.newaxis], self._columns, axis=1)
            return self._picture[np.newaxis]
        self._sum = [a + b for a, b in zip(self._sum, (gas, east, north), strict=True)]
        self._count += 1
        if self._count == COLUMN_STEPS:
            share = F32(1) / F32(COLUMN_STEPS)
            gas, east, north = (total * share for total in self._sum)
            column = self._column(gas, (east, north), at, up)
            self._picture = np.concatenate([self._picture[:, 1:], column[:, np.newaxis]], axis=1)
            self._sum, self._count = [F32(0), F32(0), F32(0)], 0
        return self._picture[np.newaxis]

    def _column(self, gas: np.float32, wind: Vector, at: Vector, up: Vector) -> NDArray[np.uint8]:
        half = F32(0.5)
        change = gas - self._last[0]
        bound = gas + (RISE if change < F32(0) else FALL) * change
        east, north = (at[0] - self._last[1]) * PER_S, (at[1] - self._last[2]) * PER_S
        self._last = (gas, *at)
        mean = self._vane.wind
        gust = (wind[1] - mean[1]) * up[0] - (wind[0] - mean[0]) * up[1]
        shares = (
            F32(1) - gas,
            (BOUND_HIGH - bound) * BOUND_SCALE,
            (north * up[0] - east * up[1]) * SPEED_SCALE + half,
            (east * up[0] + north * up[1]) * SPEED_SCALE + half,
            gust * GUST_SCALE + half,
            norm(*mean) * WIND_SCALE,
        )
        one, full = F32(1), F32(255)
        return np.array([int(clamp(s, F32(0), one) * full + half) for s in shares], np.uint8)


def scent_pictures(senses: NDArray[np.float32], size: InputSpec) -> NDArray[np.uint8]:
    """Return the network inputs (M, 1, ROWS, T) of a flight's senses (M, 14)."""
    history = ScentHistory(size)
    return np.array([history.push(None, row) for row in senses])
