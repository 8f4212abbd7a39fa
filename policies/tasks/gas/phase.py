"""Phases of the gas guidance: the first value of its answer after the command."""

from __future__ import annotations

from enum import IntEnum


class Phase(IntEnum):
    """What the drone is doing: ``gas_guidance.h`` has the same numbers."""

    PATROL = 0
    CONFIRM = 1
    APPROACH = 2
    HOVER = 3
    REPORTED = 4
    NOTHING = 5
