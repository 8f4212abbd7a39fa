"""Make pilots without a network: a teacher or another source of labels, with the guidance."""

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
    """A source of labels that replaces the network.

    Attributes:
        needs_frames: whether it uses camera frames.
    """

    @property
    def needs_frames(self) -> bool: ...  # noqa: D102 (above)

    def reset(self) -> None:
        """Begin a flight."""

    def labels(self, seen: Seen) -> NDArray[np.float32]:
        """Return the labels (K,) for an observation, NaN where there are none."""
        ...


class LabelPolicy(Generic[View]):
    """A ``bytewing.policies.pilot.Policy`` that feeds labels to a guidance; NaN becomes 0.

    Args:
        view: type of observation that the labeller needs.
        labeller: source of the labels.
        guidance: constants of the guidance.
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
        """Return the labels and the guidance answer for them."""
        outputs = np.nan_to_num(self._labeller.labels(seen), nan=0.0)
        answer = self._guide.step(outputs, seen.senses)
        return Step(outputs, answer, self._guide.report)


def expert_pilot(
    task: LearnedTask, course: Course, camera: Optics
) -> PolicyPilot[PrivilegedObservation]:
    """Return the pilot that flies with the teacher's labels, the upper bound for a network."""
    teacher = task.teacher(course, camera)
    policy = LabelPolicy(PrivilegedObservation, teacher, task.guidance(camera))
    return PolicyPilot(policy, route=course.route)


class Constant:
    """A labeller with constant labels (K,)."""

    def __init__(self, labels: ArrayLike, needs_frames: bool = False) -> None:
        self._labels = np.asarray(labels, np.float32)
        self.needs_frames = needs_frames

    def reset(self) -> None:
        """Do nothing: the labels are constant."""

    def labels(self, seen: Observation) -> NDArray[np.float32]:
        """Return the labels (K,)."""
        return self._labels
