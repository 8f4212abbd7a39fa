"""Compute the metrics of the metal-oxide task from a flight log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from bytewing.scenarios.results import MEDIAN, Metrics
from bytewing.sim.courses.mox.course import REACHED_M
from bytewing.sim.flight_log import FlightLog


@dataclass(frozen=True, kw_only=True)
class MoxMetrics(Metrics):
    """The metrics of one flight with the metal-oxide sensor; None for metrics that do not apply.

    ``completed`` is true if the drone came within ``REACHED_M`` of the source.

    Attributes:
        leak_rate_g_h: rate of the source.
        start_distance_m: distance from the start to the source.
        closest_m: smallest distance from the drone to the source.
        time_to_reach_s: time from take-off, on flights that reached the source.
        distance_flown_m: length of the trajectory.
        detour: length of the trajectory divided by the shortest possible, on flights that reached
            the source.
        gas_share: share of the flight time with a concentration above 1 ppm.
    """

    leak_rate_g_h: float
    start_distance_m: float
    closest_m: Annotated[float, MEDIAN]
    time_to_reach_s: Annotated[float | None, MEDIAN]
    distance_flown_m: Annotated[float, MEDIAN]
    detour: Annotated[float | None, MEDIAN]
    gas_share: float


def mox_metrics(log: FlightLog) -> MoxMetrics:
    """Return the metrics of a flight with the metal-oxide sensor."""
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
