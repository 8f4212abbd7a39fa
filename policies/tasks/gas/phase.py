"""Define the phases of the gas guidance, the first value of its answer after the command."""

from __future__ import annotations

from enum import IntEnum


class Phase(IntEnum):
    """Phase of a gas flight; the numbers equal those in ``gas_guidance.h``."""

    PATROL = 0
    CONFIRM = 1
    APPROACH = 2
    HOVER = 3
    REPORTED = 4
    NOTHING = 5
