"""Tabulate functions of one int8 value, with the arithmetic of onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytewing.firmware_export.rounding import saturate
from bytewing.firmware_export.tensor import Int8s, Tensor

F32 = np.float32
CODES = np.arange(-128, 128, dtype=np.int32)
Values = NDArray[np.floating[Any]]


def dequantise(x: Tensor) -> NDArray[np.float32]:
    """Return the real values of all 256 codes of ``x``, float32."""
    return (CODES - x.zero_point).astype(F32) * x.scale


def quantise(values: Values, y: Tensor) -> Int8s:
    """Return real values as codes of ``y``, in the precision of ``values``."""
    return saturate(np.rint(values / values.dtype.type(y.scale)) + y.zero_point)


def requantise(x: Tensor, y: Tensor) -> Int8s:
    """Return the table that takes values of ``x`` to the scale and zero point of ``y``, (256,)."""
    return quantise(dequantise(x), y)


def look_up(table: Int8s, values: Int8s) -> Int8s:
    """Return a table's answers, indexed by ``q + 128``, to int8 values of any shape."""
    return table[values.astype(np.int16) + 128]
