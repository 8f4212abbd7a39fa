"""Compute road metrics from a flight log.

Times come from the ticks in the log, distances from the states and the course in the log. The same
log therefore gives the same metrics on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from bytewing.scenarios.results import MEDIAN, Metrics
from bytewing.sim.courses.road.centreline import Centreline
from bytewing.sim.flight_log import FlightLog
from bytewing.sim.frames import euler_from_quaternion, wrap_angle_rad

# The road ahead counts as free while the obstacle is further away than this distance. Within it,
# the PULP-Dronet data set labels a frame as a collision.
FREE_ROAD_M = 2.0

Samples = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RoadMetrics(Metrics):
    """The metrics of one road flight; None for metrics that do not apply to the flight.

    ``completed`` is true if the drone reached the finish or, on a blocked road, stopped before the
    obstacle.

    Attributes:
        obstacle_on_road: whether the road was blocked.
        distance_along_road_m: from the start to the furthest point reached.
        cross_track_mean_m: mean signed distance from the centreline, left positive.
        cross_track_rmse_m: root mean square of the distance from the centreline.
        cross_track_p95_m: 95th percentile of the distance from the centreline.
        cross_track_max_m: largest distance from the centreline.
        heading_error_rmse_rad: root mean square of yaw against the road's direction.
        mean_speed_m_s: mean speed along the free road: until the obstacle first came within
            ``FREE_ROAD_M``, or over the whole flight without an obstacle.
        time_off_road_s: time with the centre of the drone beyond the edge of the road.
        stopping_distance_m: distance along the road from the centre of the drone to the near face
            of the obstacle, on flights that ended with a stop before it.
        forward_command_change_rms_m_s2: root mean square of the commanded forward acceleration.
        yaw_rate_command_change_rms_rad_s2: root mean square of the commanded yaw acceleration.
        time_to_finish_s: duration of flights that reached the finish.
    """

    obstacle_on_road: bool
    distance_along_road_m: float
    cross_track_mean_m: float
    cross_track_rmse_m: Annotated[float, MEDIAN]
    cross_track_p95_m: Annotated[float, MEDIAN]
    cross_track_max_m: float
    heading_error_rmse_rad: float
    mean_speed_m_s: Annotated[float, MEDIAN]
    time_off_road_s: float
    stopping_distance_m: float | None
    forward_command_change_rms_m_s2: float
    yaw_rate_command_change_rms_rad_s2: float
    time_to_finish_s: float | None


def road_metrics(log: FlightLog) -> RoadMetrics:
    """Return the metrics of a road flight."""
    arrays, meta = log.arrays, log.meta
    tick_s = 1.0 / meta["base_rate_hz"]
    time_s = arrays["state.tick"] * tick_s
    s_m, cross_track_m, road_heading_rad = _along_road(log)
    yaw_rad = [euler_from_quaternion(q)[2] for q in arrays["state.quaternion_xyzw"]]
    heading_error_rad = np.array(
        [wrap_angle_rad(yaw - road) for yaw, road in zip(yaw_rad, road_heading_rad, strict=True)]
    )
    width_m = float(arrays["course.width_m"][0])
    obstacle_s_m = _obstacle_s_m(log)
    outcome = meta["outcome"]
    duration_s = meta["duration_ticks"] * tick_s
    off_road = np.abs(cross_track_m) > width_m / 2
    stopped = outcome == "stopped_for_obstacle" and obstacle_s_m is not None
    change_forward, change_yaw_rate = _command_change_rms(log, tick_s)
    return RoadMetrics(
        completed=bool(meta["completed"]),
        outcome=outcome,
        collision=outcome == "collision",
        obstacle_on_road=obstacle_s_m is not None,
        duration_s=duration_s,
        distance_along_road_m=float(s_m.max() - s_m[0]),
        cross_track_mean_m=float(cross_track_m.mean()),
        cross_track_rmse_m=_rms(cross_track_m),
        cross_track_p95_m=float(np.percentile(np.abs(cross_track_m), 95)),
        cross_track_max_m=float(np.abs(cross_track_m).max()),
        heading_error_rmse_rad=_rms(heading_error_rad),
        mean_speed_m_s=_free_road_speed_m_s(time_s, s_m, obstacle_s_m),
        time_off_road_s=float(np.diff(time_s, append=duration_s)[off_road].sum()),
        stopping_distance_m=float(obstacle_s_m - s_m[-1]) if stopped else None,
        forward_command_change_rms_m_s2=change_forward,
        yaw_rate_command_change_rms_rad_s2=change_yaw_rate,
        time_to_finish_s=duration_s if outcome == "finished" else None,
        frames=len(arrays["camera.tick"]),
    )


def _along_road(log: FlightLog) -> tuple[Samples, Samples, Samples]:
    """Return arc length in m, cross-track error in m and road heading in rad, each (N,)."""
    centreline = Centreline(log.arrays["course.centreline_xy_world_m"])
    hint_s_m: float | None = None
    rows = []
    for position in log.arrays["state.position_world_m"]:
        projection = centreline.project(position[:2], hint_s_m)
        hint_s_m = projection.s_m
        rows.append((projection.s_m, projection.cross_track_m, projection.heading_rad))
    columns = np.array(rows, np.float64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2]


def _obstacle_s_m(log: FlightLog) -> float | None:
    near_and_far = log.arrays["course.obstacle_s_m"]
    return float(near_and_far[0]) if near_and_far.size else None


def _free_road_speed_m_s(time_s: Samples, s_m: Samples, obstacle_s_m: float | None) -> float:
    """Return the mean speed along the road until the obstacle comes within ``FREE_ROAD_M``."""
    last = len(s_m) - 1
    if obstacle_s_m is not None:
        near = np.flatnonzero(obstacle_s_m - s_m <= FREE_ROAD_M)
        last = int(near[0]) if near.size else last
    elapsed_s = time_s[last] - time_s[0]
    return float((s_m[last] - s_m[0]) / elapsed_s) if elapsed_s > 0 else 0.0


def _command_change_rms(log: FlightLog, tick_s: float) -> tuple[float, float]:
    """Return the RMS rates of change of the commanded forward speed and yaw rate."""
    interval_s = np.diff(log.arrays["camera.tick"]) * tick_s
    if interval_s.size == 0:
        return 0.0, 0.0
    change = np.diff(log.arrays["inference.command"], axis=0) / interval_s[:, None]
    return _rms(change[:, 0]), _rms(change[:, 3])


def _rms(values: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
