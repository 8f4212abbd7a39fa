"""Learning: a teacher that knows the line, a small network, and how much to train."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import InputSpec
from bytewing.policies.tasks.task import (
    Augmentation,
    Budget,
    Bursts,
    Layer,
    LearnedTask,
    Output,
    Round,
)
from bytewing.sim.camera.config import Optics
from bytewing.sim.frames import euler_from_quaternion, wrap_angle_rad
from bytewing.sim.pilot import Observation
from bytewing_lamps.course import LampLine
from bytewing_lamps.guidance import LampGuidance

LOOK_AHEAD_M = 0.5


class LampTeacher:
    """Labels steering in [-1, 1], left positive: towards the line half a metre ahead."""

    needs_frames = False

    def __init__(self, course: LampLine) -> None:
        self._line = course.line

    def reset(self) -> None:
        """Begin a flight; the teacher remembers nothing."""

    def labels(self, seen: Observation) -> NDArray[np.float32]:
        """Return the steering (1,) for where the drone truly is."""
        x, y, _ = seen.truth.position_world_m
        _, _, yaw = euler_from_quaternion(seen.truth.quaternion_xyzw)
        ahead_m = float(self._line.y_m(x + LOOK_AHEAD_M)) - y
        turn = wrap_angle_rad(math.atan2(ahead_m, LOOK_AHEAD_M) - yaw)
        return np.array([np.clip(turn, -1.0, 1.0)], np.float32)


def lamp_guidance(camera: Optics) -> LampGuidance:
    """Return the constants of the guidance, the same behind every camera."""
    return LampGuidance()


LEARNED_LAMPS = LearnedTask(
    name="lamps",
    distribution="lamps",
    input=InputSpec(height_px=64, width_px=64),
    layers=(
        Layer("conv1", 4, (3, 3), (2, 2), (1, 1)),
        Layer("conv2", 8, (3, 3), (2, 2), (1, 1)),
        Layer("conv3", 8, (3, 3), (2, 2), (1, 1)),
        Layer("hidden", 16, (8, 8)),
    ),
    outputs=(Output("steering", "value", knee=0.2, mirrors=True, limits=(-1.0, 1.0)),),
    guidance=lamp_guidance,
    teacher=lambda course, camera: LampTeacher(course),
    bursts=Bursts(peak=(0.1, 0.4, 0.05, 0.8), burst_s=(0.2, 0.6), pause_s=(0.5, 2.0)),
    augmentation=Augmentation((0.9, 1.1), 0.05, 0.1, 0.02),
    budgets={"quick": Budget((Round(8, 1.0, 6), Round(4, 0.3, 12)), 2, 8.0, 1)},
    golden_courses=({}, {}),
)
