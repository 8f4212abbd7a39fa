"""What a guidance answers to a network's outputs, as a flight loop takes it.

An answer is one float32 vector: four velocities (forward, left, climb in m/s, yaw rate in rad/s,
heading frame), then the values that the kind of guidance declares
(``bytewing.policies.guidance.kind``). It is logged and compared whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.guidance.guide import NO_ROUTE
from bytewing.policies.guidance.kind import COMMAND_SIZE
from bytewing.sim.pilot import Report, VelocityCommand
from bytewing.sim.senses import SENSES_SIZE

__all__ = ["COMMAND_SIZE", "NO_ROUTE", "NO_SENSES", "Step", "as_command"]

NO_SENSES: NDArray[np.float32] = np.zeros(SENSES_SIZE, np.float32)


class Step(NamedTuple):
    """What a policy makes of one observation.

    Attributes:
        outputs: (K,) raw outputs: int8, or float32 where real numbers are inferred.
        answer: (4 + A,) float32, guidance's answer.
        report: the flight's result, None while there is none.
    """

    outputs: NDArray[np.generic]
    answer: NDArray[np.float32]
    report: Report | None = None


def as_command(answer: NDArray[np.float32]) -> VelocityCommand:
    """Return an answer's velocities as the flight loop takes them."""
    return VelocityCommand(*(float(value) for value in answer[:COMMAND_SIZE]))
