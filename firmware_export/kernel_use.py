"""Describe the kernel calls of a layer, with their constant arrays and memory addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bytewing.firmware_export.c_text import Array
from bytewing.firmware_export.tensor import Tensor

NO_ARRAY = "(const int8_t *)0"


@dataclass(frozen=True)
class Site:
    """The position of a layer in the generated code.

    Attributes:
        function: name of the layer's C function, prefix of the names of its arrays.
        addresses: C expression of the address of each tensor, by tensor name.
        on_frame: whether the layer reads the camera frame itself, as uint8 pixels.
        working_memory: C expression of the address of its working memory; empty if it has none.
    """

    function: str
    addresses: Mapping[str, str]
    on_frame: bool
    working_memory: str

    def address(self, tensor: Tensor) -> str:
        """Return the C expression of the address of a tensor."""
        return self.addresses[tensor.name]


@dataclass(frozen=True)
class Call:
    """A call of a kernel's function.

    Attributes:
        function: its name.
        lines: the arguments as C text, one line below the other.
    """

    function: str
    lines: tuple[str, ...]

    @classmethod
    def of(cls, function: str, *lines: str) -> Call:
        """Return a call of ``function`` with these lines of arguments."""
        return cls(function, lines)


@dataclass(frozen=True, eq=False)
class KernelUse:
    """The C of a layer.

    Attributes:
        kernel: file of the kernel, in ``kernels/``.
        calls: in order.
        arrays: the layer's constants.
        declarations: of local variables, before the calls.
    """

    kernel: str
    calls: tuple[Call, ...]
    arrays: tuple[Array, ...] = ()
    declarations: tuple[str, ...] = ()
