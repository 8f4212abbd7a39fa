"""The pilot that flies a policy, whatever executes it.

A policy sees (makes network inputs of an observation), infers (raw outputs of them) and guides
(outputs and senses into an answer). Exported code does all three in one step, so that is what a
``Policy`` is; ``PolicyPilot`` is the one pilot around each.
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
    """Sees, infers and guides, with what it remembers of the flight.

    Attributes:
        view: what it is given: ``Observation``, or ``PrivilegedObservation`` where it needs the
            truth.
        needs_frames: whether it looks at the camera's frames.
    """

    view: type[View]
    needs_frames: bool

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off, with the (N, 5) route of the flight to come."""

    def step(self, seen: View) -> Step:
        """Return what it makes of one observation."""
        ...


class PolicyPilot(Generic[View]):
    """Flies a policy (a ``bytewing.sim.pilot.Pilot``, which says what its attributes are).

    Args:
        policy: what flies.
        route: (N, 5) the course's, given to the policy before take-off.
        latency_s: from a frame's exposure until its command takes effect.

    Attributes:
        policy: see above.
        route: see above.
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
        """Return the command that the policy answers."""
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
    """Return the answers (M, 4 + A) of a policy's guidance, from a reset.

    Args:
        outputs: (M, K) raw outputs, in flight order.
        spec: of the policy.
        senses: (M, SENSES_SIZE) with each.
        route: (N, 5) of the flight.
    """
    guide = make_guide(spec.guidance)
    guide.reset(route)
    values = dequantise(outputs, spec.outputs)
    answers = [guide.step(*row) for row in zip(values, senses, strict=True)]
    return np.array(answers, np.float32).reshape(-1, guide.answer_size)
