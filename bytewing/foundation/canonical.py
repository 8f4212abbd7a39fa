"""Write JSON in a canonical form, so that equal values have equal hashes."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:  # noqa: ANN401 (any JSON value)
    """Return a JSON value as bytes that depend only on the value.

    Keys are sorted, there are no spaces, floats have the shortest form that reads back as the same
    float, and non-ASCII characters are escaped.

    Raises:
        TypeError: the value contains an object that JSON does not support.
        ValueError: the value contains a NaN or an infinity.

    >>> canonical_json({"b": [1, 0.5], "a": None})
    b'{"a":null,"b":[1,0.5]}'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def canonical_sha256(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return the SHA-256 of a JSON value's canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
