"""Hash the sources of Bytewing and of all installed tasks, to identify the code.

A version alone does not tell an edited checkout from the release. The hash is over content, not
over paths and modification times, so that it is the same in every process and in every copy of the
same code: a checkout here, a wheel on a cluster's workers.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from pathlib import Path

from bytewing.foundation.errors import BytewingError
from bytewing.foundation.files import sha256_of_file
from bytewing.foundation.registry import GROUP

SOURCES = frozenset({".py", ".c", ".h", ".ld", ".toml", ".j2", ".jinja"})
"""Suffixes of the files that count: those that a wheel holds and that are no trained network, whose
bundle has hashes of its own."""


@cache
def sources_sha256() -> str:
    """Return the hash of all sources of Bytewing and of the packages that bring tasks.

    Files are read once a process: a process runs the code that it started with.
    """
    found = hashlib.sha256()
    for package in _packages():
        for name, path in sorted(_files(package)):
            found.update(f"{package.name}/{name} {sha256_of_file(path)}\n".encode())
    return found.hexdigest()


def code_version() -> str:
    """Return Bytewing's version and the start of its sources' hash, for messages and comparing."""
    return f"{version('bytewing')} (sources {sources_sha256()[:12]})"


def _packages() -> list[ModuleSpec]:
    """Return Bytewing and the outermost package of each task, each once, by name."""
    modules = {"bytewing", *(entry.module for entry in entry_points(group=GROUP))}
    packages = {spec.name: spec for spec in map(_outermost, modules)}
    return [packages[name] for name in sorted(packages)]


def _outermost(module: str) -> ModuleSpec:
    """Return the outermost package that holds a module; a namespace package does not count."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        spec = find_spec(".".join(parts[:end]))
        if spec is not None and spec.origin is not None:
            return spec
    raise BytewingError(f"the sources of {module} cannot be found; install its package again")


def _files(package: ModuleSpec) -> Iterator[tuple[str, Path]]:
    """Yield the name below the package and the path of each of its sources."""
    if not package.submodule_search_locations:
        yield "", Path(str(package.origin))
        return
    # Packages may be links (docs/design.md), which pathlib's rglob does not follow.
    for root in package.submodule_search_locations:
        for folder, subfolders, names in os.walk(root, followlinks=True):
            subfolders[:] = [name for name in subfolders if name != "__pycache__"]
            for name in names:
                path = Path(folder, name)
                if path.suffix in SOURCES:
                    yield path.relative_to(root).as_posix(), path
