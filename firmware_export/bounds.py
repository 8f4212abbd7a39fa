"""Bound the sums of a layer, to keep them in the range where int32 and float32 are exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytewing.firmware_export.tensor import Int8s, Int32s

# int32 sums, and every partial sum of them, must not overflow.
SUM_LIMIT = 2**31
# Adding 1.5 * 2^23 rounds a float32 half to even while its magnitude stays below 2^22.
ROUNDING_LIMIT = 2.0**22 - 1
# float32 and float64 hold every integer up to these, so sums below them are exact in any order.
FLOAT32_EXACT = 2**24
FLOAT64_EXACT = 2**53


def largest_sum(weights: Int8s, bias: Int32s) -> NDArray[np.int64]:
    """Return a bound per output channel on every partial sum a layer can meet, (O,) int64.

    One step of a sum is at most 255 |w| with the zero point removed from the input; where the C
    folds the zero point z into the bias, at most |z| + 128 <= 256 times |w| in all.
    """
    magnitudes = np.abs(weights.astype(np.int64)).reshape(len(weights), -1).sum(axis=1)
    return np.asarray(np.abs(bias.astype(np.int64)) + 256 * magnitudes)
