"""Give operators access to a node of a QDQ file: int8 inputs, constants, quantised result."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from bytewing.firmware_export.bounds import ROUNDING_LIMIT
from bytewing.firmware_export.onnx_reader import QdqModel, Quantisation, node_name
from bytewing.firmware_export.tensor import Shape, Tensor

NOT_QUANTISED = "its result must go to one QuantizeLinear; use QDQ format"


@dataclass
class ReadSoFar:
    """The tensors and nodes of a model that have been read so far.

    Attributes:
        tensors: the int8 tensors by name.
        dequantised: the int8 tensor behind each float value.
        folded: outputs of nodes that an earlier operator took in.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    dequantised: dict[str, Tensor] = field(default_factory=dict)
    folded: set[str] = field(default_factory=set)

    def add(self, tensor: Tensor) -> Tensor:
        """Remember a tensor and return it."""
        self.tensors[tensor.name] = tensor
        return tensor


class OnnxNode:
    """A node, with what was read before it.

    Attributes:
        name: the node's name, else its output's.
        op_type: the ONNX operator.
        input_count: number of inputs, constants included.
    """

    def __init__(self, model: QdqModel, node: NodeProto, so_far: ReadSoFar) -> None:
        self._model, self._node, self._so_far = model, node, so_far
        self.name, self.op_type = node_name(node), str(node.op_type)
        self.input_count = len(node.input)

    def fail(self, message: str) -> NoReturn:
        """Raise BadInputError with one line that names the file and the node."""
        self._model.fail(self._node, message)

    def attribute(self, name: str, default: Any) -> Any:  # noqa: ANN401 (ONNX's own)
        """Return an attribute's value, or ``default`` where the node has none."""
        return self._model.attribute(self._node, name, default)

    def has_input(self, index: int) -> bool:
        """Whether an optional input is given."""
        return index < self.input_count and bool(self._node.input[index])

    def constant(self, index: int, what: str) -> NDArray[Any]:
        """Return a constant input, called ``what`` in messages; refuses one that is computed."""
        return self._model.constant(self._node, index, what)

    def weight(self, index: int, dtype: type) -> tuple[NDArray[Any], Quantisation]:
        """Return a dequantised constant's integers and parameters (zero point 0 asserted)."""
        return self._model.weight(self._node, index, dtype)

    def input(self, index: int = 0) -> Tensor:
        """Return the int8 tensor behind a float input."""
        name = self._node.input[index]
        if name not in self._so_far.dequantised:
            self.fail(f"input {name!r} is not a quantised activation; use QDQ format")
        return self._so_far.dequantised[name]

    def pair(self) -> tuple[Tensor, Tensor]:
        """Return both inputs of a binary operator, which must have one shape."""
        a, b = self.input(0), self.input(1)
        if a.shape != b.shape:
            self.fail(f"inputs of shapes {a.shape} and {b.shape}: must be equal")
        return a, b

    def output(self, shape: Shape, *, folds_relu: bool = True) -> Tensor:
        """Return the tensor that the node's result is quantised to.

        A Relu or Clip between the two is folded: it disappears where the quantised range is the
        range that it leaves anyway.

        Args:
            shape: (height, width, channels) of the result.
            folds_relu: False for an operator whose result must go to QuantizeLinear itself.

        Raises:
            BadInputError: the result goes elsewhere too, or the range is another.
        """
        model, value, activation = self._model, self._node.output[0], None
        while True:
            readers = model.consumers(value)
            if len(readers) != 1 or value in model.output_names:
                self.fail(NOT_QUANTISED)
            reader = readers[0]
            self._so_far.folded.add(reader.output[0])
            if reader.op_type == "QuantizeLinear":
                break
            if not folds_relu:
                self.fail(NOT_QUANTISED)
            if reader.op_type not in ("Relu", "Clip") or activation is not None:
                self.fail(f"its result goes to {reader.op_type} without being int8")
            activation = OnnxNode(model, reader, self._so_far)
            value = reader.output[0]
        scale, zero_point = model.activation(reader)
        if activation is not None:
            activation._require_range_of(scale, zero_point)
        return self._so_far.add(Tensor(reader.output[0], shape, scale, zero_point))

    def clip_range(self) -> tuple[float, float]:
        """Return (lowest, highest) that a Relu or Clip node lets through."""
        if self.op_type == "Relu":
            return 0.0, math.inf
        lowest, highest = (
            float(self.constant(index, "limit")) if self.has_input(index) else default
            for index, default in ((1, -math.inf), (2, math.inf))
        )
        return lowest, highest

    def require_reach(self, largest: float) -> None:
        """Refuse results, in output steps before rounding, that the C could not round exactly."""
        if largest >= ROUNDING_LIMIT:
            self.fail("its output scale is too small for its inputs; use a larger one")

    def _require_range_of(self, scale: np.float32, zero_point: int) -> None:
        """Refuse to fold this activation where the quantised range is not what it leaves."""
        lowest, highest = self.clip_range()
        step = float(scale)
        is_high_enough = (127 - zero_point) * step <= highest + step / 2
        if zero_point != -128 or lowest != 0 or not is_high_enough:
            self.fail(
                f"zero point {zero_point} and scale {scale:.9g} do not span exactly the range "
                f"[{lowest:g}, {highest:g}]; quantise its output with zero point -128"
            )
