"""Write files atomically, so that an interrupted run leaves the old or the new file; hash files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bytewing.foundation.errors import BadInputError


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to a temporary file in the folder of ``path``, then rename it to ``path``.

    Missing parent folders are created. Raises BadInputError where the folder cannot be written.
    """
    write_together({Path(path): data})


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write several files that belong together: all are on disk before the first is renamed.

    Files are renamed in the order given; only a kill within these microseconds can leave some files
    new and some old.
    """
    staged: list[tuple[str, Path]] = []
    try:
        for path, data in files.items():
            staged.append((_stage(path, data), path))
        for temporary, path in staged:
            os.replace(temporary, path)
    except BaseException:
        for temporary, _ in staged:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise


def _stage(path: Path, data: bytes) -> str:
    """Write ``data`` beside ``path`` under a temporary name, which is returned."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise BadInputError(f"{path}: cannot be written: {error.strerror or error}") from error
    return temporary


def require_writable_folder(path: Path) -> Path:
    """Create ``path`` if it is missing and return it; BadInputError where it cannot be written.

    Commands call it before long work starts, so that the work is not lost at its end.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path):
            pass
    except OSError as error:
        raise BadInputError(
            f"{path}: cannot be written: {error.strerror or error}; choose another folder"
        ) from error
    return path


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cache_folder() -> Path:
    """Return the folder for compiled code: $BYTEWING_CACHE, else one in the user's cache folder."""
    chosen = os.environ.get("BYTEWING_CACHE")
    if chosen:
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "bytewing"
