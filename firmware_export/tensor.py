"""An int8 activation tensor with its quantisation, and the array types of the integer code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int8s = NDArray[np.int8]
Int32s = NDArray[np.int32]
Float32s = NDArray[np.float32]

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Tensor:
    """An int8 activation: ``real = scale * (q - zero_point)``.

    It lies in memory as (height, width, channels); a vector is (1, 1, channels).

    Attributes:
        name: the ONNX name of its quantised value, unique in a network.
        shape: (height, width, channels).
        scale: positive float32.
        zero_point: in [-128, 127].
    """

    name: str
    shape: Shape
    scale: np.float32
    zero_point: int

    @property
    def size(self) -> int:
        """Number of elements, which is also its size in bytes."""
        height, width, channels = self.shape
        return height * width * channels

    def means_the_same_as(self, other: Tensor) -> bool:
        """Whether equal int8 values of both tensors are equal real values."""
        return self.scale == other.scale and self.zero_point == other.zero_point
