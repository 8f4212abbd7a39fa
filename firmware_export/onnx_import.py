"""Import an int8 QDQ ONNX file into the integer graph; errors name unsupported elements.

This module follows the values from QuantizeLinear to DequantizeLinear. The operators
(``operators``) interpret the nodes between them. The formulas behind the constants that operators
compute are in ``docs/arithmetic.md``: they are those of onnxruntime's integer kernels, so that the
reference equals onnxruntime bit for bit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import NodeProto

from bytewing.firmware_export.graph import Graph
from bytewing.firmware_export.onnx_node import OnnxNode, ReadSoFar
from bytewing.firmware_export.onnx_reader import QdqModel, node_name
from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.operators.registry import by_onnx_type
from bytewing.firmware_export.operators.table import Table
from bytewing.firmware_export.passes.flatten import absorb_flatten
from bytewing.firmware_export.tensor import Tensor
from bytewing.foundation.errors import did_you_mean

CAMERA_SCALE = np.float32(1 / 255)
CAMERA_ZERO_POINT = -128


def import_onnx(source: Path | bytes) -> Graph:
    """Read an int8 QDQ network into the integer graph.

    Args:
        source: path of the ONNX file, or its bytes.

    Raises:
        BadInputError: truncated or foreign file, unsupported operator, attribute or type, or sums
            that could leave the range in which the generated C rounds exactly.
    """
    return absorb_flatten(_Importer(QdqModel(source)).graph())


class _Importer:
    """Walks the nodes once; each operator takes in its QuantizeLinear and a Relu before it."""

    def __init__(self, model: QdqModel) -> None:
        self.model = model
        self.so_far = ReadSoFar()
        self.layers: list[Operator] = []

    def graph(self) -> Graph:
        """Return the graph of all nodes."""
        model = self.model
        operators = by_onnx_type()
        quantisation = {"QuantizeLinear": self._quantize, "DequantizeLinear": self._dequantize}
        for node in model.nodes:
            if node.op_type not in operators and node.op_type not in quantisation:
                hint = did_you_mean(node.op_type, [*operators, *quantisation])
                model.fail(node, f"operator {node.op_type} is not supported{hint}")
            if node.output[0] in self.so_far.folded:
                continue
            if node.op_type in quantisation:
                quantisation[node.op_type](node)
            else:
                read = operators[node.op_type].from_onnx
                self.layers += read(OnnxNode(model, node, self.so_far))
        outputs = tuple(self._output(name) for name in model.output_names)
        if not outputs or not self.layers:
            model.fail(None, "the network computes nothing")
        readers = model.consumers(model.input_name)
        if not readers:
            model.fail(None, f"nothing reads the input {model.input_name!r}")
        camera = self.so_far.tensors[readers[0].output[0]]
        return Graph(tuple(self.layers), camera, outputs, model.sha256)

    def _output(self, name: str) -> Tensor:
        if name not in self.so_far.dequantised:
            self.model.fail(None, f"output {name!r} is not the DequantizeLinear of an int8 tensor")
        tensor = self.so_far.dequantised[name]
        if tensor.shape[:2] != (1, 1):
            self.model.fail(None, f"output {name!r} must be a vector; flatten it")
        return tensor

    def _quantize(self, node: NodeProto) -> None:
        source = node.input[0]
        if source == self.model.input_name:
            self._quantize_camera(node)
            return
        if source not in self.so_far.dequantised:
            self.model.fail(node, f"its input {source!r} is not an int8 tensor")
        x = self.so_far.dequantised[source]
        y = self.so_far.add(Tensor(node.output[0], x.shape, *self.model.activation(node)))
        self.layers.append(Table.requantising(node_name(node), x, y))

    def _quantize_camera(self, node: NodeProto) -> None:
        if len(self.model.consumers(self.model.input_name)) != 1:
            self.model.fail(node, "the network's input must be quantised once")
        scale, zero_point = self.model.activation(node)
        if scale != CAMERA_SCALE or zero_point != CAMERA_ZERO_POINT:
            self.model.fail(
                node,
                f"input scale {scale:.9g}, zero point {zero_point}: must be 1/255 and -128, "
                "so that the camera's uint8 minus 128 is the input; pin them when quantising",
            )
        _, channels, height, width = self.model.input_shape
        self.so_far.add(Tensor(node.output[0], (height, width, channels), scale, zero_point))

    def _dequantize(self, node: NodeProto) -> None:
        name = node.input[0]
        if name in self.model.constants:
            return  # weights: read by the operator that uses them
        if name not in self.so_far.tensors:
            self.model.fail(node, f"its input {name!r} is not an int8 tensor")
        tensor = self.so_far.tensors[name]
        if self.model.activation(node) != (tensor.scale, tensor.zero_point):
            self.model.fail(node, "must have the scale and zero point that quantised its input")
        self.so_far.dequantised[node.output[0]] = tensor
