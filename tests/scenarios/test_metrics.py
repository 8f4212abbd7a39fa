"""Metrics by invariants: what mirroring, shifting and standing still must do to them."""

import math

import numpy as np
import pytest

from bytewing.scenarios.metrics import flight_metrics
from bytewing.scenarios.tasks.road.metrics import FREE_ROAD_M


def offset(xy, left_m):
    heading = np.arctan2(*np.gradient(xy, axis=0).T[::-1])
    return xy + left_m * np.stack([-np.sin(heading), np.cos(heading)], axis=1)


def heading_of(xy):
    return np.arctan2(*np.gradient(xy, axis=0).T[::-1])


def test_a_flight_along_the_centreline_has_no_error(make_log, s_curve_xy):
    metrics = flight_metrics(make_log(s_curve_xy, s_curve_xy, yaw_rad=heading_of(s_curve_xy)))
    assert metrics.cross_track_max_m < 1e-9
    assert metrics.heading_error_rmse_rad < 1e-3
    assert metrics.time_off_road_s == 0
    length_m = np.hypot(*np.diff(s_curve_xy, axis=0).T).sum()
    assert metrics.distance_along_road_m == pytest.approx(length_m)
    assert metrics.mean_speed_m_s == pytest.approx(length_m / 12.0, rel=1e-3)
    assert metrics.time_to_finish_s == metrics.duration_s == pytest.approx(12.01)


def test_a_constant_offset_is_every_measure_of_the_error(make_log, s_curve_xy):
    metrics = flight_metrics(make_log(offset(s_curve_xy, 0.1), s_curve_xy))
    for value in (
        metrics.cross_track_mean_m,
        metrics.cross_track_rmse_m,
        metrics.cross_track_p95_m,
        metrics.cross_track_max_m,
    ):
        assert value == pytest.approx(0.1, abs=2e-3)


def test_mirroring_mirrors_the_signed_error_and_nothing_else(make_log, s_curve_xy):
    rng = np.random.default_rng(3)
    xy = offset(s_curve_xy, 0.05) + np.cumsum(rng.normal(0, 1e-3, s_curve_xy.shape), axis=0)
    yaw = heading_of(xy)
    mirror = np.array([1.0, -1.0])
    original = flight_metrics(make_log(xy, s_curve_xy, yaw_rad=yaw)).as_json()
    mirrored = flight_metrics(make_log(xy * mirror, s_curve_xy * mirror, yaw_rad=-yaw)).as_json()
    assert mirrored.pop("cross_track_mean_m") == pytest.approx(-original.pop("cross_track_mean_m"))
    assert mirrored == pytest.approx(original)


def test_where_the_course_lies_does_not_matter(make_log, s_curve_xy):
    turn = 0.7
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    xy = offset(s_curve_xy, -0.12)
    moved = flight_metrics(
        make_log(
            xy @ rotation.T + [5.0, -3.0],
            s_curve_xy @ rotation.T + [5.0, -3.0],
            yaw_rad=heading_of(xy) + turn,
        )
    )
    here = flight_metrics(make_log(xy, s_curve_xy, yaw_rad=heading_of(xy)))
    assert moved.as_json() == pytest.approx(here.as_json(), abs=1e-9)


def test_time_off_the_road_counts_only_beyond_the_edge(make_log, s_curve_xy):
    left_m = np.zeros(len(s_curve_xy))
    left_m[300:400] = 0.25  # beyond the edge of a 0.4 m road for one second
    metrics = flight_metrics(make_log(offset(s_curve_xy, left_m[:, None]), s_curve_xy))
    assert metrics.time_off_road_s == pytest.approx(1.0, abs=0.03)


def test_speed_counts_the_free_road_only(make_log, s_curve_xy):
    """Standing in front of an obstacle must not slow the mean; standing on a free road must."""
    stop = 800
    standing = np.repeat(s_curve_xy[stop : stop + 1], 400, axis=0)
    xy = np.concatenate([s_curve_xy[:stop], standing])
    s_m = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(s_curve_xy, axis=0).T))])
    blocked = flight_metrics(
        make_log(
            xy, s_curve_xy, outcome="stopped_for_obstacle", obstacle_s_m=float(s_m[stop]) + 0.5
        )
    )
    free = flight_metrics(make_log(xy, s_curve_xy, outcome="timeout"))
    near = np.searchsorted(s_m, s_m[stop] + 0.5 - FREE_ROAD_M)
    assert blocked.mean_speed_m_s == pytest.approx(s_m[near] / (near * 0.01), rel=1e-2)
    assert free.mean_speed_m_s == pytest.approx(s_m[stop] / 12.0, rel=1e-2)
    assert blocked.stopping_distance_m == pytest.approx(0.5, abs=1e-6)
    assert free.stopping_distance_m is None
    assert blocked.time_to_finish_s is None


def test_smoothness_is_zero_for_a_steady_command_and_scales(make_log, s_curve_xy):
    m = len(range(0, 10 * len(s_curve_xy), 40))
    steady = flight_metrics(make_log(s_curve_xy, s_curve_xy))
    assert steady.yaw_rate_command_change_rms_rad_s2 == 0
    zigzag = np.zeros((m, 4))
    zigzag[::2, 3] = 0.1
    once, twice = (
        flight_metrics(make_log(s_curve_xy, s_curve_xy, command=factor * zigzag))
        for factor in (1, 2)
    )
    assert once.yaw_rate_command_change_rms_rad_s2 == pytest.approx(0.1 / 0.04)
    assert twice.yaw_rate_command_change_rms_rad_s2 == pytest.approx(0.2 / 0.04)
    assert once.forward_command_change_rms_m_s2 == 0


def test_a_flight_of_one_state_has_metrics(make_log, s_curve_xy):
    metrics = flight_metrics(make_log(s_curve_xy[:1], s_curve_xy, outcome="collision"))
    assert metrics.collision
    assert metrics.mean_speed_m_s == 0
