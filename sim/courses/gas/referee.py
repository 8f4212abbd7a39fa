"""Referee of a flight over a gas site: decides when and how it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bytewing.sim.pilot import DroneState, Report

Outcome = Literal[
    "found",
    "nothing_there",
    "misplaced",
    "false_report",
    "missed",
    "collision",
    "left_site",
]

FOUND_WITHIN_M = 1.0
"""A report this near to the leak has found it: what one who goes there to mend it needs."""

LEFT_BY_M = 2.0
CEILING_M = 4.0
"""Farther beyond the site's bounds or higher than this a drone has left it."""


@dataclass(frozen=True)
class GasReferee:
    """Judges one flight over a site.

    Attributes:
        bounds_m: (west, south, east, north) of the site.
        leak_world_m: (x, y, z) of the leak, None where there is none.
    """

    bounds_m: tuple[float, float, float, float]
    leak_world_m: tuple[float, float, float] | None

    def update(self, t_s: float, state: DroneState, in_contact: bool) -> Outcome | None:
        """Return the outcome, or None while the flight goes on.

        Args:
            t_s: time since the start.
            state: of the drone.
            in_contact: whether it touches anything, the ground included.
        """
        if in_contact:
            return "collision"
        x, y, z = state.position_world_m
        west, south, east, north = self.bounds_m
        beyond_m = max(west - x, x - east, south - y, y - north)
        return "left_site" if beyond_m > LEFT_BY_M or z > CEILING_M else None

    def on_report(self, report: Report) -> Outcome:
        """Return the outcome that a report makes."""
        if report.leak_position_m is None:
            return "nothing_there" if self.leak_world_m is None else "missed"
        if self.leak_world_m is None:
            return "false_report"
        error_m = math.dist(report.leak_position_m, self.leak_world_m)
        return "found" if error_m <= FOUND_WITHIN_M else "misplaced"
