"""A network as numbers only: convolutions with ReLU, then one linear head an output.

Batch normalisation is folded, nothing knows torch. Training code makes a ``FoldedNetwork``; the
writers of float and int8 ONNX, calibration and quantisation-aware training start from it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

# Opset 21 is the newest that every onnxruntime since 1.20 runs; IR version 10 came with it.
OPSET, IR_VERSION = 21, 10

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class ConvRelu:
    """A convolution followed by ReLU.

    Attributes:
        name: unique within the network; names its tensors.
        weight: (out, in / groups, kernel height, kernel width) float32.
        bias: (out,) float32.
        stride: (down, across).
        padding: zeros (above and below, left and right).
        groups: 1 for dense, the number of channels for depthwise.
    """

    name: str
    weight: Float32
    bias: Float32
    stride: tuple[int, int]
    padding: tuple[int, int]
    groups: int

    def output_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return (out, height, width) for an input of (channels, height, width)."""
        ways = zip(shape[1:], self.weight.shape[2:], self.stride, self.padding, strict=True)
        height, width = ((n + 2 * pad - kernel) // stride + 1 for n, kernel, stride, pad in ways)
        return self.weight.shape[0], height, width


@dataclass(frozen=True)
class Head:
    """A linear output on the flattened features; ``sigmoid`` makes it a probability.

    Attributes:
        name: of the graph output.
        weight: (1, features) float32, features in (channel, row, column) order.
        bias: (1,) float32.
        sigmoid: whether a Sigmoid follows.
        limits: (low, high) that the output means; the integer network's saturates there. None to
            leave that to calibration.
    """

    name: str
    weight: Float32
    bias: Float32
    sigmoid: bool
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class FoldedNetwork:
    """Trunk and heads; the input is (channels, height, width) of bytes / 255."""

    input_shape: tuple[int, int, int]
    trunk: tuple[ConvRelu, ...]
    heads: tuple[Head, ...]

    def shapes(self) -> Iterator[tuple[ConvRelu, tuple[int, int, int]]]:
        """Yield every trunk layer with the shape of its output."""
        shape = self.input_shape
        for layer in self.trunk:
            shape = layer.output_shape(shape)
            yield layer, shape

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        trunk = sum(shape[1] * shape[2] * layer.weight.size for layer, shape in self.shapes())
        return trunk + sum(head.weight.size for head in self.heads)

    @property
    def weight_bytes(self) -> int:
        """Bytes of the int8 weights and int32 biases."""
        layers: tuple[ConvRelu | Head, ...] = (*self.trunk, *self.heads)
        return sum(layer.weight.size + 4 * layer.bias.size for layer in layers)


def activation_names(network: FoldedNetwork) -> list[str]:
    """Return the tensors whose range quantisation must know: trunk outputs, head outputs.

    A head with a sigmoid has two: its logit and its probability (pinned, so not listed).
    """
    return [f"{layer.name}_out" for layer in network.trunk] + [
        f"{head.name}_logit" if head.sigmoid else head.name for head in network.heads
    ]


def float_model(
    network: FoldedNetwork, batch: int | str = 1, taps: bool = False
) -> onnx.ModelProto:
    """Return the float32 ONNX model: Conv, Relu, Flatten, Gemm, Sigmoid.

    Args:
        network: what to write.
        batch: fixed batch size, or a name for a free one.
        taps: also make every tensor of ``activation_names`` a graph output, for calibration.
    """
    nodes, initializers = [], []

    def constant(name: str, value: NDArray[np.generic]) -> str:
        initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    tensor = "frame"
    for layer in network.trunk:
        pre, out = f"{layer.name}_pre", f"{layer.name}_out"
        weight = constant(f"{layer.name}_weight", layer.weight)
        bias = constant(f"{layer.name}_bias", layer.bias)
        nodes.append(
            helper.make_node(
                "Conv", [tensor, weight, bias], [pre], name=layer.name, **conv_attributes(layer)
            )
        )
        nodes.append(helper.make_node("Relu", [pre], [out], name=f"{layer.name}_relu"))
        tensor = out
    nodes.append(helper.make_node("Flatten", [tensor], ["features"], name="flatten", axis=1))
    for head in network.heads:
        out = f"{head.name}_logit" if head.sigmoid else head.name
        weight = constant(f"{head.name}_weight", head.weight)
        bias = constant(f"{head.name}_bias", head.bias)
        gemm = helper.make_node(
            "Gemm", ["features", weight, bias], [out], name=f"{head.name}_gemm", transB=1
        )
        nodes.append(gemm)
        if head.sigmoid:
            nodes.append(
                helper.make_node("Sigmoid", [out], [head.name], name=f"{head.name}_sigmoid")
            )
    outputs = [output_info(head.name, batch) for head in network.heads]
    if taps:
        outputs += [
            helper.make_tensor_value_info(f"{layer.name}_out", TensorProto.FLOAT, [batch, *shape])
            for layer, shape in network.shapes()
        ]
        outputs += [
            output_info(f"{head.name}_logit", batch) for head in network.heads if head.sigmoid
        ]
    return finish_model("float", network, nodes, initializers, outputs, batch)


def conv_attributes(layer: ConvRelu) -> dict[str, Any]:
    """Return the ONNX attributes of a convolution."""
    return {
        "kernel_shape": list(layer.weight.shape[2:]),
        "strides": list(layer.stride),
        "pads": [*layer.padding, *layer.padding],  # above, left, below, right
        "group": layer.groups,
    }


def output_info(name: str, batch: int | str) -> onnx.ValueInfoProto:
    """Return the description of a graph output of one value."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, 1])


def finish_model(
    name: str,
    network: FoldedNetwork,
    nodes: list[onnx.NodeProto],
    initializers: list[onnx.TensorProto],
    outputs: list[onnx.ValueInfoProto],
    batch: int | str,
) -> onnx.ModelProto:
    """Return the checked model around ``nodes`` with the input "frame"."""
    frame = helper.make_tensor_value_info("frame", TensorProto.FLOAT, [batch, *network.input_shape])
    graph = helper.make_graph(nodes, name, [frame], outputs, initializers)
    model = helper.make_model(
        graph,
        producer_name="bytewing",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model)
    return model


def model_bytes(model: onnx.ModelProto) -> bytes:
    """Return the file content of a model."""
    stream = io.BytesIO()
    onnx.save(model, stream)
    return stream.getvalue()
