"""Pilots without a network: a task's teacher, or labels by other means, through its guidance."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.policies.guidance.answer import Step
from bytewing.policies.guidance.registry import Guidance, make_guide
from bytewing.policies.pilot import PolicyPilot
from bytewing.policies.tasks.task import LearnedTask
from bytewing.sim.camera.config import Optics
from bytewing.sim.course import Course
from bytewing.sim.pilot import Observation, PrivilegedObservation, View

Seen = TypeVar("Seen", bound=Observation, contravariant=True)


class Labeller(Protocol[Seen]):
    """Answers what a network would, without one.

    Attributes:
        needs_frames: whether it looks at the camera's frames.
    """

    @property
    def needs_frames(self) -> bool: ...  # noqa: D102 (above)

    def reset(self) -> None:
        """Begin a flight."""

    def labels(self, seen: Seen) -> NDArray[np.float32]:
        """Return the labels (K,) for an observation, NaN where there are none."""
        ...


class LabelPolicy(Generic[View]):
    """Sends labels through a guidance (a ``bytewing.policies.pilot.Policy``); NaN becomes 0.

    Args:
        view: what the labeller is given.
        labeller: stands in for the network.
        guidance: the constants of the guidance.
    """

    def __init__(self, view: type[View], labeller: Labeller[View], guidance: Guidance) -> None:
        self.view = view
        self.needs_frames = labeller.needs_frames
        self._labeller = labeller
        self._guide = make_guide(guidance)

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off."""
        self._guide.reset(route)
        self._labeller.reset()

    def step(self, seen: View) -> Step:
        """Return the labels and guidance's answer to them."""
        outputs = np.nan_to_num(self._labeller.labels(seen), nan=0.0)
        answer = self._guide.step(outputs, seen.senses)
        return Step(outputs, answer, self._guide.report)


def expert_pilot(
    task: LearnedTask, course: Course, camera: Optics
) -> PolicyPilot[PrivilegedObservation]:
    """Return the pilot that flies by the teacher's labels: the best that a network can become."""
    teacher = task.teacher(course, camera)
    policy = LabelPolicy(PrivilegedObservation, teacher, task.guidance(camera))
    return PolicyPilot(policy, route=course.route)


class Constant:
    """Always gives the same labels (K,)."""

    def __init__(self, labels: ArrayLike, needs_frames: bool = False) -> None:
        self._labels = np.asarray(labels, np.float32)
        self.needs_frames = needs_frames

    def reset(self) -> None:
        """Begin a flight; there is nothing to forget."""

    def labels(self, seen: Observation) -> NDArray[np.float32]:
        """Return the labels (K,)."""
        return self._labels
