"""Compile C for this computer into shared libraries, cached by content.

``zig cc`` from the pip package ziglang is the default: nothing else has to be installed. The
environment variable BYTEWING_CC names another compiler (such as ``cc``).
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bytewing.foundation.errors import BadInputError, BytewingError, MissingToolError
from bytewing.foundation.files import cache_folder

ZIG = (sys.executable, "-m", "ziglang", "cc")

# Contraction into fused multiply-adds would change results from one core to the next; errno would
# turn a fused multiply-add that the source asks for into a library call (ARM has it as one VFMA).
ARITHMETIC_FLAGS = ("-ffp-contract=off", "-fno-math-errno")
# zig makes the same code of -O2 and -O3; gcc 12 is a quarter faster with -O3, on both machines.
COMMON_FLAGS = ("-std=c99", "-O3", *ARITHMETIC_FLAGS)

HOST_FLAGS = (*COMMON_FLAGS, "-fPIC", "-shared")
# The vector instructions of this CPU make inference nearly twice as fast. Machines with different
# CPUs may share a cache folder, so the cache key contains the kind of CPU.
ZIG_HOST_FLAGS = ("-mcpu=native",)

# The first line with an error, not the driver's final message that the link failed.
ERROR_LINE = re.compile(r"^(?!collect2).*(error:|overflowed by|undefined reference)")


def compile_host_library(
    sources: Mapping[str, str], *, cflags: Sequence[str] = (), compiler: str | None = None
) -> Path:
    """Compile C into a shared library for this computer.

    Args:
        sources: text by file name; every ``.c`` is compiled, headers are found beside it.
        cflags: further compiler flags.
        compiler: command line of another compiler; default $BYTEWING_CC, else zig.

    Returns:
        Path of the library in the cache.

    Raises:
        BytewingError: the compiler refused the code; the line shows its first error.
        MissingToolError: the compiler is not installed.
    """
    command = compiler_command(compiler, "BYTEWING_CC")
    core_flags = ZIG_HOST_FLAGS if command == ZIG else ()
    flags = [*HOST_FLAGS, *core_flags, *cflags]
    return build(command, flags, sources, "library.so", runs_on=_this_cpu())


@functools.cache
def load_host_library(sources: tuple[Path, ...], cflags: tuple[str, ...] = ()) -> ctypes.CDLL:
    """Compile C files of this installation if needed, load them and return the library.

    The C code must keep its state in memory of the caller, because all callers in a process share
    one library.

    Args:
        sources: the ``.c`` files and the headers that they include, by unique file names.
        cflags: further compiler flags.

    Raises:
        MissingToolError: there is no compiler; the line says what to install.
    """
    texts = {path.name: path.read_text() for path in sources}
    return ctypes.CDLL(str(compile_host_library(texts, cflags=cflags)))


def compiler_command(given: str | None, variable: str) -> tuple[str, ...]:
    """Return a compiler's command line: as given, from the environment variable, or zig."""
    text = given or os.environ.get(variable)
    return tuple(shlex.split(text)) if text else ZIG


def build(
    command: tuple[str, ...],
    flags: Sequence[str],
    files: Mapping[str, str],
    product: str,
    *,
    runs_on: str = "",
) -> Path:
    """Return the product of a compiler run from the cache; run the compiler if it is missing.

    The result is moved into the cache by renaming a folder. If several processes build the same
    product, all use the first result; a killed process leaves no incomplete result.

    Args:
        command: command line of the compiler.
        flags: flags of the compiler.
        files: text by file name; every ``.c`` is compiled.
        product: name of the file that the compiler makes.
        runs_on: further dependency of the product, such as the kind of CPU.
    """
    # argv[0] differs between virtual environments, the compiler behind it is known by its version.
    name = "zig" if command == ZIG else shlex.join(command)
    key_text = json.dumps([name, _version(command), list(flags), sorted(files.items()), runs_on])
    folder = cache_folder() / "build" / hashlib.sha256(key_text.encode()).hexdigest()[:32]
    if (folder / product).is_file():
        return folder / product
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.parent, prefix="unfinished-"))
    except OSError as error:
        raise BadInputError(
            f"{folder.parent}: cannot be written: {error.strerror or error}; "
            "set BYTEWING_CACHE to a folder that can"
        ) from error
    try:
        for file_name, text in files.items():
            (work / file_name).write_text(text)
        units = [file_name for file_name in files if file_name.endswith(".c")]
        _run([*command, *flags, *units, "-o", product], work)
        with open(work / product, "rb") as stream:
            os.fsync(stream.fileno())
        try:
            work.rename(folder)
        except OSError:
            if not (folder / product).is_file():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder / product


@functools.cache
def _version(command: tuple[str, ...]) -> str:
    """Return the compiler's version, which is part of the cache key."""
    if command == ZIG:
        # The package's version is read in a millisecond; asking the program takes a hundred.
        try:
            return version("ziglang")
        except PackageNotFoundError as error:
            raise MissingToolError(
                "no C compiler is installed; run: pip install ziglang "
                "(or name another one in the environment variable BYTEWING_CC)"
            ) from error
    if shutil.which(command[0]) is None:
        raise MissingToolError(
            f"compiler {command[0]!r} is not installed; install it or leave it "
            "out to use zig from the pip package ziglang"
        )
    result = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["no message"]
        raise MissingToolError(f"compiler {shlex.join(command)} does not run: {lines[-1]}")
    return result.stdout


@functools.cache
def _this_cpu() -> str:
    """Return text that identifies the kind of this CPU: its instruction sets."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return next((line for line in lines if line.lower().startswith(("flags", "features"))), "")


def _run(command: Sequence[str], work: Path) -> None:
    environment = {
        **os.environ,
        "ZIG_GLOBAL_CACHE_DIR": str(cache_folder() / "zig"),
        "ZIG_LOCAL_CACHE_DIR": str(work / "zig-local"),
    }
    result = subprocess.run(
        command, cwd=work, env=environment, capture_output=True, text=True, check=False
    )
    shutil.rmtree(work / "zig-local", ignore_errors=True)
    if result.returncode != 0:
        lines = (result.stderr + result.stdout).splitlines()
        errors = [line for line in lines if ERROR_LINE.match(line)] or lines or ["no message"]
        raise BytewingError(f"C compiler failed: {errors[0].strip()}")
