"""Baselines of the gas task: a patrol with the true pose, and a frame-difference detector."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bytewing.policies.experts import Constant, LabelPolicy
from bytewing.policies.guidance.answer import Step
from bytewing.policies.inputs.mirror_to_wind import mirrored_left
from bytewing.policies.pilot import Policy, PolicyPilot
from bytewing.policies.tasks.gas.leak_map import CELLS, spread
from bytewing.policies.tasks.gas.learning import gas_guidance
from bytewing.sim.camera.config import Optics
from bytewing.sim.course import Course
from bytewing.sim.pilot import Observation, PrivilegedObservation
from bytewing.sim.senses import read

# Constants of the frame-difference detector. A first threshold, chosen without measurement, gave
# false alarms on most flights of gas_standard. The present threshold is the lowest at which 99 % of
# the frames of patrols over six training sites without a leak (nothing_there, seeds 0 to 5) have
# fewer such pixels: the parallax of near objects changes pixels even between aligned frames. The
# time between its frames equals that of the network's frames.
DIFFERENCE_FRAMES = 2
DIFFERENCE_PIXELS = 12
DIFFERENCE_LEVELS = 69
# The detector cannot measure distance; it answers half the range of the distance output.
DISTANCE_UNKNOWN = 0.5


class TruePose:
    """A policy wrapper that replaces the estimated pose in the senses by the true pose."""

    view: type[PrivilegedObservation] = PrivilegedObservation

    def __init__(self, policy: Policy[Observation]) -> None:
        self.needs_frames = policy.needs_frames
        self._policy = policy

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off."""
        self._policy.reset(route)

    def step(self, seen: PrivilegedObservation) -> Step:
        """Return the step of the policy for the observation with the true pose."""
        senses, state = seen.senses.copy(), seen.truth.state
        read(senses, "position_m")[:] = state.position_world_m
        read(senses, "quaternion_xyzw")[:] = state.quaternion_xyzw
        return self._policy.step(Observation(seen.tick, seen.t_s, seen.frame, senses))


def patrol_pilot(course: Course, camera: Optics) -> PolicyPilot[PrivilegedObservation]:
    """Return the pilot that flies the whole route with the true pose and never reports a leak.

    Its frames show which leaks are visible from the route, so it takes frames.
    """
    nothing = Constant(np.zeros(CELLS + 1), needs_frames=True)
    policy = LabelPolicy(Observation, nothing, gas_guidance(camera))
    return PolicyPilot(TruePose(policy), route=course.route)


class Differences:
    """Labels from a fixed threshold on the difference to an earlier frame.

    The detector reports gas if enough pixels changed, with the leak at their centroid. It first
    shifts the earlier frame onto the present one to compensate the motion of the camera
    (``cv2.phaseCorrelate``).
    """

    needs_frames = True

    def __init__(self) -> None:
        self._frames: list[NDArray[np.float32]] = []

    def reset(self) -> None:
        """Clear the stored frames."""
        self._frames = []

    def labels(self, seen: Observation) -> NDArray[np.float32]:
        """Return the map and the distance of the leak, in the format of the network's outputs."""
        assert seen.frame is not None
        frame = seen.frame.astype(np.float32)
        height, width = frame.shape
        self._frames = [*self._frames[-DIFFERENCE_FRAMES:], frame]
        window = cv2.createHanningWindow((width, height), cv2.CV_32F)
        # Windowed here: phaseCorrelate would do it in the frames themselves.
        (right, down), _ = cv2.phaseCorrelate(self._frames[0] * window, frame * window)
        shift = np.array([[1.0, 0.0, right], [0.0, 1.0, down]])
        # Pixels that come into view are NaN, and comparisons with NaN are false.
        earlier = cv2.warpAffine(self._frames[0], shift, (width, height), borderValue=float("nan"))
        rows, columns = np.nonzero(np.abs(frame - earlier) > DIFFERENCE_LEVELS)
        if len(rows) < DIFFERENCE_PIXELS:
            return np.append(np.zeros(CELLS, np.float32), np.float32(DISTANCE_UNKNOWN))
        left = 1.0 - (2 * columns.mean() + 1) / width
        up = 1.0 - (2 * rows.mean() + 1) / height
        left = mirrored_left(left, seen.senses)
        return np.append(spread(1.0, left, up), np.float32(DISTANCE_UNKNOWN))


def difference_pilot(course: Course, camera: Optics) -> PolicyPilot[Observation]:
    """Return the pilot that feeds the labels of ``Differences`` to the gas guidance."""
    policy = LabelPolicy(Observation, Differences(), gas_guidance(camera))
    return PolicyPilot(policy, route=course.route)
