"""Define a network as NumPy arrays, with folded batch normalisation, and write it as float ONNX.

The module does not need torch. Training code makes a ``FoldedNetwork``; the writers of float and
int8 ONNX, calibration and quantisation-aware training start from it.
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
    """An output; ``sigmoid`` makes it a probability.

    For one number, the head is linear on the flattened features. For a map, it is a 1 x 1
    convolution over the last feature map, which has the same rows and columns.

    Attributes:
        name: name of the graph output.
        weight: (1, features) float32, features in (channel, row, column) order; (1, channels, 1, 1)
            of a map.
        bias: (1,) float32.
        sigmoid: whether a Sigmoid follows.
        limits: (low, high) range of the output, at which the int8 output saturates; None selects
            the calibrated range.
        cells: (rows, columns); (1, 1) for one number.
    """

    name: str
    weight: Float32
    bias: Float32
    sigmoid: bool
    limits: tuple[float, float] | None = None
    cells: tuple[int, int] = (1, 1)

    @property
    def size(self) -> int:
        """Number of values of the output."""
        return self.cells[0] * self.cells[1]

    @property
    def unflattened(self) -> str:
        """Name of the tensor of the output before flattening."""
        return self.name if self.size == 1 else f"{self.name}_map"

    @property
    def raw(self) -> str:
        """Name of the output tensor of the layer, before the sigmoid."""
        return f"{self.name}_logit" if self.sigmoid else self.unflattened


@dataclass(frozen=True)
class FoldedNetwork:
    """Trunk and heads of a network; the input is (channels, height, width), bytes / 255."""

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
    def flattens(self) -> bool:
        """Whether any head reads the flattened features."""
        return any(head.size == 1 for head in self.heads)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        trunk = sum(shape[1] * shape[2] * layer.weight.size for layer, shape in self.shapes())
        return trunk + sum(head.size * head.weight.size for head in self.heads)

    @property
    def weight_bytes(self) -> int:
        """Bytes of the int8 weights and int32 biases."""
        layers: tuple[ConvRelu | Head, ...] = (*self.trunk, *self.heads)
        return sum(layer.weight.size + 4 * layer.bias.size for layer in layers)


def activation_names(network: FoldedNetwork) -> list[str]:
    """Return the names of the tensors that quantisation needs ranges of: the layer outputs.

    Probabilities after a sigmoid are not listed, because their range is fixed.
    """
    return [f"{layer.name}_out" for layer in network.trunk] + [head.raw for head in network.heads]


def float_model(
    network: FoldedNetwork, batch: int | str = 1, taps: bool = False
) -> onnx.ModelProto:
    """Return the float32 ONNX model: Conv, Relu; Flatten, Gemm, Sigmoid; Conv, Sigmoid, Flatten.

    Args:
        network: network to write.
        batch: fixed batch size, or the name of a dynamic batch dimension.
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
    if network.flattens:
        nodes.append(helper.make_node("Flatten", [tensor], ["features"], name="flatten", axis=1))
    for head in network.heads:
        name = head.name
        parameters = constant(f"{name}_weight", head.weight), constant(f"{name}_bias", head.bias)
        if head.size == 1:
            inputs = ["features", *parameters]
            nodes.append(
                helper.make_node("Gemm", inputs, [head.raw], name=f"{name}_gemm", transB=1)
            )
        else:
            inputs = [tensor, *parameters]
            nodes.append(helper.make_node("Conv", inputs, [head.raw], name=f"{name}_conv"))
        answer = head.unflattened
        if head.sigmoid:
            nodes.append(helper.make_node("Sigmoid", [head.raw], [answer], name=f"{name}_sigmoid"))
        if head.size > 1:
            nodes.append(
                helper.make_node("Flatten", [answer], [name], name=f"{name}_flatten", axis=1)
            )
    outputs = [output_info(head, batch) for head in network.heads]
    if taps:
        outputs += [
            helper.make_tensor_value_info(f"{layer.name}_out", TensorProto.FLOAT, [batch, *shape])
            for layer, shape in network.shapes()
        ]
        outputs += [
            helper.make_tensor_value_info(
                head.raw,
                TensorProto.FLOAT,
                [batch, 1] if head.size == 1 else [batch, 1, *head.cells],
            )
            for head in network.heads
            if head.raw != head.name
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


def output_info(head: Head, batch: int | str) -> onnx.ValueInfoProto:
    """Return the description of a head's graph output."""
    return helper.make_tensor_value_info(head.name, TensorProto.FLOAT, [batch, head.size])


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
