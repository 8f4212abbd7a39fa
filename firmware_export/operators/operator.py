"""Define the contract of an operator: the functions of a layer that the code generator calls.

An operator is a subclass of ``Operator`` in a module of this package, and each of its instances is
one layer of a network. Importer, reference, planner, emitter and profiler use this contract only.
Every float32 constant that a layer needs is computed once, in ``from_onnx``, so that the reference
and the C cannot disagree about it.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bytewing.firmware_export.kernel_use import KernelUse, Site
from bytewing.firmware_export.onnx_node import OnnxNode
from bytewing.firmware_export.tensor import Int8s, Tensor


@dataclass(frozen=True, eq=False)
class Operator(ABC):
    """One layer.

    Attributes:
        onnx_types: the ONNX operators that ``from_onnx`` reads.
        name: the ONNX node's name, for messages and reports.
        inputs: the tensors it reads.
        output: the tensor it writes.
    """

    onnx_types: ClassVar[tuple[str, ...]]

    name: str
    inputs: tuple[Tensor, ...]
    output: Tensor

    @classmethod
    @abstractmethod
    def from_onnx(cls, node: OnnxNode) -> Sequence[Operator]:
        """Return the layers that compute an ONNX node, in order; the last writes its result.

        Raises:
            BadInputError: an attribute, shape or quantisation that is not supported.
        """

    @abstractmethod
    def run(self, values: Sequence[Int8s]) -> Int8s:
        """Compute the layer exactly; the generated C must give the same result.

        Args:
            values: int8 values of the inputs, each (N, height, width, channels).

        Returns:
            Int8 values of the output, (N, height, width, channels).
        """

    @abstractmethod
    def kernel_use(self, site: Site) -> KernelUse:
        """Return the C that computes the layer at a place in the generated code."""

    @property
    def kind(self) -> str:
        """Name of the operator in function names and reports."""
        return type(self).__name__.lower()

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference, padding included; 0 for what has no weights."""
        return 0

    @property
    def working_bytes(self) -> int:
        """Bytes of working memory that the C needs while the layer runs."""
        return 0

    @property
    def reads_frame(self) -> bool:
        """Whether the C can read a camera frame of one channel itself, as uint8 pixels.

        A pixel is then the int8 input with its zero point of -128 already removed.
        """
        return False

    def row_overlap(self, x: Tensor) -> int | None:
        """Return how many bytes below input ``x`` the output must start to share bytes with it.

        Row r of the output is written while input rows from ``low(r)`` on are still needed, so it
        must end at or below the start of row ``low(r)``. None: the layer cannot share.
        """
        return None

    @property
    def constant_bytes(self) -> int:
        """Bytes of the layer's constant arrays: weights, biases, multipliers, tables."""
        return sum(array.nbytes for array in self._arrays())

    def _arrays(self) -> Iterator[NDArray[Any]]:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, np.ndarray):
                    yield item
