"""Import PyBullet with its terminal output silenced.

``from bytewing.sim.bullet import pybullet`` everywhere: whoever imports it first would be greeted,
once a process, in the middle of a progress bar.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STDOUT, STDERR = 1, 2


@contextmanager
def silent(descriptor: int) -> Iterator[None]:
    """Lead a file descriptor nowhere for a while, and with it what C code writes there."""
    sys.stdout.flush()
    flush_c = ctypes.CDLL(None).fflush  # C has buffers of its own
    flush_c(None)
    kept, nowhere = os.dup(descriptor), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    try:
        yield
    finally:
        flush_c(None)
        os.dup2(kept, descriptor)
        os.close(kept)
        os.close(nowhere)


with silent(STDERR):
    import pybullet

__all__ = ["STDOUT", "pybullet", "silent"]
