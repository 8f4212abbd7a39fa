"""What a guidance answers to a network's outputs, as a flight loop takes it.

An answer is one float32 vector: four velocities (forward, left, climb in m/s, yaw rate in rad/s,
heading frame), then the values that the kind of guidance declares
(``bytewing.policies.guidance.kind``). It is logged and compared whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import OutputSpec, steps_of
from bytewing.policies.guidance.guide import NO_ROUTE
from bytewing.policies.guidance.kind import COMMAND_SIZE
from bytewing.sim.pilot import Report, VelocityCommand
from bytewing.sim.senses import SENSES_SIZE

__all__ = ["COMMAND_SIZE", "NO_ROUTE", "NO_SENSES", "as_command", "as_report", "dequantise"]

NO_SENSES: NDArray[np.float32] = np.zeros(SENSES_SIZE, np.float32)
# Phases of an answer that carry a result. Exported code does not return a status yet.
FOUND, NOTHING_FOUND = 4, 5


def dequantise(outputs: NDArray[np.int8], specs: Sequence[OutputSpec]) -> NDArray[np.float32]:
    """Return the (..., K) float32 values of (..., K) int8 outputs: ``(q - zero_point) * scale``."""
    scales, zero_points = steps_of(specs)
    return (outputs.astype(np.int32) - zero_points).astype(np.float32) * scales.astype(np.float32)


def as_command(answer: NDArray[np.float32]) -> VelocityCommand:
    """Return an answer's velocities as the flight loop takes them."""
    return VelocityCommand(*(float(value) for value in answer[:COMMAND_SIZE]))


def as_report(answer: NDArray[np.float32]) -> Report | None:
    """Return what an answer of exported code has to report, None while there is nothing.

    ``Guide.report`` knows it from the step's status.
    """
    more = answer[COMMAND_SIZE:]
    if more.size == 0 or more[0] not in (FOUND, NOTHING_FOUND):
        return None
    return Report(more[1:4].astype(np.float64) if more[0] == FOUND else None)
