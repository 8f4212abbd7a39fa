"""The operator Gemm: a fully connected layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bytewing.firmware_export.kernel_use import Call, KernelUse, Site
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.operators.weighted_sums import WeightedSum, interleave, read_rescale
from bytewing.firmware_export.tensor import Int8s


@dataclass(frozen=True, eq=False)
class Gemm(WeightedSum):
    """Fully connected layer; ``weights`` are (O, I), columns in the input's (H, W, C) order."""

    onnx_types = ("Gemm",)

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """See ``Operator``."""
        for name, expected in (("alpha", 1.0), ("beta", 1.0), ("transA", 0)):
            if node.attribute(name, expected) != expected:
                node.fail(f"attribute {name} must be {expected:g}")
        x = node.input()
        weights, quantisation = node.weight(1, np.int8)
        axis = 0
        if not node.attribute("transB", 0):
            weights, axis = np.ascontiguousarray(weights.T), 1
        if x.shape != (1, 1, weights.shape[1]):
            node.fail(f"weights for {weights.shape[1]} inputs do not fit shape {x.shape}")
        y = node.output((1, 1, len(weights)))
        bias, multiplier = read_rescale(node, weights, quantisation, x, y, axis=axis)
        return [cls(node.name, (x,), y, weights, bias, multiplier)]

    def run(self, values: Sequence[Int8s]) -> Int8s:
        """See ``Operator``."""
        exact, count = self.exact_type(), len(values[0])
        centred = values[0].reshape(count, -1).astype(exact) - self.inputs[0].zero_point
        sums = centred @ self.weights.astype(exact).T + self.bias.astype(exact)
        return self.requantised(sums).reshape(count, *self.output.shape)

    def kernel_use(self, site: Site) -> KernelUse:
        """See ``Operator``."""
        x, y = self.inputs[0], self.output
        arrays = self.arrays(site.function, interleave(self.weights, 1), x.zero_point)
        outputs, inputs = self.weights.shape
        call = Call.of(
            "bw_gemm",
            f"/* inputs */ {inputs}, /* outputs */ {outputs}, {site.address(x)}",
            ", ".join(array.name for array in arrays),
            f"/* zero point of the output */ {y.zero_point}, {site.address(y)}",
        )
        return KernelUse("gemm.h", (call,), arrays)

    @property
    def macs(self) -> int:
        """See ``Operator``."""
        return self.weights.size
