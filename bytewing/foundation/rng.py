"""Make independent, named random streams from the seed of a flight."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random stream ``name`` of a flight's ``seed``.

    The stream depends on the SHA-256 of the name (Python's own hash changes from process to
    process). Two names give independent streams, and the order of the calls does not matter.

    >>> stream(1, "wind").random() == stream(1, "wind").random()
    True
    """
    digest = hashlib.sha256(name.encode()).digest()
    words = np.frombuffer(digest, dtype="<u4")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words.tolist()])))
