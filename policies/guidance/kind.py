"""Define ``GuidanceKind``, the contract between a task's guidance and the code that runs it."""

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
    ``bw_NAME_step``; ``policies/guidance/c/bw_guidance.h`` documents their interface.

    Attributes:
        name: the key ``kind`` of a bundle's ``[guidance]`` table; a C identifier in lower case.
        constants: model of the ``[guidance]`` table; the only value of its field ``kind`` is the
            name.
        derived: further fields of the C struct, computed from the constants.
        sources: all C files and headers that the kind needs, with unique file names, so that they
            compile in one folder.
        outputs: number of values of each network output that is needed, by name, in order.
        answer: number of values of each part of the answer after the command, by name.
        position: name of the part of the answer that holds the reported position; "" for a guidance
            without reports.
        senses: the sensor channels that are read (``bytewing.sim.senses``).
        takes_route: whether the guidance follows a route.
        transform: the input transform that the network needs
            (``bytewing.policies.inputs.transforms``); "" for none.
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
        """The name of the header with the public declarations."""
        return f"{self.name}_guidance.h"

    @property
    def output_size(self) -> int:
        """K, the number of network output values that are needed."""
        return sum(self.outputs.values())

    @property
    def answer_size(self) -> int:
        """4 + A, the number of values in an answer."""
        return COMMAND_SIZE + sum(self.answer.values())

    @cached_property
    def config_fields(self) -> tuple[ConfigField, ...]:
        """The fields of ``bw_NAME_config_t``, in order."""
        return config_fields(self.constants, self.derived)

    @property
    def position_slice(self) -> slice:
        """Slice of the reported position in an answer."""
        first = COMMAND_SIZE
        for name, size in self.answer.items():
            if name == self.position:
                return slice(first, first + size)
            first += size
        raise ValueError(f"{self.name} guidance answers no position")
