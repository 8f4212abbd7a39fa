"""What a kind of guidance is: the contract between a task and whatever flies it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bytewing.policies.guidance.constants import (
    ConfigField,
    Derived,
    GuidanceConstants,
    config_fields,
)

COMMAND_SIZE = 4  # forward, left, climb speed, yaw rate
ROUTE_MAX = 24  # waypoints that a route may have: BW_ROUTE_MAX

C_FOLDER = Path(__file__).parent / "c"
SHARED_SOURCES = tuple(
    C_FOLDER / name for name in ("bw_float32.h", "bw_float32.c", "bw_senses.h", "bw_guidance.h")
)
"""C files that every kind includes."""


@dataclass(frozen=True, eq=False)
class GuidanceKind:
    """A way to turn a network's outputs into velocity commands, in C.

    The C of a kind NAME has a header ``NAME_guidance.h`` with ``bw_NAME_state_t``,
    ``bw_NAME_config_t`` (the constants), ``bw_NAME_answer_t``, ``bw_NAME_reset`` and
    ``bw_NAME_step``; ``policies/guidance/c/bw_guidance.h`` says how they are called.

    Attributes:
        name: the key ``kind`` of a bundle's ``[guidance]`` table; a C identifier in lower case.
        constants: model of that table; its field ``kind`` has the name as its only value.
        derived: numbers that the C takes besides.
        sources: every C file and header, with those of others that they include; their names are
            unique, and compiled together in one folder they need nothing else.
        outputs: the network outputs needed, in order: how many values by name.
        answer: what the answer holds after the command: how many values by name.
        position: the one of these that is the place of what was found; "" for a guidance that
            never finds anything.
        senses: the channels read (``bytewing.sim.senses``).
        takes_route: whether a route says where to fly.
        transform: the input transform that the network's input must have had
            (``bytewing.policies.inputs.transforms``), "" for none.
    """

    name: str
    constants: type[GuidanceConstants]
    sources: tuple[Path, ...]
    outputs: Mapping[str, int]
    derived: tuple[Derived, ...] = ()
    answer: Mapping[str, int] = field(default_factory=dict)
    position: str = ""
    senses: tuple[str, ...] = ()
    takes_route: bool = False
    transform: str = ""

    @property
    def header(self) -> str:
        """The name of the header that declares everything public."""
        return f"{self.name}_guidance.h"

    @property
    def output_size(self) -> int:
        """K, how many network outputs are needed."""
        return sum(self.outputs.values())

    @property
    def answer_size(self) -> int:
        """4 + A, how many values an answer has."""
        return COMMAND_SIZE + sum(self.answer.values())

    @cached_property
    def config_fields(self) -> tuple[ConfigField, ...]:
        """The fields of ``bw_NAME_config_t``, in order."""
        return config_fields(self.constants, self.derived)

    @property
    def position_slice(self) -> slice:
        """Where an answer holds the place of what was found."""
        first = COMMAND_SIZE
        for name, size in self.answer.items():
            if name == self.position:
                return slice(first, first + size)
            first += size
        raise ValueError(f"{self.name} guidance answers no position")
