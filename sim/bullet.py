"""PyBullet, imported without the greeting it writes to stderr.

``from sim.bullet import pybullet`` everywhere: whoever imports it first would be greeted, once a
process, in the middle of a progress bar.
"""

from __future__ import annotations

import os


def _import_silently() -> None:
    """Import PyBullet with file descriptor 2, which its C code writes to, led nowhere."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import pybullet  # noqa: F401 (imported for its greeting only)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


_import_silently()

import pybullet  # noqa: E402 (after the silent import)

__all__ = ["pybullet"]
