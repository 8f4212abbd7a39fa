"""The operator MaxPool: largest value of each channel in a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bytewing.firmware_export.kernel_use import Call, KernelUse, Site
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.operators.table import moved
from bytewing.firmware_export.tensor import Int8s, Tensor
from bytewing.firmware_export.windows import Window, read_pool_window, window_shape


@dataclass(frozen=True, eq=False)
class MaxPool(Operator):
    """Largest value under the window; the scale does not change."""

    onnx_types = ("MaxPool",)

    window: Window

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """See ``Operator``."""
        x = node.input()
        window = read_pool_window(node)
        y = node.output(window_shape(node, x, window, x.shape[2]))
        return moved(lambda out: cls(node.name, (x,), out, window), x, y)

    def run(self, values: Sequence[Int8s]) -> Int8s:
        """See ``Operator``."""
        taps = list(self.window.taps(values[0], -128, self.output.shape))
        return np.asarray(np.maximum.reduce(taps))

    def kernel_use(self, site: Site) -> KernelUse:
        """See ``Operator``."""
        x, y = self.inputs[0], self.output
        call = Call.of("bw_max_pool", f"window, {site.address(x)}, {site.address(y)}")
        return KernelUse("pool.h", (call,), declarations=(self.window.declaration(x, y),))

    def row_overlap(self, x: Tensor) -> int | None:
        """See ``Operator``."""
        return self.window.row_overlap(x, self.output)
