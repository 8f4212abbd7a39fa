"""Operators on single values, as lookup tables of 256 entries; one of them changes a scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bytewing.firmware_export.c_text import Array
from bytewing.firmware_export.kernel_use import Call, KernelUse, Site
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.tables import Values, dequantise, look_up, quantise, requantise
from bytewing.firmware_export.tensor import Int8s, Tensor

F32 = np.float32
Reals = NDArray[np.float32]


def _sigmoid(_node: OnnxNode, x: Reals) -> Values:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x.astype(np.float64)))


def _tanh(_node: OnnxNode, x: Reals) -> Values:
    return np.tanh(x.astype(np.float64))


def _leaky_relu(node: OnnxNode, x: Reals) -> Values:
    alpha = F32(node.attribute("alpha", 0.01))
    return np.where(x >= 0, x, alpha * x)


def _clip(node: OnnxNode, x: Reals) -> Values:
    lowest, highest = node.clip_range()
    return np.minimum(np.maximum(x, F32(lowest)), F32(highest))


def _hard_sigmoid(node: OnnxNode, x: Reals) -> Values:
    alpha = F32(node.attribute("alpha", 0.2))
    beta = F32(node.attribute("beta", 0.5))
    return np.asarray(np.clip(alpha * x + beta, F32(0), F32(1)))


def _hard_swish(_node: OnnxNode, x: Reals) -> Values:
    return np.asarray(x * np.clip(x * F32(1 / 6) + F32(0.5), F32(0), F32(1)))


# ONNX operator -> the real answers, in the precision in which onnxruntime quantises them.
FUNCTIONS: dict[str, Callable[[OnnxNode, Reals], Values]] = {
    "Sigmoid": _sigmoid,
    "Tanh": _tanh,
    "LeakyRelu": _leaky_relu,
    "Relu": _clip,
    "Clip": _clip,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
}


@dataclass(frozen=True, eq=False)
class Table(Operator):
    """Any function of one value.

    Attributes:
        table: (256,) int8, the answers, indexed by ``q + 128``.
        function: its name, such as ``sigmoid``.
    """

    onnx_types = tuple(FUNCTIONS)

    table: Int8s
    function: str

    @classmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """See ``Operator``."""
        x = node.input()
        y = node.output(x.shape, folds_relu=False)
        table = quantise(FUNCTIONS[node.op_type](node, dequantise(x)), y)
        return [cls(node.name, (x,), y, table, node.op_type.lower())]

    @classmethod
    def requantising(cls, name: str, x: Tensor, y: Tensor) -> Table:
        """Return the layer that takes values of ``x`` to the scale and zero point of ``y``."""
        return cls(name, (x,), y, requantise(x, y), "requantise")

    @property
    def kind(self) -> str:
        """The function's name says more than "table"."""
        return self.function

    def run(self, values: Sequence[Int8s]) -> Int8s:
        """See ``Operator``."""
        (q,) = values
        return look_up(self.table, q).reshape(len(q), *self.output.shape)

    def kernel_use(self, site: Site) -> KernelUse:
        """See ``Operator``."""
        x, y = self.inputs[0], self.output
        array = Array(f"{site.function}_table", self.table)
        line = f"{x.size}, {site.address(x)}, {array.name}, {site.address(y)}"
        return KernelUse("elementwise.h", (Call.of("bw_table", line),), (array,))

    def row_overlap(self, x: Tensor) -> int | None:
        """Each value is written where it was read."""
        return 0


def moved(make: Callable[[Tensor], Operator], x: Tensor, y: Tensor) -> Sequence[Operator]:
    """Return a layer that moves values of ``x`` to ``y``; a table follows where scales differ.

    Args:
        make: returns the layer for an output tensor.
        x: what is moved.
        y: where the values arrive.
    """
    if x.means_the_same_as(y):
        return [make(y)]
    between = replace(y, name=f"{y.name}:moved", scale=x.scale, zero_point=x.zero_point)
    mover = make(between)
    return [mover, Table.requantising(mover.name, between, y)]
