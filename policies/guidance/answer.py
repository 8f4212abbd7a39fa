"""Define the answer of a guidance and its conversion to a velocity command.

An answer is one float32 vector: four velocities in the heading frame (forward, left and climb in
m/s, yaw rate in rad/s), then the values that the kind of guidance declares
(``bytewing.policies.guidance.kind``). Logs and comparisons use the complete vector.
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
    """The result of one policy step.

    Attributes:
        outputs: (K,) raw outputs: int8, or float32 for float inference.
        answer: (4 + A,) float32, answer of the guidance.
        report: result of the flight; None until there is one.
    """

    outputs: NDArray[np.generic]
    answer: NDArray[np.float32]
    report: Report | None = None


def as_command(answer: NDArray[np.float32]) -> VelocityCommand:
    """Return the velocities of an answer as a velocity command."""
    return VelocityCommand(*(float(value) for value in answer[:COMMAND_SIZE]))
