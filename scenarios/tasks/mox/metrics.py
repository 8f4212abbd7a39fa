"""What a flight by smell was worth: a pure function of its log."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from bytewing.sim.courses.mox.course import REACHED_M
from bytewing.sim.flight_log import FlightLog


@dataclass(frozen=True)
class MoxMetrics:
    """The figures of one flight; None where the flight has no such figure.

    Attributes:
        completed: came within REACHED_M of the source.
        outcome: the referee's word for how the flight ended.
        collision: something was touched.
        leak_rate_g_h: of the source.
        start_distance_m: from the start to the source.
        closest_m: the nearest it came to the source.
        time_to_reach_s: from take-off, on flights that reached it.
        distance_flown_m: length of the way.
        detour: that length over the least possible, on flights that reached it.
        gas_share: share of the flight spent in gas, of any concentration above 1 ppm.
        duration_s: from take-off to the outcome.
        frames: steps that the pilot answered.
    """

    completed: bool
    outcome: str
    collision: bool
    leak_rate_g_h: float
    start_distance_m: float
    closest_m: float
    time_to_reach_s: float | None
    distance_flown_m: float
    detour: float | None
    gas_share: float
    duration_s: float
    frames: int

    def as_json(self) -> dict[str, Any]:
        """Return the metrics as a JSON-able table."""
        return dataclasses.asdict(self)


def mox_metrics(log: FlightLog) -> MoxMetrics:
    """Return the metrics of a flight by smell."""
    arrays, meta = log.arrays, log.meta
    places = arrays["state.position_world_m"]
    distances_m = np.linalg.norm(places - arrays["course.leak_position_world_m"][0], axis=1)
    flown_m = float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum())
    outcome, duration_s = meta["outcome"], meta["duration_ticks"] / meta["base_rate_hz"]
    reached = outcome == "reached"
    least_m = float(distances_m[0]) - REACHED_M
    return MoxMetrics(
        completed=bool(meta["completed"]),
        outcome=outcome,
        collision=outcome == "collision",
        leak_rate_g_h=float(arrays["course.leak_rate_g_h"][0]),
        start_distance_m=float(distances_m[0]),
        closest_m=float(distances_m.min()),
        time_to_reach_s=duration_s if reached else None,
        distance_flown_m=flown_m,
        detour=flown_m / least_m if reached and least_m > 0 else None,
        gas_share=float((arrays["state.gas_ppm"] > 1.0).mean()),
        duration_s=duration_s,
        frames=len(arrays["camera.tick"]),
    )
