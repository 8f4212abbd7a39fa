"""Call the C low-pass filter of the wind (``c/bw_mean_wind.h``), used by teachers and guidance."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.host_compiler import load_host_library
from bytewing.policies.guidance.kind import C_FOLDER, SHARED_SOURCES
from bytewing.sim.senses import SENSES_SIZE

SOURCES = (*SHARED_SOURCES, C_FOLDER / "bw_mean_wind.h", C_FOLDER / "bw_mean_wind.c")


class MeanWindStruct(ctypes.Structure):
    """``bw_mean_wind_t``."""

    _fields_ = (("wind", ctypes.c_float * 2), ("started", ctypes.c_int32))


class MeanWind:
    """The mean wind, low-passed, float32."""

    def __init__(self) -> None:
        self._library = load_host_library(SOURCES)
        self._mean = MeanWindStruct()
        self._upwind = (ctypes.c_float * 2)()
        self._senses = np.zeros(SENSES_SIZE, np.float32)

    @property
    def wind(self) -> tuple[float, float]:
        """East and north, m/s; still air before the first reading."""
        east, north = self._mean.wind
        return east, north

    def update(self, senses: NDArray[np.float32]) -> tuple[float, float]:
        """Filter a reading (SENSES_SIZE,); return the unit vector upwind, west in still air."""
        self._senses[:] = senses
        self._library.bw_mean_wind_update(
            ctypes.byref(self._mean), ctypes.c_void_p(self._senses.ctypes.data), self._upwind
        )
        east, north = self._upwind
        return east, north
