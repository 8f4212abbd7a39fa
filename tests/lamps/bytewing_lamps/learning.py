"""Learning: the teacher, the network and the training budgets."""

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
from bytewing.sim.frames import euler_from_quaternion, wrap_angle_rad
from bytewing.sim.pilot import PrivilegedObservation
from bytewing_lamps.course import LampLine
from bytewing_lamps.guidance import LampGuidance

LOOK_AHEAD_M = 0.5


class LampTeacher:
    """Labels steering in [-1, 1], left positive: the bearing of the line ahead, rad, clipped."""

    needs_frames = False

    def __init__(self, course: LampLine) -> None:
        self._line = course.line

    def reset(self) -> None:
        """Begin a flight; the teacher has no memory."""

    def labels(self, seen: PrivilegedObservation) -> NDArray[np.float32]:
        """Return the steering (1,) for the drone's true position and yaw."""
        state = seen.truth.state
        x, y, _ = state.position_world_m
        _, _, yaw = euler_from_quaternion(state.quaternion_xyzw)
        ahead_y = float(self._line.y_m(x + LOOK_AHEAD_M)) - y
        bearing = wrap_angle_rad(math.atan2(ahead_y, LOOK_AHEAD_M) - yaw)
        return np.array([np.clip(bearing, -1.0, 1.0)], np.float32)


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
    guidance=lambda camera: LampGuidance(),
    teacher=lambda course, camera: LampTeacher(course),
    bursts=Bursts(peak=(0.1, 0.4, 0.05, 0.8), burst_s=(0.2, 0.6), pause_s=(0.5, 2.0)),
    augmentation=Augmentation(contrast=(0.9, 1.1), brightness=0.05, shading=0.1, noise=0.02),
    budgets={
        "quick": Budget(
            rounds=(
                Round(flights=6, teacher_share=1.0, epochs=4),
                Round(flights=3, teacher_share=0.3, epochs=6),
            ),
            validation_flights=2,
            flight_s=8.0,
            qat_epochs=1,
        )
    },
    golden_courses=({}, {}),
)
