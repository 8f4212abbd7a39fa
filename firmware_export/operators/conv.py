"""The operator Conv: dense, grouped or depthwise convolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bytewing.firmware_export.c_text import Array
from bytewing.firmware_export.kernel_use import NO_ARRAY, Call, KernelUse, Site
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.operators.weighted_sums import WeightedSum, interleave, read_rescale
from bytewing.firmware_export.tensor import Int8s, Tensor
from bytewing.firmware_export.windows import Window, read_window, window_shape


@dataclass(frozen=True, eq=False)
class Conv(WeightedSum):
    """Convolution; ``weights`` are (O, KH, KW, I / groups).

    Attributes:
        window: kernel, strides, pads, dilations.
        groups: number of channel groups.
    """

    onnx_types = ("Conv",)

    window: Window
    groups: int

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """See ``Operator``."""
        x = node.input()
        weights, quantisation = node.weight(1, np.int8)
        if weights.ndim != 4:
            node.fail("only two-dimensional convolutions are supported")
        groups = int(node.attribute("group", 1))
        if weights.shape[1] * groups != x.shape[2] or len(weights) % groups:
            node.fail(f"weights {weights.shape} do not fit {x.shape[2]} channels")
        window = read_window(node, weights.shape[2:])
        y = node.output(window_shape(node, x, window, len(weights)))
        bias, multiplier = read_rescale(node, weights, quantisation, x, y, axis=0)
        taps_last = np.ascontiguousarray(weights.transpose(0, 2, 3, 1))
        return [cls(node.name, (x,), y, taps_last, bias, multiplier, window, groups)]

    @property
    def is_depthwise(self) -> bool:
        """Whether every output channel sees exactly its own input channel."""
        return self.groups > 1 and self.weights.shape[3] == 1 and self.groups == len(self.weights)

    def run(self, values: Sequence[Int8s]) -> Int8s:
        """See ``Operator``."""
        exact = self.exact_type()
        centred = values[0].astype(exact) - self.inputs[0].zero_point
        weights, bias = self.weights.astype(exact), self.bias.astype(exact)
        taps = list(self.window.taps(centred, 0, self.output.shape))
        if self.is_depthwise:
            flat = weights.reshape(len(weights), -1)
            sums = sum((tap * flat[:, k] for k, tap in enumerate(taps)), start=bias)
            return self.requantised(np.asarray(sums))
        columns = np.stack(taps, axis=3)  # (N, h, w, KH*KW, C)
        per_group_in = weights.shape[3]
        per_group_out = len(weights) // self.groups
        parts = []
        for group in range(self.groups):
            ins = columns[..., group * per_group_in : (group + 1) * per_group_in]
            outs = weights[group * per_group_out : (group + 1) * per_group_out]
            parts.append(ins.reshape(*ins.shape[:3], -1) @ outs.reshape(per_group_out, -1).T)
        return self.requantised(np.concatenate(parts, axis=3) + bias)

    def kernel_use(self, site: Site) -> KernelUse:
        """See ``Operator``."""
        x, y = self.inputs[0], self.output
        zero_point = 0 if site.on_frame else x.zero_point
        flat = self.weights.reshape(len(self.weights), -1)
        packed = flat.T.reshape(-1) if self.is_depthwise else interleave(flat, self.groups)
        arrays = self.arrays(site.function, packed, zero_point)
        names = ", ".join(array.name for array in arrays)
        outside = NO_ARRAY
        if any(self.window.pads):
            padding = Array(f"{site.function}_outside", np.full(x.shape[2], zero_point, np.int8))
            arrays, outside = (*arrays, padding), padding.name
        declarations = [self.window.declaration(x, y)]
        ends = (names, f"/* zero point of the output */ {y.zero_point}, {site.address(y)}")
        if self.is_depthwise:
            declarations.append(f"const int8_t *taps[{flat.shape[1]}];")
            first = f"window, {outside}, taps, {site.address(x)}"
            kernel, call = "depthwise.h", Call.of("bw_depthwise", first, *ends)
        else:
            modes = f"/* groups */ {self.groups}, /* uint8 input */ {int(site.on_frame)}"
            first = f"window, {modes}, {outside}"
            places = f"{site.working_memory}, {site.address(x)}"
            kernel, call = "conv.h", Call.of("bw_conv", first, places, *ends)
        return KernelUse(kernel, (call,), arrays, tuple(declarations))

    @property
    def macs(self) -> int:
        """See ``Operator``."""
        height, width, _ = self.output.shape
        return height * width * self.weights.size

    @property
    def working_bytes(self) -> int:
        """The window's rows, padded, as int16 (``conv_dsp.h``)."""
        if self.is_depthwise:
            return 0
        width = self.window.row_pixels(self.output.shape[1])
        return 2 * self.window.kernel[0] * width * self.inputs[0].shape[2]

    @property
    def reads_frame(self) -> bool:
        """A dense convolution can: planes and interleaved pixels of one channel are the same."""
        return not self.is_depthwise

    def row_overlap(self, x: Tensor) -> int | None:
        """See ``Operator``."""
        return self.window.row_overlap(x, self.output)
