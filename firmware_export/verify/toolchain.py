"""Compile generated C for this computer and for a Cortex-M; both results are cached by content.

``zig cc`` from the pip package ziglang is the default for both: nothing has to be installed.
Another compiler is taken where the caller names one, or from the environment: BYTEWING_CC for this
computer (such as ``cc``), BYTEWING_ARM_CC for the microcontroller (such as ``arm-none-eabi-gcc``).
"""

from __future__ import annotations

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
from pathlib import Path

from bytewing.firmware_export.target import Target
from bytewing.foundation.errors import BadInputError, BytewingError, MissingToolError
from bytewing.foundation.files import cache_folder

ZIG = (sys.executable, "-m", "ziglang", "cc")

# Contraction into fused multiply-adds would change results from one core to the next; errno would
# turn a fused multiply-add that the source asks for into a library call (ARM has it as one VFMA).
ARITHMETIC_FLAGS = ("-ffp-contract=off", "-fno-math-errno")
# zig makes the same code of -O2 and -O3; gcc 12 is a quarter faster with -O3, on both machines.
COMMON_FLAGS = ("-std=c99", "-O3", *ARITHMETIC_FLAGS)

HOST_FLAGS = (*COMMON_FLAGS, "-fPIC", "-shared")
# This very CPU's vector instructions make a frame nearly twice as fast. A cache folder may be
# shared by machines of unlike age, so what is compiled is kept for each kind of CPU apart.
ZIG_HOST_FLAGS = ("-mcpu=native",)

# Sections a function, collected from the entry symbols on: without that all of compiler-rt stays.
# The convolutions of cores with the DSP extension take all registers, a frame pointer's too.
# No -nostdlib: soft floating point and memory helpers come from compiler-rt (gcc: libgcc).
FIRMWARE_FLAGS = (
    *COMMON_FLAGS,
    "-ffreestanding",
    "-fomit-frame-pointer",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-Wl,--gc-sections",
)

# What a linker says of a full memory: lld and GNU ld.
OVERFLOW = re.compile(r"region ['`](\w+)':? overflowed by (\d+) bytes")
# The first line that says what is wrong, not the driver's remark that something was.
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
    command = _compiler(compiler, "BYTEWING_CC")
    core_flags = ZIG_HOST_FLAGS if command == ZIG else ()
    flags = [*HOST_FLAGS, *core_flags, *cflags]
    return _build(command, flags, sources, "library.so", runs_on=_this_cpu())


def compile_firmware(
    sources: Mapping[str, str],
    target: Target,
    entries: Sequence[str],
    *,
    cflags: Sequence[str] = (),
    compiler: str | None = None,
) -> Path:
    """Compile and link C for a microcontroller, keeping what the entry symbols need.

    Args:
        sources: text by file name, as for ``compile_host_library``.
        target: whose core, flags and memory map are used.
        entries: functions to keep; all they do not reach is left out.
        cflags: further compiler flags.
        compiler: command line of another compiler; default $BYTEWING_ARM_CC, else zig.

    Returns:
        Path of the linked ELF in the cache.

    Raises:
        BadInputError: code or data do not fit into the chip's memory.
        BytewingError: the compiler or linker refused; the line shows its first error.
        MissingToolError: the compiler is not installed.
    """
    command = _compiler(compiler, "BYTEWING_ARM_CC")
    if command == ZIG:
        core_flags = list(target.core.zig_flags)
    else:
        core_flags = [*target.core.gcc_flags, "-nostartfiles"]
    flags = [*FIRMWARE_FLAGS, *core_flags, "-Wl,-T,link.ld", f"-Wl,--entry={entries[0]}", *cflags]
    files = {**sources, "link.ld": linker_script(target, entries)}
    try:
        return _build(command, flags, files, "firmware.elf")
    except BytewingError as error:
        full = OVERFLOW.search(str(error))
        if full is None:
            raise
        memory = target.memory
        size = memory.flash_bytes if full[1] == "FLASH" else memory.ram_bytes
        raise BadInputError(
            f"{target.name}: {full[1]} of {size.value:,.0f} B overflows by {int(full[2]):,} B; "
            "shrink the network or take a larger target"
        ) from error


def linker_script(target: Target, entries: Sequence[str]) -> str:
    """Return a linker script that lays ``entries`` and what they need into the target's memory."""
    keep = "\n".join(f"    KEEP(*(.text.{name}))" for name in entries)
    memory = target.memory
    return f"""\
ENTRY({entries[0]})
MEMORY
{{
  FLASH (rx)  : ORIGIN = {memory.flash_origin:#010x}, LENGTH = {int(memory.flash_bytes.value)}
  RAM   (rwx) : ORIGIN = {memory.ram_origin:#010x}, LENGTH = {int(memory.ram_bytes.value)}
}}
SECTIONS
{{
  .text : {{
{keep}
    *(.text .text.*)
  }} > FLASH
  .rodata : {{ *(.rodata .rodata.*) }} > FLASH
  .data : {{ *(.data .data.*) }} > RAM AT > FLASH
  .bss (NOLOAD) : {{ *(.bss .bss.*) *(COMMON) }} > RAM
  /DISCARD/ : {{ *(.ARM.exidx*) *(.ARM.extab*) *(.comment) *(.debug*) }}
}}
"""


def _compiler(given: str | None, variable: str) -> tuple[str, ...]:
    text = given or os.environ.get(variable)
    return tuple(shlex.split(text)) if text else ZIG


@functools.cache
def _version(command: tuple[str, ...]) -> str:
    """Return the compiler's own words about its version, which are part of the cache key."""
    if command == ZIG:
        command = (*ZIG[:-1], "version")
    else:
        command = (*command, "--version")
    if shutil.which(command[0]) is None:
        raise MissingToolError(
            f"compiler {command[0]!r} is not installed; install it or leave it "
            "out to use zig from the pip package ziglang"
        )
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["no message"]
        raise MissingToolError(f"compiler {shlex.join(command)} does not run: {lines[-1]}")
    return result.stdout


@functools.cache
def _this_cpu() -> str:
    """Return what tells this computer's kind of CPU from another's: its instruction sets."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return next((line for line in lines if line.lower().startswith(("flags", "features"))), "")


def _build(
    command: tuple[str, ...],
    flags: Sequence[str],
    files: Mapping[str, str],
    product: str,
    runs_on: str = "",
) -> Path:
    """Return the cached product of a compiler run, running it only where it is not there yet.

    The result is published by renaming a whole folder: of several processes that build the same,
    the first wins and the others use its result; a killed one leaves nothing under the final name.
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
