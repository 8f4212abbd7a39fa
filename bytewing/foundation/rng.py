"""One seed per flight, split into named streams: adding a sensor never changes the wind."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random stream ``name`` of a flight's ``seed``.

    The name enters through SHA-256 (Python's own hash changes from process to process), so two
    names give independent streams and the order in which they are asked for does not matter.

    >>> stream(1, "wind").random() == stream(1, "wind").random()
    True
    """
    digest = hashlib.sha256(name.encode()).digest()
    words = np.frombuffer(digest, dtype="<u4")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words.tolist()])))
