"""Emulate a Cortex-M that runs the linked firmware image in its memory map.

Unicorn executes the instructions that the device would execute. It has no notion of time:
``profile`` counts what ran and estimates cycles from that.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import unicorn
from numpy.typing import NDArray
from unicorn import arm_const

from bytewing.firmware_export.interface import PolicyInterface
from bytewing.firmware_export.target import Target
from bytewing.firmware_export.verify.image import Image, load_image
from bytewing.foundation.errors import BadInputError, BytewingError
from bytewing.policies.guidance.answer import NO_ROUTE, NO_SENSES, Step
from bytewing.policies.guidance.guide import report_of
from bytewing.sim.senses import SENSES_SIZE

# Unicorn has no Cortex-M0+; its M0 executes the same instructions (Armv6-M).
CPU_MODELS = {
    "cortex-m0plus": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7": arm_const.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33": arm_const.UC_CPU_ARM_CORTEX_M33,
}

PAGE_BYTES = 4096
# Calls return here; a region that Armv7-M lets code execute and that no target's memory covers.
RETURN_ADDRESS = 0x1FFF_0000
STACK_PAINT = 0xA5
ARGUMENT_REGISTERS = (
    arm_const.UC_ARM_REG_R0,
    arm_const.UC_ARM_REG_R1,
    arm_const.UC_ARM_REG_R2,
    arm_const.UC_ARM_REG_R3,
)
# Far beyond any frame, a profiled one on a core without FPU too: only code that never returns runs
# into it.
TIME_LIMIT_S = 600


class Machine:
    """An emulated microcontroller with one firmware image in its flash.

    The stack starts at the top of RAM. Buffers of the caller (frames, results) lie behind the
    image's own variables, where the rest of a real firmware would have its memory.

    Attributes:
        image: the linked firmware.
        target: the microcontroller.
        engine: Unicorn's handle, for hooks. Set them before the first call: code that has been
            translated already does not see new ones.
    """

    def __init__(self, path: Path, target: Target) -> None:
        self.image: Image = load_image(path)
        self.target = target
        self.engine = unicorn.Uc(
            unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
        )
        self.engine.ctl_set_cpu_model(CPU_MODELS[target.core.kind])
        memory = target.memory
        self._map(memory.flash_origin, memory.flash_bytes.value, unicorn.UC_PROT_WRITE)
        self._map(memory.ram_origin, memory.ram_bytes.value, unicorn.UC_PROT_EXEC)
        self._map(RETURN_ADDRESS, PAGE_BYTES, unicorn.UC_PROT_WRITE)
        self.engine.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._note_bad_access)
        self._bad_access = ""
        self._ram_end = memory.ram_origin + int(memory.ram_bytes.value)
        self._free = memory.ram_origin
        for section in self.image.sections:
            # As the startup code of a real firmware does: initial values copied, the rest zero.
            self.write(section.address, section.data or bytes(section.size))
            if section.writable:
                self._free = max(self._free, section.address + section.size)

    def call(self, name: str, *arguments: int) -> int:
        """Call a function and return its result.

        Args:
            name: a symbol of the image.
            arguments: at most four integers or addresses.

        Returns:
            The result register as a signed 32-bit integer.

        Raises:
            BytewingError: no such function, or it faulted or did not return; the line says where.
        """
        if name not in self.image.symbols:
            raise BytewingError(f"{self.image.path}: has no function {name}")
        engine = self.engine
        for register, value in zip(ARGUMENT_REGISTERS, arguments, strict=False):
            engine.reg_write(register, value)
        engine.reg_write(arm_const.UC_ARM_REG_SP, self._ram_end)
        engine.reg_write(arm_const.UC_ARM_REG_LR, RETURN_ADDRESS | 1)
        self._bad_access = ""
        limit_us = int(TIME_LIMIT_S * 1_000_000)
        try:
            engine.emu_start(self.image.symbols[name] | 1, RETURN_ADDRESS, timeout=limit_us)
        except unicorn.UcError as error:
            raise self._fault(name, self._bad_access or str(error)) from error
        if engine.reg_read(arm_const.UC_ARM_REG_PC) != RETURN_ADDRESS:
            raise self._fault(name, f"did not return within {TIME_LIMIT_S} s")
        result: int = engine.reg_read(arm_const.UC_ARM_REG_R0)
        return result - (1 << 32) if result >> 31 else result

    def allocate(self, size: int) -> int:
        """Reserve ``size`` bytes of RAM behind the image's variables and return their address."""
        address = -(-self._free // 8) * 8
        if address + size > self._ram_end:
            raise BytewingError(
                f"{self.target.name}: no RAM left for a buffer of {size} B "
                f"({self._ram_end - address} B free)"
            )
        self._free = address + size
        return address

    def read(self, address: int, size: int) -> bytes:
        """Return ``size`` bytes of memory."""
        return bytes(self.engine.mem_read(address, size))

    def write(self, address: int, data: bytes) -> None:
        """Write memory, flash too (as a programmer would)."""
        self.engine.mem_write(address, data)

    def paint_stack(self) -> None:
        """Fill all free RAM with a pattern, from which ``stack_bytes`` measures the stack."""
        self.write(self._free, bytes([STACK_PAINT]) * (self._ram_end - self._free))

    def stack_bytes(self) -> int:
        """Return the depth of the stack since ``paint_stack``: from its top to the deepest write.

        Stack that was reserved but never written does not count.
        """
        memory = np.frombuffer(self.read(self._free, self._ram_end - self._free), np.uint8)
        touched = np.flatnonzero(memory != STACK_PAINT)
        return int(memory.size - touched[0]) if touched.size else 0

    def _map(self, origin: int, size: float, without: int) -> None:
        start = origin // PAGE_BYTES * PAGE_BYTES
        end = -(-(origin + int(size)) // PAGE_BYTES) * PAGE_BYTES
        self.engine.mem_map(start, end - start, unicorn.UC_PROT_ALL & ~without)

    def _note_bad_access(
        self, engine: unicorn.Uc, access: int, address: int, size: int, *_: object
    ) -> bool:
        kinds = {
            unicorn.UC_MEM_WRITE_PROT: "write to flash",
            unicorn.UC_MEM_WRITE_UNMAPPED: "write outside memory",
            unicorn.UC_MEM_READ_UNMAPPED: "read outside memory",
            unicorn.UC_MEM_FETCH_PROT: "execution in RAM",
            unicorn.UC_MEM_FETCH_UNMAPPED: "execution outside memory",
        }
        self._bad_access = f"{kinds.get(access, 'bad access')} at {address:#010x} ({size} B)"
        return False

    def _fault(self, name: str, reason: str) -> BytewingError:
        counter = self.engine.reg_read(arm_const.UC_ARM_REG_PC)
        return BytewingError(
            f"{self.target.name}: {name} failed in the emulator: {reason}, "
            f"pc {self.image.symbolise(counter)}"
        )


class PolicyMachine(Machine):
    """A machine that runs an exported policy's C interface.

    Args:
        path: ELF with the policy's functions.
        target: the microcontroller.
        interface: interface of these functions.
    """

    def __init__(self, path: Path, target: Target, interface: PolicyInterface) -> None:
        super().__init__(path, target)
        self._interface = interface
        self._frame_address = self.allocate(interface.frame_bytes)
        self._answer_address = self.allocate(4 * interface.kind.answer_size)
        self._senses_address = self.allocate(4 * SENSES_SIZE)
        self._route_address, self._route_bytes = 0, 0

    def reset(self, route: NDArray[np.float32] = NO_ROUTE) -> None:
        """Reset the policy to its state at take-off, with the route (N, 5) of a flight."""
        name = f"{self._interface.name}_reset"
        if not self._interface.takes_route:
            self.call(name)
            return
        rows = route.astype("<f4").tobytes()
        if len(rows) > self._route_bytes:
            self._route_address, self._route_bytes = self.allocate(len(rows)), len(rows)
        self.write(self._route_address, rows)
        self.call(name, self._route_address, len(route))

    def give(
        self, frame: NDArray[np.uint8], senses: NDArray[np.float32] = NO_SENSES
    ) -> tuple[int, ...]:
        """Write the inputs of a step into memory and return its arguments.

        Raises:
            BadInputError: the frame has another type or size than the policy's input.
        """
        interface = self._interface
        given = []
        if interface.takes_frames:
            if frame.dtype != np.uint8 or frame.size != interface.frame_bytes:
                raise BadInputError(
                    f"a frame is {frame.dtype} {frame.shape}: policy {interface.name!r} takes "
                    f"uint8 of {interface.frame_bytes} values"
                )
            self.write(self._frame_address, frame.tobytes())
            given.append(self._frame_address)
        if interface.takes_senses:
            self.write(self._senses_address, senses.astype("<f4").tobytes())
            given.append(self._senses_address)
        return *given, self._answer_address

    def step(self, frame: NDArray[np.uint8], senses: NDArray[np.float32] = NO_SENSES) -> Step:
        """Run one camera frame (H, W) uint8 and the senses (SENSES_SIZE,) with it.

        Raises:
            BadInputError: the frame has another type or size than the policy's input.
        """
        interface = self._interface
        status = self.call(f"{interface.name}_step", *self.give(frame, senses))
        address = self.call(f"{interface.name}_outputs") & 0xFFFF_FFFF
        outputs = self.read(address, interface.output_count)
        data = self.read(self._answer_address, 4 * interface.kind.answer_size)
        answer = np.frombuffer(data, "<f4")
        report = report_of(interface.kind, status, answer)
        return Step(np.frombuffer(outputs, np.int8), answer, report)

    def selftest(self) -> int:
        """Run the golden vectors on the device; 0 where all of them agree."""
        return self.call(f"{self._interface.name}_selftest")
