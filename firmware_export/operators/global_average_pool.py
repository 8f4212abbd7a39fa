"""The operator GlobalAveragePool: mean of each channel over the whole image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bytewing.firmware_export.c_text import literal
from bytewing.firmware_export.kernel_use import Call, KernelUse, Site
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.rounding import saturate
from bytewing.firmware_export.tensor import Int8s

F32 = np.float32


@dataclass(frozen=True, eq=False)
class GlobalAveragePool(Operator):
    """``rint(f32(sum(x - zero_x)) * multiplier) + zero_point``."""

    onnx_types = ("GlobalAveragePool",)

    multiplier: np.float32

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """See ``Operator``."""
        x = node.input()
        height, width, channels = x.shape
        y = node.output((1, 1, channels))
        multiplier = x.scale / (y.scale * F32(height * width))
        node.require_reach(255.0 * height * width * float(multiplier))
        return [cls(node.name, (x,), y, multiplier)]

    def run(self, values: Sequence[Int8s]) -> Int8s:
        """See ``Operator``."""
        centred = values[0].astype(np.int32) - self.inputs[0].zero_point
        sums = centred.sum(axis=(1, 2), keepdims=True).astype(F32)
        return saturate(np.rint(sums * self.multiplier) + F32(self.output.zero_point))

    def kernel_use(self, site: Site) -> KernelUse:
        """See ``Operator``."""
        x, y = self.inputs[0], self.output
        height, width, channels = x.shape
        call = Call.of(
            "bw_global_average_pool",
            f"/* pixels */ {height * width}, /* channels */ {channels}, {site.address(x)}",
            f"/* zero point of the input */ {x.zero_point}, {literal(self.multiplier)}",
            f"/* zero point of the output */ {y.zero_point}, {site.address(y)}",
        )
        return KernelUse("pool.h", (call,))
