"""The typed integer graph: what the reference computes, the planner places and the C is made of.

Every tensor is int8 with one scale and zero point, laid out (H, W, C), a vector as (1, 1, C). All
layers mean what ``reference.py`` does with them; each float32 constant a layer needs is computed
once, at import, so that the reference and the C cannot disagree about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int8s = NDArray[np.int8]
Int32s = NDArray[np.int32]
Float32s = NDArray[np.float32]


@dataclass(frozen=True)
class Tensor:
    """An int8 activation: ``real = scale * (q - zero_point)``.

    Attributes:
        name: the ONNX name of its quantised value.
        shape: (height, width, channels).
        scale: positive float32.
        zero_point: in [-128, 127].
    """

    name: str
    shape: tuple[int, int, int]
    scale: np.float32
    zero_point: int

    @property
    def size(self) -> int:
        """Number of elements, which is also its size in bytes."""
        height, width, channels = self.shape
        return height * width * channels


@dataclass(frozen=True)
class Window:
    """How a kernel slides over an image: heights first, widths second.

    Attributes:
        kernel: (rows, columns) of taps.
        strides: (down, right) in input pixels.
        pads: (top, left, bottom, right) in input pixels.
        dilations: (down, right) distance between taps in input pixels.
    """

    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return (height, width) of what the window makes of an image."""
        top, left, bottom, right = self.pads
        reach_h = (self.kernel[0] - 1) * self.dilations[0] + 1
        reach_w = (self.kernel[1] - 1) * self.dilations[1] + 1
        return (
            (height + top + bottom - reach_h) // self.strides[0] + 1,
            (width + left + right - reach_w) // self.strides[1] + 1,
        )


@dataclass(frozen=True, eq=False)
class Layer:
    """One operator.

    Attributes:
        name: the ONNX node's name, for people.
        inputs: names of the tensors it reads.
        output: name of the tensor it writes.
    """

    name: str
    inputs: tuple[str, ...]
    output: str

    @property
    def kind(self) -> str:
        """The operator's name as it stands in function names and reports."""
        return type(self).__name__.lower()


@dataclass(frozen=True, eq=False)
class Conv(Layer):
    """Convolution, dense, grouped or depthwise, requantised by one multiplier per channel.

    Attributes:
        weights: (O, KH, KW, I / groups) int8, zero point 0.
        bias: (O,) int32 at scale ``input * weight``.
        multiplier: (O,) float32, ``(input * weight) / output`` scale.
        window: kernel, strides, pads, dilations.
        groups: number of channel groups.
    """

    weights: Int8s
    bias: Int32s
    multiplier: Float32s
    window: Window
    groups: int

    @property
    def is_depthwise(self) -> bool:
        """Whether every output channel sees exactly its own input channel."""
        return self.groups > 1 and self.weights.shape[3] == 1 and self.groups == len(self.weights)


@dataclass(frozen=True, eq=False)
class Gemm(Layer):
    """Fully connected layer.

    Attributes:
        weights: (O, I) int8, zero point 0, columns in the input tensor's (H, W, C) order.
        bias: (O,) int32 at scale ``input * weight``.
        multiplier: (O,) float32, ``(input * weight) / output`` scale.
    """

    weights: Int8s
    bias: Int32s
    multiplier: Float32s


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """Sum of two tensors of one shape: ``rint(fma(ra, a, fma(rb, b, offset)))``.

    Attributes:
        ratio_a: float32, scale of the first input over the output's.
        ratio_b: the same for the second.
        offset: float32, ``zero_point - fma(ra, za, rb * zb)``.
    """

    ratio_a: np.float32
    ratio_b: np.float32
    offset: np.float32


@dataclass(frozen=True, eq=False)
class Mul(Layer):
    """Product of two tensors of one shape: ``rint(f32((a - za) * (b - zb)) * multiplier + z)``."""

    multiplier: np.float32


@dataclass(frozen=True, eq=False)
class MaxPool(Layer):
    """Largest value under the window; the scale does not change."""

    window: Window


@dataclass(frozen=True, eq=False)
class AveragePool(Layer):
    """Mean under the window, as float32 sums in row-major order.

    Attributes:
        window: kernel, strides, pads; dilations are 1.
        count_pads: whether padding counts in the divisor.
    """

    window: Window
    count_pads: bool


@dataclass(frozen=True, eq=False)
class GlobalAveragePool(Layer):
    """Mean of each channel: ``rint(f32(sum(x - zx)) * multiplier) + z``."""

    multiplier: np.float32


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """Channels of all inputs side by side.

    Attributes:
        tables: one per input: (256,) int8 requantisation indexed by ``q + 128``; None for a copy.
    """

    tables: tuple[Int8s | None, ...]


@dataclass(frozen=True, eq=False)
class Table(Layer):
    """Any function of one value: (256,) int8 indexed by ``q + 128``.

    Attributes:
        table: the 256 answers.
        function: its name, such as ``sigmoid``.
    """

    table: Int8s
    function: str

    @property
    def kind(self) -> str:
        """The function's name says more than "table"."""
        return self.function


@dataclass(frozen=True, eq=False)
class Flatten(Layer):
    """Reorder (H, W, C) into a vector in (C, H, W) order, which is how ONNX flattens."""


@dataclass(frozen=True)
class Graph:
    """A network: layers in an order in which they can be executed.

    Attributes:
        tensors: every tensor by name.
        layers: the operators.
        input: name of the camera tensor: zero point -128, scale 1/255, so that its int8 value is
            the camera's uint8 minus 128.
        outputs: names of the output tensors, in the order of the ONNX outputs; each a vector, or a
            map of one channel, which lies in memory as the vector does.
        sha256: of the ONNX file it was read from.
    """

    tensors: Mapping[str, Tensor]
    layers: tuple[Layer, ...]
    input: str
    outputs: tuple[str, ...]
    sha256: str

    def consumers(self, tensor: str) -> tuple[Layer, ...]:
        """Return the layers that read ``tensor``."""
        return tuple(layer for layer in self.layers if tensor in layer.inputs)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference, as the weights' use (padding included)."""
        return sum(layer_macs(self, layer) for layer in self.layers)


def layer_macs(graph: Graph, layer: Layer) -> int:
    """Return the multiply-accumulates of one layer; 0 for what has no weights."""
    if isinstance(layer, Conv):
        height, width, _ = graph.tensors[layer.output].shape
        return height * width * layer.weights.size
    return layer.weights.size if isinstance(layer, Gemm) else 0
