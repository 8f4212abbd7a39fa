"""Define the road task: follow the road, and stop before obstacles.

The teacher computes the ideal network outputs for a frame. Its labels use the same guidance as the
outputs of a network, so that teacher and network fly alike for equal outputs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.bundle import InputSpec
from bytewing.policies.tasks.road.constants import RoadGuidance
from bytewing.policies.tasks.task import (
    ZOO,
    Augmentation,
    Budget,
    Bursts,
    Layer,
    LearnedTask,
    Output,
    Round,
)
from bytewing.sim.courses.road.centreline import Centreline
from bytewing.sim.courses.road.crossings import COMMIT_M, HIT_M
from bytewing.sim.frames import euler_from_quaternion, wrap_angle_rad
from bytewing.sim.pilot import PrivilegedObservation

# Constants of the road guidance. Bends have a radius of at least 1.0 m, so 0.7 m/s asks for 0.7
# rad/s; the rest is for coming back to the road. The thresholds and the teacher's ramp below
# together make the speed fall from 1.5 m to 1.2 m before an obstacle: a stop counts from 0.3 m on,
# and a network sees the obstacle some tenths of a metre too late at times.
ROAD_GUIDANCE = RoadGuidance(
    speed_max_m_s=0.7,
    yaw_rate_max_rad_s=1.8,
    steering_smoothing=0.5,
    collision_smoothing=0.5,
    collision_go=0.3,
    collision_stop=0.7,
)

# Pure pursuit (Coulter, "Implementation of the Pure Pursuit Path Tracking Algorithm", CMU-RI-TR-
# 92-01): the arc through the point this far ahead on the centreline. Shorter follows closer but
# oscillates with the drone's lag of about 0.3 s in sideways velocity; longer cuts bends.
LOOK_AHEAD_M = 0.55
# The collision label rises from 0 to 1 between these distances to the obstacle's near face. A ramp
# can be read off an image (the obstacle's foot rises in it); a step would teach flicker.
RAMP_FAR_M, RAMP_NEAR_M = 1.7, 1.0


class Obstacle(Protocol):
    """Something that stands on the road."""

    @property
    def s_m(self) -> float:
        """Arc length of its near face."""
        ...


class Crossing(Protocol):
    """A person who crosses the road (``bytewing.sim.courses.road.crossings.RoadCrossing``)."""

    @property
    def s_m(self) -> float:
        """Arc length of its near face."""
        ...

    @property
    def keep_away_m(self) -> float:
        """Distance from the middle of the road below which the drone must wait."""
        ...

    def beside_m(self, t_s: float) -> float:
        """Return the distance from the middle of the road to the nearest side of the person."""
        ...


class RoadView(Protocol):
    """The part of a course that the teacher uses (``bytewing.sim.courses.road.course``)."""

    @property
    def centreline(self) -> Centreline:
        """Centreline of the road."""
        ...

    @property
    def obstacle(self) -> Obstacle | None:
        """Obstacle on the road; None if it is free."""
        ...

    @property
    def crossing(self) -> Sequence[Crossing]:
        """People who cross the road."""
        ...


class RoadTeacher:
    """Computes the labels steering (left positive) and collision from the drone's true state."""

    needs_frames = False

    def __init__(self, course: RoadView, guidance: RoadGuidance = ROAD_GUIDANCE) -> None:
        self._course = course
        self._guidance = guidance
        self._s_m: float | None = None

    def reset(self) -> None:
        """Clear the stored position along the road."""
        self._s_m = None

    def labels(self, seen: PrivilegedObservation) -> NDArray[np.float32]:
        """Return steering in [-1, 1] and collision in [0, 1].

        Successive calls track the drone along the road; the time gives the positions of people.
        """
        xy = seen.truth.state.position_world_m[:2]
        self._s_m = self._course.centreline.project(xy, self._s_m).s_m
        _, _, yaw = euler_from_quaternion(seen.truth.state.quaternion_xyzw)
        return np.array([self._steering(xy, yaw), self._collision(seen.t_s)], np.float32)

    def _steering(self, xy: NDArray[np.float64], yaw_rad: float) -> float:
        assert self._s_m is not None
        towards = self._course.centreline.point(self._s_m + LOOK_AHEAD_M) - xy
        distance = math.hypot(*towards)
        bearing = wrap_angle_rad(math.atan2(towards[1], towards[0]) - yaw_rad)
        # Past a right angle the arc would get flatter again: turn as for a right angle.
        sine = math.copysign(1.0, bearing) if abs(bearing) > math.pi / 2 else math.sin(bearing)
        curvature = 2 * sine / max(distance, LOOK_AHEAD_M)
        yaw_rate = self._guidance.speed_max_m_s * curvature
        return float(np.clip(yaw_rate / self._guidance.yaw_rate_max_rad_s, -1.0, 1.0))

    def _collision(self, t_s: float) -> float:
        assert self._s_m is not None
        course, values = self._course, [0.0]
        if course.obstacle is not None:
            values.append(_ramp(course.obstacle.s_m - self._s_m))
        for crossing in course.crossing:
            ahead_m = crossing.s_m - self._s_m
            # Both can be seen in one frame: what is near the road, and what is right in the way.
            # Which way somebody is walking cannot, so one waits also for those who leave.
            too_near_m = crossing.keep_away_m if ahead_m > COMMIT_M else HIT_M
            if ahead_m > 0 and crossing.beside_m(t_s) < too_near_m:
                values.append(_ramp(ahead_m))
        return max(values)


