"""Profile one call layer by layer: exact instruction counts and estimated cycles.

Unicorn reports every executed basic block and every memory access. The blocks give the exact number
of issued instructions. The table of the core (``timing``) gives the cycles of each block. A model
of the flash caches computes the wait cycles from the addresses. ``docs/cycle-model.md`` describes
the model and its limits.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import capstone
import unicorn
from unicorn import arm_const

from bytewing.firmware_export.target import Target
from bytewing.firmware_export.verify.machine import RETURN_ADDRESS, Machine
from bytewing.firmware_export.verify.timing import NEEDS_ALIGNMENT, TIMINGS, block_cycles
from bytewing.foundation.errors import BytewingError


@dataclass(frozen=True)
class Cost:
    """Instructions issued, and an estimate of the cycles they take."""

    instructions: int
    cycles_estimated: int


@dataclass(frozen=True)
class Profile:
    """Cost of one call.

    Attributes:
        total: cost of the whole call.
        layers: cost of each layer function with the helpers it called, in order of execution.
        rest: cost outside the layers: guidance, copying, function calls.
        flash_wait_cycles: estimated cycles of the total spent waiting for flash.
    """

    total: Cost
    layers: Mapping[str, Cost]
    rest: Cost
    flash_wait_cycles: int


@dataclass(frozen=True, eq=False)
class _Block:
    """A run of instructions, decoded once; hashed by identity, which is quick."""

    instructions: int
    cycles: int
    refill: int
    end: int
    lines: range


class _LineCache:
    """A fully associative cache of flash lines that drops the least recently used."""

    def __init__(self, line_count: int) -> None:
        self._line_count = line_count
        self._lines: OrderedDict[int, None] = OrderedDict()

    def holds(self, line: int) -> bool:
        """Access a line and load it if it is missing; return whether it was cached."""
        lines = self._lines
        if line in lines:
            lines.move_to_end(line)
            return True
        if self._line_count:
            lines[line] = None
            if len(lines) > self._line_count:
                lines.popitem(last=False)
        return False


class Profiler:
    """Emulator hooks that profile a machine; attach one per machine, before its first call.

    Args:
        machine: a machine that has not run anything yet.
        layer_pattern: regular expression for the names of the layers' functions.
    """

    def __init__(self, machine: Machine, layer_pattern: str) -> None:
        target = machine.target
        self._machine = machine
        self._timing = TIMINGS[target.core.kind]
        self._decoder = capstone.Cs(
            capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS
        )
        self._decoder.detail = True
        self._layers_at = {
            function.address: function.name
            for function in machine.image.functions
            if re.match(layer_pattern, function.name)
        }
        self._blocks: dict[tuple[int, int], _Block] = {}
        self._flash = target.flash
        self._strict_alignment = target.core.kind == "cortex-m0plus"
        self._start_afresh()
        engine = machine.engine
        engine.hook_add(unicorn.UC_HOOK_BLOCK, self._on_block)
        engine.hook_add(unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, self._on_access)

    def profile(self, name: str, *arguments: int) -> Profile:
        """Call a function from cold caches and return what it cost.

        Raises:
            BytewingError: as ``Machine.call``; or an access that hardware would refuse as
                unaligned, which the emulator lets pass.
        """
        self._start_afresh()
        self._machine.call(name, *arguments)
        if self._unaligned:
            raise BytewingError(f"{self._machine.target.name}: {self._unaligned}")
        instructions: Counter[str] = Counter()
        cycles = Counter(self._extra_cycles)
        for (label, block), count in self._runs.items():
            instructions[label] += count * block.instructions
            cycles[label] += count * block.cycles
        costs = {label: Cost(instructions[label], cycles[label]) for label in instructions}
        total = Cost(instructions.total(), cycles.total())
        rest = costs.pop("", Cost(0, 0))
        return Profile(total, costs, rest, self._flash_waits)

    def _start_afresh(self) -> None:
        self._label = ""
        self._label_until = RETURN_ADDRESS
        self._previous: _Block | None = None
        self._runs: Counter[tuple[str, _Block]] = Counter()
        self._extra_cycles: Counter[str] = Counter()
        self._flash_waits = 0
        self._last_line = -1
        self._instruction_cache = _LineCache(self._flash.instruction_lines)
        self._data_cache = (
            self._instruction_cache if self._flash.unified else _LineCache(self._flash.data_lines)
        )
        self._unaligned = ""

    def _on_block(self, engine: unicorn.Uc, address: int, size: int, _: object) -> None:
        block = self._blocks.get((address, size)) or self._decode(address, size)
        previous = self._previous
        if previous is not None and previous.end != address:
            self._extra_cycles[self._label] += previous.refill
        self._previous = block
        if address in self._layers_at:
            self._label = self._layers_at[address]
            self._label_until = engine.reg_read(arm_const.UC_ARM_REG_LR) & ~1
        elif address == self._label_until:
            self._label = ""
        self._runs[self._label, block] += 1
        for line in block.lines:
            if line != self._last_line:
                if not self._instruction_cache.holds(line):
                    self._wait_for_flash(in_sequence=line == self._last_line + 1)
                self._last_line = line

    def _on_access(
        self, engine: unicorn.Uc, access: int, address: int, size: int, value: int, _: object
    ) -> None:
        if address & (min(size, 4) - 1):
            self._check_alignment(engine.reg_read(arm_const.UC_ARM_REG_PC), address)
        origin = self._machine.target.memory.flash_origin
        in_flash = origin <= address < origin + self._machine.target.memory.flash_bytes.value
        if in_flash and not self._data_cache.holds(address // self._flash.line_bytes):
            self._wait_for_flash(in_sequence=False)

    def _wait_for_flash(self, in_sequence: bool) -> None:
        waits = int(self._flash.wait_states.value)
        if in_sequence and self._flash.prefetch:
            # The line before it holds at least this many instructions, which ran meanwhile.
            waits = max(0, waits - self._flash.line_bytes // 4)
        self._extra_cycles[self._label] += waits
        self._flash_waits += waits

    def _check_alignment(self, counter: int, address: int) -> None:
        code = self._machine.read(counter, 4)
        instruction = next(self._decoder.disasm(code, counter, count=1))
        if self._strict_alignment or instruction.id in NEEDS_ALIGNMENT:
            self._unaligned = self._unaligned or (
                f"{instruction.mnemonic} on unaligned address {address:#010x} would fault on "
                f"hardware, pc {self._machine.image.symbolise(counter)}"
            )

    def _decode(self, address: int, size: int) -> _Block:
        code = self._machine.read(address, size)
        instructions = list(self._decoder.disasm(code, address))
        decoded = sum(instruction.size for instruction in instructions)
        if decoded != size:
            raise BytewingError(
                f"{self._machine.target.name}: cannot decode the instruction at "
                f"{self._machine.image.symbolise(address + decoded)}"
            )
        line_bytes = self._flash.line_bytes
        is_call = bool(instructions) and instructions[-1].mnemonic == "bl"
        block = _Block(
            instructions=len(instructions),
            cycles=block_cycles(instructions, self._timing),
            refill=self._timing.call_refill if is_call else self._timing.refill,
            end=address + size,
            lines=range(address // line_bytes, (address + size - 1) // line_bytes + 1),
        )
        self._blocks[address, size] = block
        return block


def computing_s(profile: Profile, target: Target) -> float:
    """Return the estimated time that a profiled call takes on the target's core, s."""
    return profile.total.cycles_estimated / target.core.clock_hz.value
