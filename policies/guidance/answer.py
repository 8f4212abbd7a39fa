"""Guidance: a network's outputs and the drone's senses into a velocity command, step by step.

In float32 that C repeats bit for bit: only additions, subtractions, multiplications, divisions and
comparisons in a fixed order, no fused operations and no library functions;
``firmware_export/templates`` holds the same in C.

What a step returns is one vector, the *answer*: four velocities (forward, left, climb in m/s, yaw
rate in rad/s, heading frame), then whatever else this guidance tells: for those that search, first
the phase and the position found. It is logged and compared whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import OutputSpec, steps_of
from bytewing.sim.pilot import Report, VelocityCommand
from bytewing.sim.senses import SENSES_SIZE

COMMAND_SIZE = 4  # forward, left, climb, yaw rate
# Phases at which a guidance that searches has a result; all of them count alike.
FOUND, NOTHING_FOUND = 4, 5
NO_ROUTE: NDArray[np.float32] = np.zeros((0, 5), np.float32)
NO_SENSES: NDArray[np.float32] = np.zeros(SENSES_SIZE, np.float32)


def dequantise(outputs: NDArray[np.int8], specs: Sequence[OutputSpec]) -> NDArray[np.float32]:
    """Return the (..., K) float32 values of (..., K) int8 outputs: ``(q - zero_point) * scale``."""
    scales, zero_points = steps_of(specs)
    return (outputs.astype(np.int32) - zero_points).astype(np.float32) * scales.astype(np.float32)


def as_command(answer: NDArray[np.float32]) -> VelocityCommand:
    """Return an answer's velocities as the flight loop takes them."""
    return VelocityCommand(*(float(value) for value in answer[:COMMAND_SIZE]))


def as_report(answer: NDArray[np.float32]) -> Report | None:
    """Return what an answer has to report, None while there is nothing."""
    more = answer[COMMAND_SIZE:]
    if more.size == 0 or more[0] not in (FOUND, NOTHING_FOUND):
        return None
    return Report(more[1:4].astype(np.float64) if more[0] == FOUND else None)
