"""Pilots without a network over a gas site: what there was to see, and what a simple rule finds."""

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

# The frame-difference detector's constants. A first threshold, set by reasoning alone, gave false
# alarms on most flights of gas_standard; this rule replaced it. The time between its frames is that
# of the network's. The threshold is the lowest at which 99 % of the frames of patrols over six
# training sites without a leak (nothing_there, seeds 0 to 5) have fewer such pixels: a camera that
# moves before near things sees much change even when what it saw is shifted into place.
DIFFERENCE_FRAMES = 2
DIFFERENCE_PIXELS = 12
DIFFERENCE_LEVELS = 69
# It cannot tell how far the gas is: half of what the distance output can say.
DISTANCE_UNKNOWN = 0.5


class TruePose:
    """A policy whose senses hold where the drone truly is, not where it believes to be."""

    view: type[PrivilegedObservation] = PrivilegedObservation

    def __init__(self, policy: Policy[Observation]) -> None:
        self.needs_frames = policy.needs_frames
        self._policy = policy

    def reset(self, route: NDArray[np.float32]) -> None:
        """Go back to the state at take-off."""
        self._policy.reset(route)

    def step(self, seen: PrivilegedObservation) -> Step:
        """Return what the policy makes of the observation with the true pose."""
        senses, state = seen.senses.copy(), seen.truth.state
        read(senses, "position_m")[:] = state.position_world_m
        read(senses, "quaternion_xyzw")[:] = state.quaternion_xyzw
        return self._policy.step(Observation(seen.tick, seen.t_s, seen.frame, senses))


def patrol_pilot(course: Course, camera: Optics) -> PolicyPilot[PrivilegedObservation]:
    """Return the pilot that flies the whole route by the truth and finds nothing.

    It shows what could be seen on the way, so it takes frames.
    """
    nothing = Constant(np.zeros(CELLS + 1), needs_frames=True)
    policy = LabelPolicy(Observation, nothing, gas_guidance(camera))
    return PolicyPilot(TruePose(policy), route=course.route)


class Differences:
    """Labels by a fixed threshold on the difference to an earlier frame.

    Gas is where enough pixels have changed, the leak at their centroid. The earlier frame is first
    shifted onto the present one, as a camera that moves asks for (``cv2.phaseCorrelate``).
    """

    needs_frames = True

    def __init__(self) -> None:
        self._frames: list[NDArray[np.float32]] = []

    def reset(self) -> None:
        """Forget the frames seen."""
        self._frames = []

    def labels(self, seen: Observation) -> NDArray[np.float32]:
        """Return the leak's map and its distance, as a network would."""
        assert seen.frame is not None
        frame = seen.frame.astype(np.float32)
        height, width = frame.shape
        self._frames = [*self._frames[-DIFFERENCE_FRAMES:], frame]
        window = cv2.createHanningWindow((width, height), cv2.CV_32F)
        # Windowed here: phaseCorrelate would do it in the frames themselves.
        (right, down), _ = cv2.phaseCorrelate(self._frames[0] * window, frame * window)
        shift = np.array([[1.0, 0.0, right], [0.0, 1.0, down]])
        # What comes into view is compared with nothing: no comparison with NaN holds.
        earlier = cv2.warpAffine(self._frames[0], shift, (width, height), borderValue=float("nan"))
        rows, columns = np.nonzero(np.abs(frame - earlier) > DIFFERENCE_LEVELS)
        if len(rows) < DIFFERENCE_PIXELS:
            return np.append(np.zeros(CELLS, np.float32), np.float32(DISTANCE_UNKNOWN))
        left = 1.0 - (2 * columns.mean() + 1) / width
        up = 1.0 - (2 * rows.mean() + 1) / height
        left = mirrored_left(left, seen.senses)
        return np.append(spread(1.0, left, up), np.float32(DISTANCE_UNKNOWN))


def difference_pilot(course: Course, camera: Optics) -> PolicyPilot[Observation]:
    """Return the pilot that flies by ``Differences`` through the gas guidance."""
    policy = LabelPolicy(Observation, Differences(), gas_guidance(camera))
    return PolicyPilot(policy, route=course.route)
