"""Define sliding windows: their shape in ONNX, NumPy and C, and the rows that they read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.rendering import render
from bytewing.firmware_export.tensor import Shape, Tensor

ScalarT = TypeVar("ScalarT", bound=np.generic)


@dataclass(frozen=True)
class Window:
    """Geometry of a sliding window; every pair has the vertical value first.

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
        """Return (height, width) of the output for an image."""
        top, left, bottom, right = self.pads
        reach_h = (self.kernel[0] - 1) * self.dilations[0] + 1
        reach_w = (self.kernel[1] - 1) * self.dilations[1] + 1
        return (
            (height + top + bottom - reach_h) // self.strides[0] + 1,
            (width + left + right - reach_w) // self.strides[1] + 1,
        )

    def row_pixels(self, output_width: int) -> int:
        """Return how many pixels of a padded input row a row of the output reads."""
        taps = (self.kernel[1] - 1) * self.dilations[1] + 1
        return (output_width - 1) * self.strides[1] + taps

    def row_overlap(self, x: Tensor, y: Tensor) -> int:
        """Return how many bytes below ``x`` a layer's output ``y`` must start to share its bytes.

        The layer works row by row and needs, for row r, no input rows above the window's first.
        """
        row_in, row_out = x.shape[1] * x.shape[2], y.shape[1] * y.shape[2]
        distance = 0
        for row in range(y.shape[0]):
            low = min(max(row * self.strides[0] - self.pads[0], 0), x.shape[0])
            distance = max(distance, (row + 1) * row_out - low * row_in)
        return distance

    def taps(self, values: NDArray[ScalarT], fill: float, out: Shape) -> Iterator[NDArray[ScalarT]]:
        """Yield the inputs (N, h, w, C) of each tap, in row-major order of the taps.

        Args:
            values: (N, H, W, C) inputs.
            fill: value of the padding.
            out: shape of the output; its height and width are used.
        """
        top, left, bottom, right = self.pads
        padded = np.pad(
            values, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill
        )
        for tap_y in range(self.kernel[0]):
            for tap_x in range(self.kernel[1]):
                y0, x0 = tap_y * self.dilations[0], tap_x * self.dilations[1]
                y1 = y0 + (out[0] - 1) * self.strides[0] + 1
                x1 = x0 + (out[1] - 1) * self.strides[1] + 1
                yield padded[:, y0 : y1 : self.strides[0], x0 : x1 : self.strides[1]]

    def declaration(self, x: Tensor, y: Tensor) -> str:
        """Return the C of ``window``, the struct that kernels take, for a layer from x to y."""
        return render("window.c.jinja", window=self, x=x, y=y).rstrip("\n")


def read_window(node: OnnxNode, kernel: Sequence[int]) -> Window:
    """Return the window that a node's attributes describe.

    Args:
        node: a convolution or pooling.
        kernel: (rows, columns) of taps.

    Raises:
        BadInputError: not two-dimensional, automatic padding, or numbers that make no sense.
    """
    if node.attribute("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        node.fail("auto_pad is not supported; give pads")
    if node.attribute("ceil_mode", 0):
        node.fail("ceil_mode is not supported")
    if len(kernel) != 2:
        node.fail("only two-dimensional windows are supported")
    pads = tuple(node.attribute("pads", [0, 0, 0, 0]))
    strides = tuple(node.attribute("strides", [1, 1]))
    dilations = tuple(node.attribute("dilations", [1, 1]))
    if (len(pads), len(strides), len(dilations)) != (4, 2, 2):
        node.fail("needs four pads, two strides and two dilations")
    if min(*kernel, *strides, *dilations) < 1 or min(pads) < 0:
        node.fail("kernel, strides and dilations must be positive, pads not below 0")
    return Window((int(kernel[0]), int(kernel[1])), strides, pads, dilations)


def read_pool_window(node: OnnxNode) -> Window:
    """Return the window of a pooling node, as ``read_window``; pads must be smaller than it."""
    window = read_window(node, node.attribute("kernel_shape", []))
    top, left, bottom, right = window.pads
    if max(top, bottom) >= window.kernel[0] or max(left, right) >= window.kernel[1]:
        node.fail("pads must be smaller than the window")
    return window


def window_shape(node: OnnxNode, x: Tensor, window: Window, channels: int) -> Shape:
    """Return the output shape of a node that slides ``window`` over ``x``."""
    height, width = window.output_size(x.shape[0], x.shape[1])
    if height < 1 or width < 1:
        node.fail(f"its window is larger than its input {x.shape[:2]}")
    return height, width, channels
