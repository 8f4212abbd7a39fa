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
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import OutputSpec, steps_of
from bytewing.policies.constants import GasGuidance, Guidance, MoxGuidance, RoadGuidance
from bytewing.policies.guidance.gas import GasGuide
from bytewing.policies.guidance.mox import MoxGuide
from bytewing.policies.guidance.road import RoadGuide
from bytewing.sim.pilot import SENSES_SIZE, Report, VelocityCommand

COMMAND_SIZE = 4  # forward, left, climb, yaw rate
# Phases at which a guidance that searches has a result; all of them count alike.
FOUND, NOTHING_FOUND = 4, 5
NO_ROUTE: NDArray[np.float32] = np.zeros((0, 5), np.float32)
NO_SENSES: NDArray[np.float32] = np.zeros(SENSES_SIZE, np.float32)


class Guide(Protocol):
    """A guidance with its state."""

    @property
    def answer_size(self) -> int:
        """Length of what ``step`` returns."""
        ...

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off, with the (N, 5) route of the flight to come."""

    def step(
        self, outputs: NDArray[np.float32], senses: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the answer (4 + A,) to one frame's outputs (K,) and senses (SENSES_SIZE,)."""
        ...


def make_guide(guidance: Guidance) -> Guide:
    """Return a guide with these constants; ``reset`` it before its first step."""
    if isinstance(guidance, GasGuidance):
        return GasGuide(guidance)
    if isinstance(guidance, MoxGuidance):
        return MoxGuide(guidance)
    if isinstance(guidance, RoadGuidance):
        return RoadGuide(guidance)
    raise TypeError(f"no guide for {type(guidance).__name__}")


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
