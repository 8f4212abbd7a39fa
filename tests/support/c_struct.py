"""Structs of C headers as numpy types: of float, int32_t and other such structs, so unpadded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

TYPES = {"float": np.dtype(np.float32), "int32_t": np.dtype(np.int32)}


def struct_type(headers: Iterable[Path], name: str) -> np.dtype:
    """Return the type of ``typedef struct {...} NAME;`` in one of the headers."""
    text = "\n".join(path.read_text() for path in headers)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    sizes = dict(re.findall(r"#define (\w+) (\d+)\b", text))
    bodies = {
        found[2]: found[1] for found in re.finditer(r"typedef struct \{(.*?)\} (\w+);", text, re.S)
    }

    def type_of(name: str) -> np.dtype:
        if name in TYPES:
            return TYPES[name]
        fields = []
        for line in filter(None, map(str.strip, bodies[name].split(";"))):
            kind, declared = line.split(maxsplit=1)
            for declarator in declared.split(","):
                field, *shape = re.findall(r"\w+", declarator)
                fields.append((field, type_of(kind), tuple(int(sizes.get(n, n)) for n in shape)))
        return np.dtype(fields)

    return type_of(name)
