"""Pilots without a network: a task's teacher with privileged truth, and two naive road baselines.

Their labels go through the same guidance as a network's outputs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.guidance.answer import COMMAND_SIZE, NO_ROUTE, as_command
from bytewing.policies.guidance.registry import Guidance, make_guide
from bytewing.policies.tasks.road.learning import ROAD_GUIDANCE
from bytewing.policies.tasks.task import LearnedTask
from bytewing.sim.camera.config import Optics
from bytewing.sim.flight import Course
from bytewing.sim.pilot import Observation, Report, VelocityCommand

Labeller = Callable[[Observation], NDArray[np.float32]]


class GuidedPilot:
    """A pilot that sends labels through a guidance.

    Attributes:
        latency_s: see ``bytewing.sim.pilot.Pilot``.
        outputs: (K,) float32, the last labels, 0 where there was none.
        answer: (A,) float32, what guidance told besides the command.
        report: what it has to report, from the step on that said so.
    """

    latency_s = 0.0

    def __init__(
        self,
        labeller: Labeller,
        guidance: Guidance,
        reset: Callable[[], None] | None = None,
        needs_frames: bool = False,
        route: NDArray[np.float32] = NO_ROUTE,
    ) -> None:
        self.needs_frames = needs_frames
        self._labeller = labeller
        self._reset = reset
        self._route = route
        self._guide = make_guide(guidance)
        self._clear()

    def _clear(self) -> None:
        self._guide.reset(self._route)
        self.outputs: NDArray[np.generic] = np.zeros(0, np.float32)
        self.answer = np.zeros(self._guide.answer_size - COMMAND_SIZE, np.float32)
        self.report: Report | None = None

    def reset(self) -> None:
        """Forget everything."""
        self._clear()
        if self._reset is not None:
            self._reset()

    def act(self, observation: Observation) -> VelocityCommand:
        """Return the command for what the labeller says of this observation."""
        labels = np.nan_to_num(self._labeller(observation), nan=0.0)
        answer = self._guide.step(labels, observation.senses)
        self.outputs, self.answer = labels, answer[COMMAND_SIZE:]
        self.report = self.report or self._guide.report
        return as_command(answer)


def expert_pilot(task: LearnedTask, course: Course, camera: Optics) -> GuidedPilot:
    """Return the pilot that flies by the teacher's labels: the best that a network can become."""
    teacher = task.teacher(course, camera)
    return GuidedPilot(
        teacher.labels, task.guidance(camera), teacher.reset, teacher.needs_frames, course.route
    )


def constant_pilot(steering: float = 0.0) -> GuidedPilot:
    """Return the pilot that always steers the same; a road it completes is too easy."""
    return GuidedPilot(lambda _: np.array([steering, 0.0], np.float32), ROAD_GUIDANCE)


def brightest_side_pilot() -> GuidedPilot:
    """Return the pilot that steers towards the brighter half of the ground it sees.

    It completes roads that can be told by brightness alone.
    """

    def label(seen: Observation) -> NDArray[np.float32]:
        assert seen.frame is not None
        height, width = seen.frame.shape
        ground = seen.frame[height // 2 :].astype(np.float64)
        left, right = ground[:, : width // 2].mean(), ground[:, width // 2 :].mean()
        # Full steering at a contrast of one half: a road of twice the ground's brightness.
        contrast = (left - right) / max(left + right, 1.0)
        return np.array([np.clip(2.0 * contrast, -1.0, 1.0), 0.0], np.float32)

    return GuidedPilot(label, ROAD_GUIDANCE, needs_frames=True)
