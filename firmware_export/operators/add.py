"""The operator Add: sum of two tensors of equal shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bytewing.firmware_export.c_text import literal
from bytewing.firmware_export.kernel_use import Call, KernelUse, Site
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.rounding import fma32, saturate
from bytewing.firmware_export.tensor import Int8s, Tensor

F32 = np.float32


@dataclass(frozen=True, eq=False)
class Add(Operator):
    """``rint(fma(ratio_a, a, fma(ratio_b, b, offset)))``.

    Attributes:
        ratio_a: float32, scale of the first input over the output's.
        ratio_b: the same for the second.
        offset: float32, ``zero_point - fma(ratio_a, zero_a, ratio_b * zero_b)``.
    """

    onnx_types = ("Add",)

    ratio_a: np.float32
    ratio_b: np.float32
    offset: np.float32

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """See ``Operator``."""
        a, b = node.pair()
        y = node.output(a.shape)
        ratio_a, ratio_b = a.scale / y.scale, b.scale / y.scale
        zero_a, zero_b = F32(a.zero_point), F32(b.zero_point)
        offset = F32(y.zero_point) - F32(fma32(ratio_a, zero_a, ratio_b * zero_b))
        node.require_reach(256 * (float(ratio_a) + float(ratio_b)) + 128)
        return [cls(node.name, (a, b), y, ratio_a, ratio_b, offset)]

    def run(self, values: Sequence[Int8s]) -> Int8s:
        """See ``Operator``."""
        a, b = values
        inner = fma32(self.ratio_b, b.astype(F32), self.offset)
        return saturate(np.rint(fma32(self.ratio_a, a.astype(F32), inner)))

    def kernel_use(self, site: Site) -> KernelUse:
        """See ``Operator``."""
        a, b = self.inputs
        call = Call.of(
            "bw_add",
            f"{a.size}, {site.address(a)}, {site.address(b)}",
            f"{literal(self.ratio_a)}, {literal(self.ratio_b)}, {literal(self.offset)}",
            site.address(self.output),
        )
        return KernelUse("elementwise.h", (call,))

    def row_overlap(self, x: Tensor) -> int | None:
        """Each value is written where it was read."""
        return 0
