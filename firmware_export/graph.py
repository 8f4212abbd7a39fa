"""Define the typed integer graph of a network, used by reference, memory planner and generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bytewing.firmware_export.operators.operator import Operator
from bytewing.firmware_export.tensor import Tensor


@dataclass(frozen=True, eq=False)
class Graph:
    """A network: layers in an order in which they can be executed.

    Attributes:
        layers: each an operator between tensors.
        input: the camera tensor: zero point -128, scale 1/255, so that its int8 value is the
            camera's uint8 minus 128.
        outputs: in the order of the ONNX outputs; each a vector, or a map of one channel, which
            lies in memory as the vector does.
        sha256: of the ONNX file it was read from.
    """

    layers: tuple[Operator, ...]
    input: Tensor
    outputs: tuple[Tensor, ...]
    sha256: str

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """Every tensor by name: the input, then what the layers make, in order."""
        return {tensor.name: tensor for tensor in (self.input, *(y.output for y in self.layers))}

    @property
    def output_size(self) -> int:
        """Number of values of all outputs together."""
        return sum(tensor.size for tensor in self.outputs)

    def consumers(self, tensor: Tensor) -> tuple[Operator, ...]:
        """Return the layers that read ``tensor``."""
        return tuple(layer for layer in self.layers if tensor in layer.inputs)

    @property
    def reads_frame(self) -> bool:
        """Whether the first layers work on the camera frame itself, without a copy in the arena."""
        has_one_plane = self.input.shape[2] == 1
        return has_one_plane and all(layer.reads_frame for layer in self.consumers(self.input))
