"""Which way is upwind: the mean of the wind as the drone estimates it."""

from __future__ import annotations

import numpy as np

from support.oracle.downwind import WIND_MAX_M_S
from support.oracle.float32 import F32, TINY, Vector, clamp, norm

# Low-pass factor a of ``y += a * (x - y)``: a time constant of 2 s at 25 Hz, long against the
# anemometer's noise and short against what swings a plume.
WIND_SMOOTHING = F32(0.02)


class WindVane:
    """The mean wind, low-passed, float32."""

    def __init__(self) -> None:
        self._wind: Vector | None = None

    @property
    def wind(self) -> Vector:
        """East and north, m/s; still air before the first reading."""
        return self._wind or (F32(0), F32(0))

    def turn(self, east: np.float32, north: np.float32) -> Vector:
        """Take in a reading of the wind; return the unit vector upwind, west in still air."""
        east = clamp(east, -WIND_MAX_M_S, WIND_MAX_M_S)
        north = clamp(north, -WIND_MAX_M_S, WIND_MAX_M_S)
        if self._wind is None:
            self._wind = east, north
        else:
            mean_east, mean_north = self._wind
            self._wind = (
                mean_east + WIND_SMOOTHING * (east - mean_east),
                mean_north + WIND_SMOOTHING * (north - mean_north),
            )
        speed = norm(*self._wind)
        if speed < TINY:
            return -F32(1), F32(0)
        return -self._wind[0] / speed, -self._wind[1] / speed
