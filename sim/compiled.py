"""The decorator ``@compiled``: numba's ``njit`` with this project's settings.

- Compiled code is kept on disk, so that only the first flight ever waits for the compiler.
- Divisions follow IEEE 754 instead of raising: a state that blows up becomes a NaN that
  ``bytewing.sim.plant`` finds and reports, and loops may be vectorised.
- No ``fastmath``: results must be the same bits in every process.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numba

from bytewing.foundation.files import cache_folder


def _sources_hash() -> str:
    """Return a hash that changes with any source file of ``sim``.

    numba looks at the file of the outermost compiled function only: after an edit to a function
    that it calls, it would go on with the old machine code.
    """
    root = Path(__file__).parent
    found = hashlib.sha256(str(root).encode())
    for path in sorted(root.rglob("*.py")):
        status = path.stat()
        found.update(f"{path} {status.st_mtime_ns} {status.st_size}\n".encode())
    return found.hexdigest()[:16]


if "NUMBA_CACHE_DIR" not in os.environ:
    folder = cache_folder() / "numba" / _sources_hash()
    numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]

compiled = numba.njit(cache=True, error_model="numpy")
