"""Define ``Policy``, and ``PolicyPilot``, which flies a policy of any runtime.

A policy step consists of preprocessing (observation to network input), inference (network input to
raw outputs) and guidance (outputs and senses to answer). Exported code does all three in one call,
so a ``Policy`` has a single method ``step``.
"""

from __future__ import annotations

from typing import Generic, Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import PolicySpec, dequantise
from bytewing.policies.guidance.answer import (
    COMMAND_SIZE,
    NO_ROUTE,
    Step,
    as_command,
)
from bytewing.policies.guidance.registry import make_guide
from bytewing.sim.pilot import Report, VelocityCommand, View


class Policy(Protocol[View]):
    """Preprocessing, inference and guidance with their state.

    Attributes:
        view: type of its observations: ``Observation``, or ``PrivilegedObservation`` if it needs
            the true state.
        needs_frames: whether it uses camera frames.
    """

    view: type[View]
    needs_frames: bool

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off, with the route (N, 5) of the next flight."""

    def step(self, seen: View) -> Step:
        """Return outputs, answer and report for one observation."""
        ...


class PolicyPilot(Generic[View]):
    """Flies a policy; ``bytewing.sim.pilot.Pilot`` documents the common attributes.

    Args:
        policy: the policy.
        route: (N, 5) route of the course, passed to the policy before take-off.
        latency_s: time from the exposure of a frame to the effect of its command.

    Attributes:
        policy: the policy.
        route: (N, 5) route of the course.
    """

    def __init__(
        self,
        policy: Policy[View],
        *,
        route: NDArray[np.float32] = NO_ROUTE,
        latency_s: float = 0.0,
    ) -> None:
        self.policy = policy
        self.route = route
        self.latency_s = latency_s
        self.view = policy.view
        self.needs_frames = policy.needs_frames
        self.reset()

    def reset(self) -> None:
        """Go back to the state at take-off."""
        self.policy.reset(self.route)
        self.outputs: NDArray[np.generic] = np.zeros(0, np.float32)
        self.answer: NDArray[np.float32] = np.zeros(0, np.float32)
        self.report: Report | None = None

    def act(self, seen: View) -> VelocityCommand:
        """Return the command in the answer of the policy."""
        self.outputs, answer, report = self.policy.step(seen)
        self.answer = answer[COMMAND_SIZE:]
        self.report = self.report or report
        return as_command(answer)


def guided(
    outputs: NDArray[np.int8],
    spec: PolicySpec,
    senses: NDArray[np.float32],
    route: NDArray[np.float32] = NO_ROUTE,
) -> NDArray[np.float32]:
    """Return the answers (M, 4 + A) of a policy's guidance, stepped from a reset.

    Args:
        outputs: (M, K) raw outputs, in flight order.
        spec: specification of the policy.
        senses: (M, SENSES_SIZE) sensor readings of each step.
        route: (N, 5) route of the flight.
    """
    guide = make_guide(spec.guidance)
    guide.reset(route)
    values = dequantise(outputs, spec.outputs)
    answers = [guide.step(*row) for row in zip(values, senses, strict=True)]
    return np.array(answers, np.float32).reshape(-1, guide.answer_size)
