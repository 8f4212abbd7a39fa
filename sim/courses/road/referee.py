"""Referee of a road flight: decides when and how it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from bytewing.sim.courses.road.centreline import Centreline
from bytewing.sim.pilot import DroneState, Report

Outcome = Literal[
    "finished",
    "stopped_for_obstacle",
    "collision",
    "left_road",
    "passed_obstacle",
    "timeout",
]

STOP_GAP_M = 0.3
"""A stop counts this far before the obstacle's near face, along the road, or farther."""

STOP_WITHIN_M = 2.0
"""A stop counts only this near to the obstacle: who stands still for no reason did not see it."""

STOP_TIME_S = 2.0
STOP_SPEED_M_S = 0.1
"""Standing still: slower than this over the ground (a hovering drone sways by a few cm/s)."""


@dataclass
class RoadReferee:
    """Judges one flight along a road; keeps where the drone is and since when it stands.

    Attributes:
        centreline: the road.
        finish_s_m: arc length of the finish.
        obstacle_s_m: (near, far) arc lengths of what blocks the road, None on a free one.
        off_road_limit_m: distance from the centreline at which the drone has left the road.
        time_limit_s: None for no limit.
        s_m: arc length of the drone's centre at the last update.
    """

    centreline: Centreline
    finish_s_m: float
    obstacle_s_m: tuple[float, float] | None
    off_road_limit_m: float
    time_limit_s: float | None
    s_m: float
    _still_since_s: float | None = field(default=None, init=False)

    def update(self, t_s: float, state: DroneState, in_contact: bool) -> Outcome | None:
        """Return the outcome, or None while the flight goes on.

        Args:
            t_s: time since the start, must not decrease.
            state: of the drone.
            in_contact: whether it touches anything, the ground included.
        """
        if in_contact:
            return "collision"
        here = self.centreline.project(state.position_world_m, self.s_m)
        self.s_m = here.s_m
        if abs(here.cross_track_m) > self.off_road_limit_m:
            return "left_road"
        if self.obstacle_s_m is None:
            if here.s_m >= self.finish_s_m:
                return "finished"
        else:
            near_s_m, far_s_m = self.obstacle_s_m
            if here.s_m > far_s_m:
                return "passed_obstacle"
            if self._stands_before(near_s_m, t_s, state):
                return "stopped_for_obstacle"
        if self.time_limit_s is not None and t_s >= self.time_limit_s:
            return "timeout"
        return None

    def on_report(self, report: Report) -> Outcome | None:
        """Return None: on a road there is nothing to report."""
        return None

    def _stands_before(self, near_s_m: float, t_s: float, state: DroneState) -> bool:
        vx, vy, _ = state.velocity_world_m_s
        gap_m = near_s_m - self.s_m
        if math.hypot(vx, vy) >= STOP_SPEED_M_S or not STOP_GAP_M <= gap_m <= STOP_WITHIN_M:
            self._still_since_s = None
            return False
        if self._still_since_s is None:
            self._still_since_s = t_s
        return t_s - self._still_since_s >= STOP_TIME_S
