"""Define the data of a microcontroller: core, clock, memory, and latency of its camera frames.

Every number has its source and the kind of evidence, so that the latency of a flight can be traced
to a data sheet or an assumption.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from bytewing.foundation.config import Config, load
from bytewing.foundation.errors import BadInputError, did_you_mean

FOLDER = Path(__file__).parent / "targets"


class Quantity(Config):
    """A number with its origin.

    Attributes:
        value: in the unit that ends the key's name.
        basis: measured on hardware, published by its maker, or assumed by us.
        source: where it was read, or why it was assumed.
    """

    value: float = Field(ge=0)
    basis: Literal["measured", "published", "assumed"]
    source: str = Field(min_length=8)


class Core(Config):
    """The processor core.

    Attributes:
        kind: names the table of instruction timings.
        clock_hz: core clock.
        zig_flags: what ``zig cc`` needs to know of the core.
        gcc_flags: the same for ``arm-none-eabi-gcc``.
    """

    kind: Literal["cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33"]
    clock_hz: Quantity
    zig_flags: tuple[str, ...]
    gcc_flags: tuple[str, ...]


class Memory(Config):
    """The memory map, and what of it a policy may take beside the rest of the firmware.

    Attributes:
        flash_origin: first address a program may use (after a bootloader).
        flash_bytes: from there to the end.
        ram_origin: first address of the RAM that holds the policy's state and stack.
        ram_bytes: size of that RAM.
        policy_flash_bytes: budget for code and weights.
        policy_ram_bytes: budget for static state, arena and stack together.
    """

    flash_origin: int = Field(ge=0, lt=2**32)
    flash_bytes: Quantity
    ram_origin: int = Field(ge=0, lt=2**32)
    ram_bytes: Quantity
    policy_flash_bytes: Quantity
    policy_ram_bytes: Quantity


class FlashTiming(Config):
    """What fetching from flash costs, as the cycle model takes it (``docs/cycle-model.md``).

    Attributes:
        wait_states: core cycles a line that is in no cache adds.
        line_bytes: bytes that one access to the flash brings.
        instruction_lines: lines the instruction cache holds; 0 for none.
        data_lines: lines the cache for constants holds; 0 for none.
        unified: instructions and constants share the instruction cache.
        prefetch: the next line is fetched while this one executes, so running on is free.
    """

    wait_states: Quantity
    line_bytes: int = Field(gt=0)
    instruction_lines: int = Field(ge=0)
    data_lines: int = Field(ge=0)
    unified: bool = False
    prefetch: bool
    source: str = Field(min_length=8)


class Link(Config):
    """How a frame that was read out gets to the network, and its command to the motors' controller.

    Reading out is the camera's (``bytewing.sim.camera``): what a frame shows is that much older
    already.

    Attributes:
        transport_bytes_s: rate of the link to this microcontroller; the sensor's own interface
            where the camera is wired to it directly.
        transport_overhead_s: fixed time a frame that the link adds.
        command_s: from the computed command until the controller acts on it.
    """

    transport_bytes_s: Quantity
    transport_overhead_s: Quantity
    command_s: Quantity


class Target(Config):
    """One microcontroller, from ``firmware_export/targets/NAME.toml``."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str
    core: Core
    memory: Memory
    flash: FlashTiming
    link: Link

    def link_latency_s(self, frame_bytes: int) -> float:
        """Return the time of a frame's way to the network and of the command's way on, s.

        Args:
            frame_bytes: bytes of the newest camera frame (earlier channels are already there).
        """
        link = self.link
        return (
            link.transport_overhead_s.value
            + frame_bytes / link.transport_bytes_s.value
            + link.command_s.value
        )


def target_names() -> list[str]:
    """Return the names of the targets that ship."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_target(name: str) -> Target:
    """Return a target that ships, or one from a TOML file of the user's own.

    Args:
        name: such as ``stm32f405``, or a path that ends in ``.toml``.

    Raises:
        BadInputError: unknown name (with the nearest valid one), or a file that is not a target.
    """
    if name.endswith(".toml"):
        return load(Target, Path(name))
    if name not in target_names():
        raise BadInputError(f"unknown target {name!r}{did_you_mean(name, target_names())}")
    return load(Target, FOLDER / f"{name}.toml")
