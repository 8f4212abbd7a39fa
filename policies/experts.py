"""Pilots without a network: the road teacher with privileged truth, and two naive baselines.

The teacher says what an ideal network would answer to the frame; its labels go through the same
guidance as a network's outputs, so what it teaches is exactly what flies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from policies.bundle import RoadGuidance
from policies.guidance import NO_ROUTE, as_command, make_guide
from sim.courses.centreline import Centreline
from sim.courses.road_crossings import COMMIT_M, HIT_M
from sim.frames import euler_from_quaternion, wrap_angle_rad
from sim.pilot import Commanding, DroneState, Observation, VelocityCommand

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


class RoadLabels(NamedTuple):
    """What an ideal network answers: steering in [-1, 1], left positive; collision in [0, 1]."""

    steering: float
    collision: float


class Obstacle(Protocol):
    """Something that stands on the road."""

    @property
    def s_m(self) -> float:
        """Arc length of its near face."""
        ...


class Crossing(Protocol):
    """Somebody who walks across the road (``sim.courses.road_crossings.RoadCrossing``)."""

    @property
    def s_m(self) -> float:
        """Arc length of its near face."""
        ...

    @property
    def keep_away_m(self) -> float:
        """How near to the road's middle it may come before one must wait."""
        ...

    def beside_m(self, t_s: float) -> float:
        """Return how far its nearest side is from the road's middle."""
        ...


class RoadView(Protocol):
    """What the teacher knows of a course (``sim.courses.road.RoadCourse`` has it)."""

    @property
    def centreline(self) -> Centreline:
        """Where the road runs."""
        ...

    @property
    def obstacle(self) -> Obstacle | None:
        """What blocks it, if anything."""
        ...

    @property
    def crossing(self) -> Sequence[Crossing]:
        """Who walks across it."""
        ...


class RoadTeacher:
    """Labels for the drone's true state on one course."""

    def __init__(self, course: RoadView, guidance: RoadGuidance = ROAD_GUIDANCE) -> None:
        self._course = course
        self._guidance = guidance
        self._s_m: float | None = None

    def reset(self) -> None:
        """Forget where the drone was."""
        self._s_m = None

    def labels(self, state: DroneState, t_s: float) -> RoadLabels:
        """Return the labels for ``state``; successive calls follow the drone along the road.

        Args:
            state: the true one.
            t_s: since take-off; it says where those are who cross the road.
        """
        xy = state.position_world_m[:2]
        self._s_m = self._course.centreline.project(xy, self._s_m).s_m
        _, _, yaw = euler_from_quaternion(state.quaternion_xyzw)
        steering = self._steering(xy, yaw)
        return RoadLabels(steering, self._collision(t_s))

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


Labeller = Callable[[Observation], RoadLabels]


class GuidedPilot(Commanding):
    """A pilot that sends labels through the road guidance."""

    latency_s = 0.0

    def __init__(
        self,
        labeller: Labeller,
        reset: Callable[[], None] | None = None,
        needs_frames: bool = False,
        guidance: RoadGuidance = ROAD_GUIDANCE,
    ) -> None:
        self.needs_frames = needs_frames
        self.outputs: NDArray[np.generic] = np.zeros(2, np.float32)
        self._labeller = labeller
        self._reset = reset
        self._guide = make_guide(guidance)

    def reset(self) -> None:
        """Forget everything."""
        self._guide.reset(NO_ROUTE)
        if self._reset is not None:
            self._reset()

    def act(self, observation: Observation) -> VelocityCommand:
        """Return the command for what the labeller says of this observation."""
        labels = np.array(self._labeller(observation), np.float32)
        self.outputs = labels
        return as_command(self._guide.step(labels, observation.senses))


def expert_pilot(course: RoadView, guidance: RoadGuidance = ROAD_GUIDANCE) -> GuidedPilot:
    """Return the pilot that flies by the teacher's labels: the best that a network can become."""
    teacher = RoadTeacher(course, guidance)
    return GuidedPilot(
        lambda seen: teacher.labels(seen.truth, seen.t_s), teacher.reset, guidance=guidance
    )


def constant_pilot(steering: float = 0.0, guidance: RoadGuidance = ROAD_GUIDANCE) -> GuidedPilot:
    """Return the pilot that always steers the same; a course it completes is too easy."""
    return GuidedPilot(lambda _: RoadLabels(steering, 0.0), guidance=guidance)


def brightest_side_pilot(guidance: RoadGuidance = ROAD_GUIDANCE) -> GuidedPilot:
    """Return the pilot that steers towards the brighter half of the ground it sees.

    It completes courses on which the road can be told by brightness alone.
    """

    def label(seen: Observation) -> RoadLabels:
        assert seen.frame is not None
        height, width = seen.frame.shape
        ground = seen.frame[height // 2 :].astype(np.float64)
        left, right = ground[:, : width // 2].mean(), ground[:, width // 2 :].mean()
        # Full steering at a contrast of one half: a road of twice the ground's brightness.
        contrast = (left - right) / max(left + right, 1.0)
        return RoadLabels(float(np.clip(2.0 * contrast, -1.0, 1.0)), 0.0)

    return GuidedPilot(label, needs_frames=True, guidance=guidance)
