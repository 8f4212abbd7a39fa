"""The operator Concat: concatenation of several tensors along the channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bytewing.firmware_export.c_text import Array
from bytewing.firmware_export.kernel_use import NO_ARRAY, Call, KernelUse, Site
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.tables import look_up, requantise
from bytewing.firmware_export.tensor import Int8s


@dataclass(frozen=True, eq=False)
class Concat(Operator):
    """Channels of all inputs side by side.

    Attributes:
        tables: one per input: (256,) int8 requantisation indexed by ``q + 128``; None for a copy.
    """

    onnx_types = ("Concat",)

    tables: tuple[Int8s | None, ...]

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """See ``Operator``."""
        parts = tuple(node.input(index) for index in range(node.input_count))
        if node.attribute("axis", 1) not in (1, -3):
            node.fail("only concatenation of channels (axis 1) is supported")
        if len({part.shape[:2] for part in parts}) != 1:
            node.fail("its inputs differ in height or width")
        height, width, _ = parts[0].shape
        y = node.output((height, width, sum(part.shape[2] for part in parts)))
        tables = tuple(None if part.means_the_same_as(y) else requantise(part, y) for part in parts)
        return [cls(node.name, parts, y, tables)]

    def run(self, values: Sequence[Int8s]) -> Int8s:
        """See ``Operator``."""
        parts = [
            part if table is None else look_up(table, part)
            for table, part in zip(self.tables, values, strict=True)
        ]
        return np.concatenate(parts, axis=3)

    def kernel_use(self, site: Site) -> KernelUse:
        """See ``Operator``."""
        y = self.output
        arrays, calls, channel = [], [], 0
        for index, (x, table) in enumerate(zip(self.inputs, self.tables, strict=True)):
            height, width, channels = x.shape
            array_name = NO_ARRAY
            if table is not None:
                arrays.append(Array(f"{site.function}_table{index}", table))
                array_name = arrays[-1].name
            calls.append(
                Call.of(
                    "bw_concat",
                    f"/* pixels */ {height * width}, /* channels */ {channels}, {y.shape[2]}",
                    f"{site.address(x)}, {array_name}, {site.address(y)} + {channel}",
                )
            )
            channel += channels
        return KernelUse("elementwise.h", tuple(calls), tuple(arrays))
