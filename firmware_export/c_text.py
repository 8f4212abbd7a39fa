"""Numbers, arrays, kernels and comments as C text."""

from __future__ import annotations

import bisect
import itertools
import re
import textwrap
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KERNELS = Path(__file__).parent / "kernels"
TEMPLATES = Path(__file__).parent / "templates"
# The line length of generated files.
WIDTH = 100
INDENT = " " * 4
C_TYPES = {
    np.dtype(np.int8): "int8_t",
    np.dtype(np.uint8): "uint8_t",
    np.dtype(np.int32): "int32_t",
    np.dtype(np.uint32): "uint32_t",
    np.dtype(np.float32): "float",
}


@dataclass(frozen=True, eq=False)
class Array:
    """A constant array of the generated code.

    Attributes:
        name: its C name.
        values: of one of ``C_TYPES``; one-dimensional, or two-dimensional for golden vectors.
    """

    name: str
    values: NDArray[Any]

    @property
    def c_type(self) -> str:
        """The C type of its elements."""
        return C_TYPES[self.values.dtype]


def literal(value: float | np.float32) -> str:
    """Return a float32 as a hexadecimal C literal, which is exact.

    >>> literal(np.float32(0.1))
    '0x1.99999ap-4f'
    """
    mantissa, _, exponent = float(np.float32(value)).hex().partition("p")
    mantissa = mantissa.rstrip("0").removesuffix(".") if "." in mantissa else mantissa
    return f"{mantissa}p{exponent}f"


def rows(values: NDArray[Any]) -> str:
    """Return an array's elements as indented lines, without braces."""
    flat = values.reshape(-1)
    if flat.dtype == np.float32:
        items = [literal(value) for value in flat]
    elif flat.dtype == np.uint32:
        items = [f"{value:#010x}u" for value in flat]
    else:
        items = [str(value) for value in flat.tolist()]
    lines, first = [], 0
    # Where each element ends in one endless line; each has a space before it and a comma behind.
    ends = list(itertools.accumulate(len(item) + 2 for item in items))
    while first < len(items):
        start = ends[first - 1] if first else 0
        # The space before the first element is not there.
        after = bisect.bisect_right(ends, start + WIDTH - len(INDENT) + 1, lo=first + 1)
        if after == len(items) - 1 and ends[-1] - start - 2 <= WIDTH - len(INDENT):
            after += 1  # there is no comma behind the last one
        lines.append(INDENT + ", ".join(items[first:after]))
        first = after
    return ",\n".join(lines)


def nested_rows(values: NDArray[Any]) -> str:
    """Return a two-dimensional array's elements with braces around each row."""
    return "\n".join(f"    {{\n{textwrap.indent(rows(row), INDENT)}\n    }}," for row in values)


def crc32(arrays: Iterable[Array]) -> int:
    """Return the CRC-32 over arrays one after the other, as they lie in little-endian memory."""
    crc = 0
    for array in arrays:
        values = array.values
        crc = zlib.crc32(values.astype(values.dtype.newbyteorder("<")).tobytes(), crc)
    return crc


def kernels(names: Sequence[str]) -> str:
    """Return the text of kernel headers and of those they include, each once, ready to paste."""
    done: list[str] = []
    texts = []

    def visit(name: str) -> None:
        if name in done:
            return
        done.append(name)
        text = (KERNELS / name).read_text()
        for needed in re.findall(r'^#include "(.+)"$', text, re.MULTILINE):
            visit(needed)
        texts.append(_without_guard(text))

    for name in names:
        visit(name)
    return "\n".join(texts)


def comment(text: str) -> str:
    """Return foreign text as something that can stand in a C comment on one line.

    >>> comment("a */ b")
    'a _/ b'
    """
    return re.sub(r"[^\w ./:;,()+-]", "_", text, flags=re.ASCII)


def _without_guard(text: str) -> str:
    text = re.sub(r'^#include ".+"\n\n?', "", text, flags=re.MULTILINE)
    text = re.sub(r"^#ifndef (\w+_H)\n#define \1\n\n?", "", text, flags=re.MULTILINE)
    return re.sub(r"\n#endif\n\Z", "", text)
