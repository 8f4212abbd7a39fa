"""Numbers, arrays and templates as C text."""

from __future__ import annotations

import re
import textwrap
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KERNELS = Path(__file__).parent / "kernels"
TEMPLATES = Path(__file__).parent / "templates"
# The line length of generated files.
WIDTH = 100
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
        values: one-dimensional int8, int32 or float32.
    """

    name: str
    values: NDArray[Any]

    def definition(self) -> str:
        """Return its definition."""
        kind = C_TYPES[self.values.dtype]
        return (
            f"static const {kind} {self.name}[{self.values.size}] = {{\n{rows(self.values)}\n}};\n"
        )


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
        items: Iterable[str] = (literal(value) for value in flat)
    elif flat.dtype == np.uint32:
        items = (f"{value:#010x}u" for value in flat)
    else:
        items = (str(value) for value in flat.tolist())
    return textwrap.fill(
        ", ".join(items),
        WIDTH,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def nested_rows(values: NDArray[Any]) -> str:
    """Return a two-dimensional array's elements with braces around each row."""
    return "\n".join(f"    {{\n{textwrap.indent(rows(row), '    ')}\n    }}," for row in values)


def crc32(arrays: Iterable[NDArray[Any]]) -> int:
    """Return the CRC-32 over arrays one after the other, as they lie in little-endian memory."""
    crc = 0
    for array in arrays:
        crc = zlib.crc32(array.astype(array.dtype.newbyteorder("<")).tobytes(), crc)
    return crc


def crc_lines(names: Iterable[str]) -> str:
    """Return the statements that carry ``crc`` on over arrays, as ``crc32`` does here."""
    return "\n".join(f"    crc = bw_crc32(crc, {name}, sizeof {name});" for name in names)


def fill(template: str, values: Mapping[str, str | int]) -> str:
    """Return a template with every ``@KEY@`` replaced; a key without a value is a KeyError."""
    text = (TEMPLATES / template).read_text()
    return re.sub(r"@([A-Z_0-9]+)@", lambda match: str(values[match[1]]), text)


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
