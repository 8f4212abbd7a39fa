"""Compile and run generated C with the compilers of this computer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ZIG = [sys.executable, "-m", "ziglang"]


def write(sources: dict[str, str], folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in sources.items():
        (folder / name).write_text(text)
    return sorted(name for name in sources if name.endswith(".c"))


def gcc() -> str:
    found = shutil.which("gcc")
    if not found:
        assert not os.environ.get("CI"), "gcc is missing; CI must run the sanitizers"
        pytest.skip("gcc is not installed")
    return found


def run(command, **kwargs) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)
    assert result.returncode == 0, result.stderr + result.stdout
    return result.stdout
