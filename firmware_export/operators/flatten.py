"""The operator Flatten: flattening into a vector in ONNX's order of elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bytewing.firmware_export.kernel_use import Call, KernelUse, Site
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.operators.table import moved
from bytewing.firmware_export.tensor import Int8s


@dataclass(frozen=True, eq=False)
class Flatten(Operator):
    """Reorder (H, W, C) into a vector in (C, H, W) order."""

    onnx_types = ("Flatten", "Reshape")

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """See ``Operator``."""
        x = node.input()
        if node.op_type == "Flatten":
            fits = node.attribute("axis", 1) == 1
        else:
            target = node.constant(1, "shape").tolist()
            fits = target in ([1, -1], [0, -1], [-1, x.size], [1, x.size], [0, x.size])
        if not fits:
            node.fail("only flattening to (1, size) is supported")
        y = node.output((1, 1, x.size))
        return moved(lambda out: cls(node.name, (x,), out), x, y)

    def run(self, values: Sequence[Int8s]) -> Int8s:
        """See ``Operator``."""
        (q,) = values
        return q.transpose(0, 3, 1, 2).reshape(len(q), *self.output.shape)

    def kernel_use(self, site: Site) -> KernelUse:
        """See ``Operator``."""
        x = self.inputs[0]
        height, width, channels = x.shape
        places = f"{site.address(x)}, {site.address(self.output)}"
        call = Call.of("bw_flatten", f"{height * width}, {channels}, {places}")
        return KernelUse("elementwise.h", (call,))
