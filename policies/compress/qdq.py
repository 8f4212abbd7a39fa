"""Write a folded network as int8 QDQ ONNX, which onnxruntime runs on its integer kernels.

int8 activations (per tensor, asymmetric), int8 weights (per output channel, symmetric, full
range +-127), int32 biases at scale input x weight. The input is pinned to scale 1/255 and zero
point -128: the camera's byte minus 128 *is* the int8 input. ReLU needs no node: its output has
zero point -128, so that saturation clips at zero exactly where ReLU does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from bytewing.policies.bundle import OutputSpec
from bytewing.policies.nets.folded import (
    ConvRelu,
    FoldedNetwork,
    Head,
    conv_attributes,
    finish_model,
    output_info,
)

INT8_MIN, INT8_MAX = -128, 127
# A range narrower than this means a constant tensor; its scale must still be a normal float32.
NARROWEST_RANGE = 1e-6


@dataclass(frozen=True)
class Quantisation:
    """Quantisation parameters of a tensor: real = (int8 - zero_point) * scale."""

    scale: float
    zero_point: int

    @classmethod
    def of_range(cls, low: float, high: float) -> Quantisation:
        """Return the parameters that map [low, high], extended to contain 0, to 256 steps."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = float(np.float32(max(high - low, NARROWEST_RANGE) / (INT8_MAX - INT8_MIN)))
        zero_point = round(INT8_MIN - low / scale)
        return cls(scale, min(max(zero_point, INT8_MIN), INT8_MAX))

    @classmethod
    def of_limits(cls, low: float, high: float) -> Quantisation:
        """Return the parameters of an output with the range [low, high], at which it saturates.

        >>> Quantisation.of_limits(-1.0, 1.0).zero_point
        0
        """
        if low == -high:  # so that 0 stays exactly 0; the 256th step, beyond -high, goes unused
            return cls(float(np.float32(high / INT8_MAX)), 0)
        return cls.of_range(low, high)


INPUT = Quantisation(float(np.float32(1 / 255)), INT8_MIN)
# Sigmoid values lie in (0, 1), which 256 steps of 1/256 from 0 cover.
SIGMOID = Quantisation(1 / 256, INT8_MIN)

Ranges = Mapping[str, tuple[float, float]]


def weight_scales(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the symmetric scale of each output channel (axis 0), float32."""
    peak = np.abs(weight.reshape(weight.shape[0], -1)).max(axis=1)
    return np.asarray(np.maximum(peak / INT8_MAX, NARROWEST_RANGE / INT8_MAX), np.float32)


def quantise_weight(weight: NDArray[np.float32], scales: NDArray[np.float32]) -> NDArray[np.int8]:
    """Return the int8 weights: round half to even, clipped to +-127."""
    steps = weight / scales.reshape(-1, *[1] * (weight.ndim - 1))
    return np.asarray(np.clip(np.rint(steps), -INT8_MAX, INT8_MAX), np.int8)


class _Writer:
    """Collects ONNX nodes and constants; every method returns the name of a float tensor."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def quantised(self, tensor: str, q: Quantisation, name: str | None = None) -> str:
        """Append QuantizeLinear and DequantizeLinear; ``name`` is that of the result."""
        result = name or f"{tensor}_dequantized"
        scale = self.constant(f"{tensor}_scale", np.array(q.scale, np.float32))
        zero = self.constant(f"{tensor}_zero_point", np.array(q.zero_point, np.int8))
        self.node("QuantizeLinear", [tensor, scale, zero], f"{tensor}_quantized")
        return self.node("DequantizeLinear", [f"{tensor}_quantized", scale, zero], result)

    def weight_and_bias(self, layer: ConvRelu | Head, input_scale: float) -> tuple[str, str]:
        """Append int8 weights and int32 bias with their DequantizeLinear nodes."""
        scales = weight_scales(layer.weight)
        bias_scales = np.float32(input_scale) * scales
        limit = 2.0**31 - 1
        bias = np.clip(np.rint(layer.bias.astype(np.float64) / bias_scales), -limit, limit)
        return (
            self._dequantised(
                f"{layer.name}_weight", quantise_weight(layer.weight, scales), scales
            ),
            self._dequantised(f"{layer.name}_bias", bias.astype(np.int32), bias_scales),
        )

    def _dequantised(
        self, name: str, value: NDArray[np.generic], scales: NDArray[np.float32]
    ) -> str:
        inputs = [
            self.constant(f"{name}_quantized", value),
            self.constant(f"{name}_scale", scales),
            self.constant(f"{name}_zero_point", np.zeros(len(scales), value.dtype)),
        ]
        return self.node("DequantizeLinear", inputs, f"{name}_dequantized", axis=0)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:  # noqa: ANN401
        self.nodes.append(
            helper.make_node(kind, inputs, [output], name=f"{output}_{kind}", **attributes)
        )
        return output


def int8_model(
    network: FoldedNetwork, ranges: Ranges, batch: int | str = 1
) -> tuple[onnx.ModelProto, tuple[OutputSpec, ...]]:
    """Return the int8 QDQ model and the quantisation of its outputs.

    Args:
        network: the float network; the model contains its rounded weights.
        ranges: (low, high) of every tensor of ``activation_names``.
        batch: fixed batch size, or the name of a dynamic batch dimension.
    """
    writer = _Writer()
    tensor, scale = writer.quantised("frame", INPUT), INPUT.scale
    for layer in network.trunk:
        q = Quantisation.of_range(0.0, ranges[f"{layer.name}_out"][1])
        inputs = [tensor, *writer.weight_and_bias(layer, scale)]
        out = writer.node("Conv", inputs, f"{layer.name}_out", **conv_attributes(layer))
        tensor, scale = writer.quantised(out, q), q.scale
    # Flatten does not change values, so its scale and zero point equal those of its input.
    features = ""
    if network.flattens:
        features = writer.quantised(writer.node("Flatten", [tensor], "features", axis=1), q)
    specs = []
    for head in network.heads:
        parameters = writer.weight_and_bias(head, scale)
        if head.size == 1:
            inputs = [features, *parameters]
            raw = writer.node("Gemm", inputs, f"{head.name}_logit", transB=1)
        else:
            raw = writer.node("Conv", [tensor, *parameters], f"{head.name}_logit")
        if head.sigmoid:
            q = Quantisation.of_range(*ranges[head.raw])
            raw = writer.node("Sigmoid", [writer.quantised(raw, q)], f"{head.name}_probability")
            q = SIGMOID
        elif head.limits is not None:
            q = Quantisation.of_limits(*head.limits)
        else:
            q = Quantisation.of_range(*ranges[head.raw])
        if head.size > 1:
            cells = [writer.quantised(raw, q)]
            raw = writer.node("Flatten", cells, f"{head.name}_cells", axis=1)
        writer.quantised(raw, q, head.name)
        specs.append(
            OutputSpec(name=head.name, scale=q.scale, zero_point=q.zero_point, count=head.size)
        )
    outputs = [output_info(head, batch) for head in network.heads]
    model = finish_model("int8", network, writer.nodes, writer.initializers, outputs, batch)
    return model, tuple(specs)
