"""Read a QDQ ONNX file: producers and users of values, constants, attributes, quantisation.

The module handles the file format and the quantise/dequantise pattern; ``onnx_import`` interprets
the operators. Every unsupported element raises a ``BadInputError`` of one line with the file and
the node.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from bytewing.foundation.errors import BadInputError

ONNX_DOMAINS = ("", "ai.onnx")
# 13 brought per-channel QuantizeLinear; 21 is the newest whose meaning has been checked.
OPSETS = range(13, 22)


@dataclass(frozen=True)
class Quantisation:
    """Scale and zero point of one tensor, or of each channel along ``axis``.

    Attributes:
        scale: () or (channels,) float32.
        zero_point: () or (channels,) int8 or int32.
        axis: the channel axis where there is one.
    """

    scale: NDArray[np.float32]
    zero_point: NDArray[np.integer]
    axis: int


class QdqModel:
    """A parsed model with its lookups.

    Attributes:
        where: name of the file, for error lines.
        sha256: hash of the file.
        nodes: the graph's nodes in order of execution.
        constants: initialisers and Constant nodes by name.
        input_name: the one graph input's name.
        input_shape: its shape, (1, C, H, W).
        output_names: the graph outputs' names.
    """

    def __init__(self, source: Path | bytes) -> None:
        data, self.where = _read(source)
        self.sha256 = hashlib.sha256(data).hexdigest()
        model = _parse(data, self.where)
        graph = model.graph
        self.constants = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
        self.nodes: list[NodeProto] = []
        for node in graph.node:
            if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
                self.constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            else:
                self.nodes.append(node)
        self._producers = {name: node for node in self.nodes for name in node.output}
        self._consumers: dict[str, list[NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                self._consumers.setdefault(name, []).append(node)
        self.output_names = [item.name for item in graph.output]
        self.input_name, self.input_shape = self._only_input(graph)

    def fail(self, node: NodeProto | None, message: str) -> NoReturn:
        """Raise BadInputError with one line that names the file and the node."""
        at = "" if node is None else f" node {node_name(node)!r} ({node.op_type}):"
        raise BadInputError(f"{self.where}:{at} {message}")

    def attribute(self, node: NodeProto, name: str, default: Any) -> Any:  # noqa: ANN401 (ONNX's own)
        """Return an attribute's value, or ``default`` where the node has none."""
        for item in node.attribute:
            if item.name == name:
                return onnx.helper.get_attribute_value(item)
        return default

    def producer(self, value: str) -> NodeProto | None:
        """Return the node that makes ``value``; None for inputs and constants."""
        return self._producers.get(value)

    def consumers(self, value: str) -> list[NodeProto]:
        """Return the nodes that read ``value``."""
        return self._consumers.get(value, [])

    def constant(self, node: NodeProto, index: int, what: str) -> NDArray[Any]:
        """Return a constant input of ``node``; refuses one that is computed."""
        name = node.input[index] if index < len(node.input) else ""
        if name not in self.constants:
            self.fail(node, f"its {what} {name!r} must be a constant")
        return self.constants[name]

    def quantisation(self, node: NodeProto) -> Quantisation:
        """Return the parameters of a QuantizeLinear or DequantizeLinear node."""
        scale = self.constant(node, 1, "scale").astype(np.float32)
        if len(node.input) < 3 or not node.input[2]:
            self.fail(node, "has no zero point; store one, of type int8")
        zero_point = self.constant(node, 2, "zero point")
        if not np.all(np.isfinite(scale) & (scale > 0)):
            self.fail(node, "its scale must be positive and finite")
        if scale.size == 1 and zero_point.size == 1:
            return Quantisation(scale.reshape(()), zero_point.reshape(()), 0)
        return Quantisation(scale, zero_point, int(self.attribute(node, "axis", 1)))

    def activation(self, node: NodeProto) -> tuple[np.float32, int]:
        """Return (scale, zero point) of an int8 activation's QuantizeLinear/DequantizeLinear."""
        found = self.quantisation(node)
        if found.zero_point.dtype != np.int8:
            self.fail(node, f"activations must be int8, not {found.zero_point.dtype}")
        if found.scale.shape:
            self.fail(node, "activations must have one scale, not one per channel")
        return np.float32(found.scale), int(found.zero_point)

    def weight(self, node: NodeProto, index: int, dtype: type) -> tuple[NDArray[Any], Quantisation]:
        """Return a dequantised constant's integers and parameters (zero point 0 asserted)."""
        maker = self.producer(node.input[index])
        if maker is None or maker.op_type != "DequantizeLinear":
            self.fail(node, f"input {node.input[index]!r} is not quantised; use QDQ format")
        values = self.constant(maker, 0, "integers")
        found = self.quantisation(maker)
        if values.dtype != dtype:
            self.fail(node, f"{maker.input[0]!r} must be {np.dtype(dtype)}, not {values.dtype}")
        if np.any(found.zero_point != 0):
            self.fail(node, f"{maker.input[0]!r} must have zero point 0 (symmetric weights)")
        return values, found

    def _only_input(self, graph: onnx.GraphProto) -> tuple[str, tuple[int, ...]]:
        inputs = [item for item in graph.input if item.name not in self.constants]
        if len(inputs) != 1:
            self.fail(None, f"the network must have one input, not {len(inputs)}")
        kind = inputs[0].type.tensor_type
        shape = tuple(int(size.dim_value) for size in kind.shape.dim)
        if kind.elem_type != TensorProto.FLOAT or len(shape) != 4 or shape[0] != 1 or 0 in shape:
            self.fail(None, f"input {inputs[0].name!r} must be float32 of fixed shape (1, C, H, W)")
        return inputs[0].name, shape


def node_name(node: NodeProto) -> str:
    """Return what to call a node in messages: its name, else its output's."""
    return str(node.name or (node.output[0] if node.output else node.op_type))


def _read(source: Path | bytes) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, "ONNX model"
    try:
        return Path(source).read_bytes(), str(source)
    except OSError as error:
        raise BadInputError(f"{source}: cannot be read: {error.strerror or error}") from error


def _parse(data: bytes, where: str) -> ModelProto:
    remedy = "truncated or not ONNX; make the file again"
    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError) as error:
        raise BadInputError(f"{where}: not a readable ONNX file ({remedy})") from error
    if not model.graph.node:
        raise BadInputError(f"{where}: holds no network ({remedy})")
    for node in model.graph.node:
        if node.domain not in ONNX_DOMAINS:
            raise BadInputError(
                f"{where}: node {node_name(node)!r}: operator {node.op_type} of domain "
                f"{node.domain!r} is not supported; export in QDQ format, standard operators only"
            )
    opsets = [item.version for item in model.opset_import if item.domain in ONNX_DOMAINS]
    if not opsets or opsets[0] not in OPSETS:
        raise BadInputError(
            f"{where}: ONNX opset {opsets[0] if opsets else 'missing'} is not supported; "
            f"export with opset {OPSETS[0]} to {OPSETS[-1]}"
        )
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        first = str(error).strip().splitlines()[0]
        raise BadInputError(f"{where}: not a valid ONNX model: {first}") from error
    return model
