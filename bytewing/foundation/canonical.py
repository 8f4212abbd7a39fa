"""Canonical JSON: one sequence of bytes for one value, so that hashes of it can be compared."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:  # noqa: ANN401 (any JSON value)
    """Return a JSON value as bytes that depend on nothing but the value.

    Keys are sorted, nothing is spaced, floats have the fewest digits that read back as the same
    float, and everything but ASCII is escaped.

    Raises:
        TypeError: the value is not JSON; no other object is written by its ``repr``.
        ValueError: it holds a NaN or an infinity, which JSON cannot.

    >>> canonical_json({"b": [1, 0.5], "a": None})
    b'{"a":null,"b":[1,0.5]}'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def canonical_sha256(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return the SHA-256 of a JSON value's canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
