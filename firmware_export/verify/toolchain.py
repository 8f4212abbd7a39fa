"""Compile generated C for a Cortex-M; results are cached by content.

``zig cc`` from the pip package ziglang is the default. The caller or the environment variable
BYTEWING_ARM_CC can name another compiler, such as ``arm-none-eabi-gcc``.
``bytewing.foundation.host_compiler`` compiles for this computer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bytewing.firmware_export.target import Target
from bytewing.foundation.errors import BadInputError, BytewingError
from bytewing.foundation.host_compiler import COMMON_FLAGS, ZIG, build, compiler_command

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

# Error message of lld and GNU ld for a full memory.
OVERFLOW = re.compile(r"region ['`](\w+)':? overflowed by (\d+) bytes")


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
        sources: text by file name, as for ``host_compiler.compile_host_library``.
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
    command = compiler_command(compiler, "BYTEWING_ARM_CC")
    if command == ZIG:
        core_flags = list(target.core.zig_flags)
    else:
        core_flags = [*target.core.gcc_flags, "-nostartfiles"]
    flags = [*FIRMWARE_FLAGS, *core_flags, "-Wl,-T,link.ld", f"-Wl,--entry={entries[0]}", *cflags]
    files = {**sources, "link.ld": linker_script(target, entries)}
    try:
        return build(command, flags, files, "firmware.elf")
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
