"""Centrelines: projection, curvature, and the layouts that roads are drawn from."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.rng import stream
from bytewing.sim.courses.road.centreline import Centreline
from bytewing.sim.courses.road.config import RoadCourseConfig
from bytewing.sim.courses.road.layout import RUN_IN_M, RUN_OUT_M, lay_out

RADIUS_M = 2.0


def left_circle():
    """Three quarters of a circle around (0, 2), from the origin eastwards, turning left."""
    angle = np.linspace(0, 1.5 * math.pi, 700)
    return Centreline(np.stack([RADIUS_M * np.sin(angle), RADIUS_M * (1 - np.cos(angle))], axis=1))


def road(seed, **course):
    config = parse(RoadCourseConfig, course, "test")
    return lay_out(config, stream(seed, "course.layout"))


def test_circle_has_its_length_heading_and_curvature():
    circle = left_circle()
    assert circle.length_m == pytest.approx(1.5 * math.pi * RADIUS_M, rel=1e-4)
    assert circle.curvature(4.0) == pytest.approx(1 / RADIUS_M, rel=1e-3)
    assert circle.heading(0.0) == pytest.approx(0.0, abs=2e-3)
    assert circle.heading(circle.length_m) == pytest.approx(1.5 * math.pi, abs=2e-3)
    np.testing.assert_allclose(circle.point(math.pi * RADIUS_M), [0, 2 * RADIUS_M], atol=1e-3)


@pytest.mark.parametrize("cross_track_m", [-0.4, -0.01, 0.0, 0.3])
def test_left_of_the_centreline_is_positive(cross_track_m):
    # A left bend's centre is on its left: from there the distance to the centre is shorter.
    angle = 1.0
    x, y = (RADIUS_M - cross_track_m) * np.array([math.sin(angle), -math.cos(angle)])
    found = left_circle().project((x, y + RADIUS_M))
    assert found.cross_track_m == pytest.approx(cross_track_m, abs=1e-4)
    assert found.s_m == pytest.approx(angle * RADIUS_M, abs=1e-3)
    assert found.heading_rad == pytest.approx(angle, abs=1e-3)
    assert found.curvature_1_m == pytest.approx(0.5, rel=1e-2)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 30), share=st.floats(0.05, 0.95), left_m=st.floats(-0.6, 0.6))
def test_projection_undoes_beside_on_random_roads(seed, share, left_m):
    # Holds within the smallest radius (1 m) and half the clearance (0.75 m).
    centreline, _ = road(seed)
    s_m = share * centreline.length_m
    xy = centreline.beside(s_m, left_m)
    for hint in (None, s_m + 0.5, s_m - 0.5):
        found = centreline.project(xy, hint)
        # The points are 20 mm apart; where the curve bends, nearest jumps a little between them.
        assert found.s_m == pytest.approx(s_m, abs=5e-3)
        assert found.cross_track_m == pytest.approx(left_m, abs=1e-3)
    assert centreline.distance(xy) == pytest.approx(abs(left_m), abs=1e-3)


def test_a_hint_keeps_to_the_stretch_the_drone_is_on():
    out = np.stack([np.arange(0, 5, 0.02), np.zeros(250)], axis=1)
    turn = np.stack([np.full(20, 5.0), np.arange(0, 0.4, 0.02)], axis=1)
    back = out[::-1] + np.array([0, 0.4])
    hairpin = Centreline(np.concatenate([out, turn, back]))
    above_the_way_out = (1.0, 0.25)  # but nearer to the way back
    assert hairpin.project(above_the_way_out).s_m > 9
    kept = hairpin.project(above_the_way_out, hint_s_m=0.9)
    assert kept.s_m == pytest.approx(1.0, abs=0.02)
    assert kept.cross_track_m == pytest.approx(0.25, abs=1e-6)


def test_beyond_the_ends_it_is_the_distance_to_the_end():
    line = Centreline(np.stack([np.linspace(0, 3, 151), np.zeros(151)], axis=1))
    before, beyond = line.project((-0.3, 0.4)), line.project((3.3, -0.4))
    assert (before.s_m, before.cross_track_m) == pytest.approx((0.0, 0.5))
    assert (beyond.s_m, beyond.cross_track_m) == pytest.approx((3.0, -0.5))


@pytest.mark.parametrize("points", [np.zeros((2, 2)), np.zeros((5, 3)), np.zeros(5)])
def test_what_is_no_curve_is_refused(points):
    with pytest.raises(ValueError, match="points"):
        Centreline(points)


def test_layouts_keep_their_promises():
    radii = []
    for seed in range(40):
        centreline, finish_s_m = road(seed, clearance_m=1.6)
        length_m = finish_s_m - RUN_IN_M
        assert 8 <= length_m <= 12
        assert centreline.length_m == pytest.approx(finish_s_m + RUN_OUT_M, abs=0.02)
        np.testing.assert_allclose(centreline.point(RUN_IN_M), 0, atol=1e-9)

        curvature = centreline.curvature_1_m
        assert np.abs(curvature).max() <= 1.0 + 1e-3
        radii.append(1 / np.abs(curvature).max())
        # Continuous: no ramp is steeper than an S-bend's from -1 to 1 over twice 0.25 m.
        assert np.abs(np.diff(curvature)).max() / 0.02 < 4.5

        s, xy = centreline.s_m[::5], centreline.xy_world_m[::5]
        apart = np.hypot(*(xy[:, None] - xy[None, :]).transpose(2, 0, 1))
        far_along = np.abs(s[:, None] - s[None, :]) > 1.6 * math.pi / 2 + 0.1
        assert apart[far_along].min() >= 1.5
    assert min(radii) < 1.15
    assert max(radii) > 1.4


def test_elements_make_what_they_say():
    straight, _ = road(3, elements="straight")
    assert np.abs(straight.curvature_1_m).max() < 1e-9

    def turns(elements):
        """Return how often the curvature changes sign, over some roads."""
        signs = [
            np.sign(np.round(road(s, elements=elements)[0].curvature_1_m, 3)) for s in range(6)
        ]
        return [np.count_nonzero(np.diff(sign[sign != 0])) for sign in signs]

    assert min(turns("s_bend")) >= 1
    bend, _ = road(1, elements=["bend"], bend_radius_m=1.5, ramp_length_m=0.3, bend_angle_deg=90)
    share_at_peak = np.mean(np.abs(bend.curvature_1_m) > 0.99 / 1.5)
    crest, _ = road(1, elements=["crest"], bend_radius_m=1.5, bend_angle_deg=60)
    assert share_at_peak > 0.4
    assert np.mean(np.abs(crest.curvature_1_m) > 0.99 / 1.5) < 0.05
    assert np.abs(crest.curvature_1_m).max() > 0.95 / 1.5


def test_a_road_that_cannot_keep_clear_is_refused():
    with pytest.raises(BadInputError, match=r"clearance_m.*length_m"):
        road(0, elements="bend", bend_angle_deg=180, bend_radius_m=1.0, length_m=40, clearance_m=4)
