"""float32 steps that NumPy lacks: a fused multiply-add with one rounding, and saturation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.firmware_export.tensor import Int8s


def fma32(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> NDArray[np.float32]:
    """Return ``a * b + c`` of float32 values, rounded once, as a hardware FMA does.

    The product of two float32 is exact in float64. Their sum with ``c`` is rounded *to odd* there:
    rounding that to float32 afterwards cannot round twice (Boldo and Melquiond, "Emulation of FMA
    and correctly rounded sums: proved algorithms using rounding to odd", IEEE TC 57(4), 2008).

    >>> float(fma32(np.float32(1 + 2**-23), np.float32(1 - 2**-23), np.float32(-1)))
    -1.4210854715202004e-14
    """
    product = np.asarray(a, np.float64) * np.asarray(b, np.float64)
    addend = np.asarray(c, np.float64)
    total = np.atleast_1d(product + addend)
    # Knuth's TwoSum gives what the addition lost.
    virtual = total - product
    lost = np.atleast_1d((product - (total - virtual)) + (addend - virtual))
    even = (total.view(np.int64) & 1) == 0
    towards = np.where(lost > 0, np.inf, -np.inf)
    odd = np.where((lost != 0) & even, np.nextafter(total, towards), total)
    return odd.astype(np.float32).reshape(np.shape(product + addend))


def saturate(values: NDArray[np.floating]) -> Int8s:
    """Return rounded float values as int8, values beyond its range at its ends."""
    return np.asarray(np.clip(values, -128, 127), np.int8)
