"""Read a linked firmware ELF: its sections, symbols and memory use."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from bytewing.foundation.errors import BytewingError

# ELF specification, sh_flags.
SHF_WRITE, SHF_ALLOC = 0x1, 0x2


@dataclass(frozen=True)
class Section:
    """A section that occupies memory.

    Attributes:
        name: such as ``.text``.
        address: address at run time.
        size: size in bytes at run time.
        data: its content; None for zeroed memory (``.bss``).
        writable: True for RAM.
    """

    name: str
    address: int
    size: int
    data: bytes | None
    writable: bool


@dataclass(frozen=True)
class Function:
    """A function symbol; ``address`` without the Thumb bit."""

    name: str
    address: int
    size: int


@dataclass(frozen=True)
class Image:
    """Sections and symbols of an ELF file.

    Attributes:
        path: the file.
        sections: those that occupy memory.
        symbols: address by name; a function's with its Thumb bit, as a call needs it.
        functions: by rising address.
    """

    path: Path
    sections: tuple[Section, ...]
    symbols: dict[str, int]
    functions: tuple[Function, ...]

    @property
    def flash_bytes(self) -> int:
        """Code, constants and the initial values of variables."""
        return sum(section.size for section in self.sections if section.data is not None)

    @property
    def static_ram_bytes(self) -> int:
        """Variables, initialised or zeroed."""
        return sum(section.size for section in self.sections if section.writable)

    def function_at(self, address: int) -> Function | None:
        """Return the function whose code holds ``address``; None outside all of them."""
        index = bisect.bisect_right([f.address for f in self.functions], address) - 1
        if index < 0:
            return None
        function = self.functions[index]
        return function if address < function.address + max(function.size, 2) else None

    def symbolise(self, address: int) -> str:
        """Return ``0xADDRESS (function+0xOFFSET)`` for messages."""
        function = self.function_at(address)
        if function is None:
            return f"{address:#010x} (outside the firmware's code)"
        return f"{address:#010x} ({function.name}+{address - function.address:#x})"


def load_image(path: Path) -> Image:
    """Read an ELF that our own toolchain linked; BytewingError where it has been stripped."""
    with open(path, "rb") as stream:
        elf = ELFFile(stream)
        sections = tuple(
            Section(
                name=section.name,
                address=section["sh_addr"],
                size=section["sh_size"],
                data=None if section["sh_type"] == "SHT_NOBITS" else section.data(),
                writable=bool(section["sh_flags"] & SHF_WRITE),
            )
            for section in elf.iter_sections()
            if section["sh_flags"] & SHF_ALLOC and section["sh_size"]
        )
        table = elf.get_section_by_name(".symtab")
        if not isinstance(table, SymbolTableSection):
            raise BytewingError(f"{path}: has no symbols; compile without -s and -Os")
        symbols: dict[str, int] = {}
        functions: dict[int, Function] = {}
        for symbol in table.iter_symbols():
            kind = symbol["st_info"]["type"]
            if not symbol.name or kind not in ("STT_FUNC", "STT_OBJECT"):
                continue
            symbols[symbol.name] = symbol["st_value"]
            if kind == "STT_FUNC":
                address = symbol["st_value"] & ~1
                functions[address] = Function(symbol.name, address, symbol["st_size"])
    return Image(path, sections, symbols, tuple(functions[a] for a in sorted(functions)))
