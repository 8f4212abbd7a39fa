"""Make the network input ``scent``: a picture of the gas and wind readings of the last seconds.

``c/bw_scent.h`` describes the picture; ``c/bw_scent.c`` makes it, here and in exported code.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.host_compiler import load_host_library
from bytewing.policies.guidance.mean_wind import SOURCES as MEAN_WIND_SOURCES
from bytewing.policies.guidance.mean_wind import MeanWindStruct
from bytewing.sim.senses import SENSES_SIZE

ROWS = 6
COLUMN_STEPS = 5
STEP_S = 0.04  # between two readings of the senses; a column is 0.2 s

SOURCES = (
    *MEAN_WIND_SOURCES,
    Path(__file__).parent / "c" / "bw_scent.h",
    Path(__file__).parent / "c" / "bw_scent.c",
)
SENSES_READ = ("position_m", "gas_resistance", "wind_m_s")


class ScentStruct(ctypes.Structure):
    """``bw_scent_t``."""

    _fields_ = (
        ("mean_wind", MeanWindStruct),
        ("started", ctypes.c_int32),
        ("readings", ctypes.c_int32),
        ("sum", ctypes.c_float * 3),
        ("resistance", ctypes.c_float),
        ("position", ctypes.c_float * 2),
    )


class ScentHistory:
    """The columns of a flight so far, for the network (``bytewing.policies.network_inputs``)."""

    needs_frames = False

    def __init__(self, columns: int) -> None:
        """Make an empty picture.

        Args:
            columns: T, the number of columns of the picture.
        """
        self._library = load_host_library(SOURCES)
        self._scent = ScentStruct()
        self._senses = np.zeros(SENSES_SIZE, np.float32)
        self._picture = np.zeros((1, ROWS, columns), np.uint8)
        self._arguments = (
            ctypes.byref(self._scent),
            ctypes.c_void_p(self._senses.ctypes.data),
            ctypes.c_void_p(self._picture.ctypes.data),
            ctypes.c_int32(columns),
        )
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._library.bw_scent_reset(ctypes.byref(self._scent))

    def push(
        self, frame: NDArray[np.uint8] | None, senses: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        """Add senses (SENSES_SIZE,) to the history and return the network input (1, ROWS, T).

        Columns before the first reading repeat the first column. ``frame`` is ignored.
        """
        self._senses[:] = senses
        self._library.bw_scent_update(*self._arguments)
        return self._picture.copy()


def scent_pictures(senses: NDArray[np.float32], columns: int) -> NDArray[np.uint8]:
    """Return the network inputs (M, 1, ROWS, columns) of a flight's senses (M, SENSES_SIZE)."""
    history = ScentHistory(columns)
    return np.array([history.push(None, row) for row in senses])
