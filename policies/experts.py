"""Pilots without a network: a task's teacher with privileged truth, and two naive road baselines.

Their labels go through the same guidance as a network's outputs.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.policies.guidance.registry import Guidance, make_guide
from bytewing.policies.pilot import PolicyPilot, Step
from bytewing.policies.tasks.road.learning import ROAD_GUIDANCE
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


class BrightestSide:
    """Steers towards the brighter half of the ground."""

    needs_frames = True

    def reset(self) -> None:
        """Begin a flight; there is nothing to forget."""

    def labels(self, seen: Observation) -> NDArray[np.float32]:
        """Return steering, and 0 for collision."""
        assert seen.frame is not None
        height, width = seen.frame.shape
        ground = seen.frame[height // 2 :].astype(np.float64)
        left, right = ground[:, : width // 2].mean(), ground[:, width // 2 :].mean()
        # Full steering at a contrast of one half: a road of twice the ground's brightness.
        contrast = (left - right) / max(left + right, 1.0)
        return np.array([np.clip(2.0 * contrast, -1.0, 1.0), 0.0], np.float32)


def constant_pilot(steering: float = 0.0) -> PolicyPilot[Observation]:
    """Return the pilot that always steers the same; a road it completes is too easy."""
    return PolicyPilot(LabelPolicy(Observation, Constant([steering, 0.0]), ROAD_GUIDANCE))


def brightest_side_pilot() -> PolicyPilot[Observation]:
    """Return the pilot that steers towards the brighter half of the ground it sees.

    A road it completes can be told from the ground by brightness alone.
    """
    return PolicyPilot(LabelPolicy(Observation, BrightestSide(), ROAD_GUIDANCE))
