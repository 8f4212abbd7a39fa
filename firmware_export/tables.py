"""Functions of one int8 value as 256 answers, computed the way onnxruntime computes them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from bytewing.firmware_export.ir import Int8s, Tensor
from bytewing.firmware_export.onnx_reader import QdqModel
from bytewing.firmware_export.rounding import saturate

F32 = np.float32
CODES = np.arange(-128, 128, dtype=np.int32)
Values = NDArray[np.floating]


def same_quantisation(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors' int8 values mean the same real values."""
    return a.scale == b.scale and a.zero_point == b.zero_point


def requantise(x: Tensor, y: Tensor) -> Int8s:
    """Return the table that takes values of ``x`` to the scale and zero point of ``y``, (256,)."""
    return quantise(dequantise(x), y)


def dequantise(x: Tensor) -> NDArray[np.float32]:
    """Return the real values of all 256 codes of ``x``, float32."""
    return (CODES - x.zero_point).astype(F32) * x.scale


def quantise(values: Values, y: Tensor) -> Int8s:
    """Return real values as codes of ``y``, in the precision of ``values``."""
    return saturate(np.rint(values / values.dtype.type(y.scale)) + y.zero_point)


def clip_range(model: QdqModel, node: NodeProto) -> tuple[float, float]:
    """Return (lowest, highest) that a Relu or Clip node lets through."""
    if node.op_type == "Relu":
        return 0.0, math.inf
    given = [
        float(model.constant(node, index, "limit")) if _has(node, index) else default
        for index, default in ((1, -math.inf), (2, math.inf))
    ]
    return given[0], given[1]


def function(model: QdqModel, node: NodeProto, x: Tensor, y: Tensor) -> Int8s:
    """Return the table of an operator of ``FUNCTIONS`` between two quantisations, (256,) int8."""
    return quantise(FUNCTIONS[node.op_type](model, node, dequantise(x)), y)


def _has(node: NodeProto, index: int) -> bool:
    return index < len(node.input) and bool(node.input[index])


def _sigmoid(_model: QdqModel, _node: NodeProto, x: NDArray[np.float32]) -> Values:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x.astype(np.float64)))


def _tanh(_model: QdqModel, _node: NodeProto, x: NDArray[np.float32]) -> Values:
    return np.tanh(x.astype(np.float64))


def _leaky_relu(model: QdqModel, node: NodeProto, x: NDArray[np.float32]) -> Values:
    alpha = F32(model.attribute(node, "alpha", 0.01))
    return np.where(x >= 0, x, alpha * x)


def _clip(model: QdqModel, node: NodeProto, x: NDArray[np.float32]) -> Values:
    lowest, highest = clip_range(model, node)
    return np.minimum(np.maximum(x, F32(lowest)), F32(highest))


def _hard_sigmoid(model: QdqModel, node: NodeProto, x: NDArray[np.float32]) -> Values:
    alpha = F32(model.attribute(node, "alpha", 0.2))
    beta = F32(model.attribute(node, "beta", 0.5))
    return np.clip(alpha * x + beta, F32(0), F32(1))


def _hard_swish(_model: QdqModel, _node: NodeProto, x: NDArray[np.float32]) -> Values:
    return x * np.clip(x * F32(1 / 6) + F32(0.5), F32(0), F32(1))


FUNCTIONS: dict[str, Callable[[QdqModel, NodeProto, NDArray[np.float32]], Values]] = {
    "Sigmoid": _sigmoid,
    "Tanh": _tanh,
    "LeakyRelu": _leaky_relu,
    "Relu": _clip,
    "Clip": _clip,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
}
