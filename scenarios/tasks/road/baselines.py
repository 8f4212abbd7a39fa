"""Baselines of the road task: simple pilots that must fail on courses that are hard enough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bytewing.policies.experts import Constant, LabelPolicy
from bytewing.policies.pilot import PolicyPilot
from bytewing.policies.tasks.road.learning import ROAD_GUIDANCE
from bytewing.sim.pilot import Observation


class BrightestSide:
    """Steers towards the brighter half of the ground."""

    needs_frames = True

    def reset(self) -> None:
        """Do nothing: the rule has no state."""

    def labels(self, seen: Observation) -> NDArray[np.float32]:
        """Return the steering label, and 0 for the collision label."""
        assert seen.frame is not None
        height, width = seen.frame.shape
        ground = seen.frame[height // 2 :].astype(np.float64)
        left, right = ground[:, : width // 2].mean(), ground[:, width // 2 :].mean()
        # Full steering at a contrast of one half: a road of twice the ground's brightness.
        contrast = (left - right) / max(left + right, 1.0)
        return np.array([np.clip(2.0 * contrast, -1.0, 1.0), 0.0], np.float32)


def constant_pilot(steering: float = 0.0) -> PolicyPilot[Observation]:
    """Return the pilot with constant steering; a road that it completes is too easy."""
    return PolicyPilot(LabelPolicy(Observation, Constant([steering, 0.0]), ROAD_GUIDANCE))


def brightest_side_pilot() -> PolicyPilot[Observation]:
    """Return the pilot that steers towards the brighter half of the ground in the frame.

    A road that it completes can be distinguished from the ground by brightness alone.
    """
    return PolicyPilot(LabelPolicy(Observation, BrightestSide(), ROAD_GUIDANCE))
