"""The operator Mul: product of two tensors of equal shape."""

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

F32 = np.float32


@dataclass(frozen=True, eq=False)
class Mul(Operator):
    """``rint(f32((a - zero_a) * (b - zero_b)) * multiplier + zero_point)``."""

    onnx_types = ("Mul",)

    multiplier: np.float32

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """See ``Operator``."""
        a, b = node.pair()
        y = node.output(a.shape)
        multiplier = (a.scale * b.scale) / y.scale
        node.require_reach(255.0 * 255.0 * float(multiplier) + 128)
        return [cls(node.name, (a, b), y, multiplier)]

    def run(self, values: Sequence[Int8s]) -> Int8s:
        """See ``Operator``."""
        zero_a, zero_b = (tensor.zero_point for tensor in self.inputs)
        a, b = (value.astype(np.int32) for value in values)
        product = ((a - zero_a) * (b - zero_b)).astype(F32)
        return saturate(np.rint(product * self.multiplier + F32(self.output.zero_point)))

    def kernel_use(self, site: Site) -> KernelUse:
        """See ``Operator``."""
        (a, b), y = self.inputs, self.output
        call = Call.of(
            "bw_mul",
            f"{a.size}, {site.address(a)}, {site.address(b)}",
            f"/* zero points */ {a.zero_point}, {b.zero_point}",
            f"{literal(self.multiplier)}, {literal(y.zero_point)}, {site.address(y)}",
        )
        return KernelUse("elementwise.h", (call,))

    def row_overlap(self, x: Tensor) -> int | None:
        """Each value is written where it was read."""
        return 0
