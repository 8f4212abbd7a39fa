"""What the range sensors saw lately. They look four ways, and a pole may stand between two of them.

Whoever flies past a pole has it in one view or another on the way. Here it is kept as a point where
the drone believed to be then: the estimate drifts, but little in the time that a point is of use.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from bytewing.policies.tasks.gas.constants import GasGuidance
from support.oracle.float32 import F32, TINY, Vector, clamp, norm

PLACES = 24
# Two readings this near each other, to the east and to the north, are of one thing.
SAME_M = F32(0.2)
# Where a place is that nothing was seen at yet: farther than any position.
NOWHERE_M = F32(1e5)


def fastest_m_s(constants: GasGuidance | SimpleNamespace) -> np.float32:
    """Return the highest speed that is flown, forwards or sideways."""
    return max(F32(constants.speed_m_s), F32(constants.approach_speed_m_s))


def reach_m(constants: GasGuidance | SimpleNamespace) -> np.float32:
    """Return the distance from which on nobody at the highest speed is held back."""
    return F32(constants.margin_m) + fastest_m_s(constants) / F32(constants.margin_gain)


class Obstacles:
    """Places where something stands, float32.

    Args:
        constants: of ``bytewing.policies.constants.GasGuidance``.
    """

    def __init__(self, constants: SimpleNamespace) -> None:
        self._c = constants
        self._reach_m = reach_m(constants)
        self._fastest = fastest_m_s(constants)
        self._places_m = np.full((PLACES, 2), NOWHERE_M)
        self._oldest = 0

    def see(self, position: Vector, heading: Vector, free: Vector) -> None:
        """Take in the free distances to the front, left, back and right."""
        ahead, aside = heading
        for (east, north), room in zip(
            ((ahead, aside), (-aside, ahead), (-ahead, -aside), (aside, -ahead)), free, strict=True
        ):
            if room < self._c.remember_m:
                self._put(position[0] + room * east, position[1] + room * north)

    def _put(self, east: np.float32, north: np.float32) -> None:
        """Remember a place: instead of one that is as good as the same, or of the oldest."""
        same = np.flatnonzero(np.all(np.abs(self._places_m - (east, north)) <= SAME_M, axis=1))
        index = int(same[0]) if len(same) else self._oldest
        if not len(same):
            self._oldest = (self._oldest + 1) % PLACES
        self._places_m[index] = east, north

    def hold_back(
        self, position: Vector, heading: Vector, forward: np.float32, left: np.float32
    ) -> tuple[np.float32, np.float32]:
        """Return a velocity, heading frame, that keeps the margin to all that is remembered."""
        c = self._c
        away = self._places_m - position[:2]
        for east, north in away[np.all(np.abs(away) <= self._reach_m, axis=1)]:
            distance = norm(east, north)
            if distance < TINY:
                continue
            ahead = (east * heading[0] + north * heading[1]) / distance
            aside = (north * heading[0] - east * heading[1]) / distance
            allowed = c.margin_gain * (distance - c.margin_m)
            surplus = forward * ahead + left * aside - allowed
            if surplus > F32(0):
                forward = forward - surplus * ahead
                left = left - surplus * aside
        top = self._fastest
        return clamp(forward, -top, top), clamp(left, -top, top)
