"""The operator AveragePool: mean of each channel over a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bytewing.firmware_export.c_text import literal
from bytewing.firmware_export.kernel_use import Call, KernelUse, Site
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.rounding import saturate
from bytewing.firmware_export.tensor import Int8s, Tensor
from bytewing.firmware_export.windows import Window, read_pool_window, window_shape

F32 = np.float32


@dataclass(frozen=True, eq=False)
class AveragePool(Operator):
    """Mean under the window, as float32 sums in row-major order.

    Attributes:
        window: kernel, strides, pads; dilations are 1.
        count_pads: whether padding counts in the divisor.
    """

    onnx_types = ("AveragePool",)

    window: Window
    count_pads: bool

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """See ``Operator``."""
        x = node.input()
        window = read_pool_window(node)
        if window.dilations != (1, 1):
            node.fail("dilated average pooling is not supported")
        y = node.output(window_shape(node, x, window, x.shape[2]))
        node.require_reach(256 * float(x.scale) / float(y.scale) + 128)
        count_pads = bool(node.attribute("count_include_pad", 0))
        return [cls(node.name, (x,), y, window, count_pads)]

    def run(self, values: Sequence[Int8s]) -> Int8s:
        """See ``Operator``."""
        x, y, q = self.inputs[0], self.output, values[0]
        real = (q.astype(np.int32) - x.zero_point).astype(F32) * x.scale
        total = np.zeros((len(q), *y.shape), F32)
        for tap in self.window.taps(real, 0, y.shape):
            total = total + tap
        if self.count_pads:
            count = np.array(self.window.kernel[0] * self.window.kernel[1], F32)
        else:
            ones = np.ones((1, *x.shape), F32)
            count = np.sum(list(self.window.taps(ones, 0, y.shape)), axis=0, dtype=F32)
        return saturate(np.rint(total / count / y.scale + F32(y.zero_point)))

    def kernel_use(self, site: Site) -> KernelUse:
        """See ``Operator``."""
        x, y = self.inputs[0], self.output
        call = Call.of(
            "bw_average_pool",
            f"window, /* count pads */ {int(self.count_pads)}, {site.address(x)}",
            f"/* input */ {x.zero_point}, {literal(x.scale)}",
            f"/* output */ {literal(y.scale)}, {literal(y.zero_point)}, {site.address(y)}",
        )
        return KernelUse("pool.h", (call,), declarations=(self.window.declaration(x, y),))

    def row_overlap(self, x: Tensor) -> int | None:
        """See ``Operator``."""
        return self.window.row_overlap(x, self.output)