def _ramp(ahead_m: float) -> float:
    return float(np.clip((RAMP_FAR_M - ahead_m) / (RAMP_FAR_M - RAMP_NEAR_M), 0.0, 1.0))


# Plain C on a Cortex-M4F at 168 MHz takes about 6 instructions a multiply-accumulate, so 20 ms
# allow about 0.5 M; these are 0.33 M.
LAYERS = (
    Layer("conv1", 6, (3, 3), (2, 2), (1, 1)),
    Layer("conv2", 8, (3, 3), (2, 2), (1, 1)),
    Layer("conv3", 16, (3, 3), (2, 2), (1, 1)),
    Layer("conv4", 32, (3, 3), (2, 2), (1, 1)),
    Layer("hidden", 32, (4, 4)),
)

OUTPUTS = (
    # A steering error of 0.1 costs as much as 0.075 nat of collision doubt: chosen so that the two
    # terms are alike on a trained network. Near the ends of the range the label is clipped and
    # noisy, hence the knee.
    Output("steering", "value", weight=15.0, knee=0.2, mirrors=True, limits=(-1.0, 1.0)),
    Output("collision", "probability"),
)

# Many short flights: what a network lacks on roads it has not seen is other roads, not more frames
# of the same ones (a road costs 0.1 s to make, a second of flight 0.05 s). On two idle cores
# "standard" takes about 5 minutes and "full" about 20.
BUDGETS = {
    "quick": Budget((Round(12, 1.0, 4), Round(6, 0.3, 8)), 2, 6.0, 1),
    "standard": Budget(
        (Round(100, 1.0, 3), Round(70, 0.5, 2), Round(70, 0.1, 2), Round(70, 0.0, 6)), 16, 10.0, 1
    ),
    "full": Budget(
        (
            Round(300, 1.0, 4),
            Round(150, 0.5, 3),
            Round(100, 0.2, 3),
            Round(100, 0.0, 3),
            Round(100, 0.0, 12),
        ),
        48,
        10.0,
        2,
    ),
}

ROAD = LearnedTask(
    name="road",
    distribution="road",
    input=InputSpec(height_px=64, width_px=64),
    layers=LAYERS,
    outputs=OUTPUTS,
    guidance=lambda camera: ROAD_GUIDANCE,
    teacher=lambda course, camera: RoadTeacher(course),
    bursts=Bursts(peak=(0.3, 0.4, 0.0, 1.8), burst_s=(0.2, 0.7), pause_s=(0.5, 3.0)),
    # Another camera and other light.
    augmentation=Augmentation(contrast=(0.6, 1.4), brightness=0.2, shading=0.15, noise=0.04),
    budgets=BUDGETS,
    golden_courses=({"obstacle_probability": 0.0}, {"obstacle_probability": 1.0}),
    zoo=ZOO,
)
