"""Road courses: what is drawn, where things stand, and how the referee judges."""

import hashlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError
from bytewing.foundation.rng import stream
from bytewing.sim.courses.road.config import MARKINGS, TEXTURES
from bytewing.sim.courses.road.course import RoadCourseConfig, generate_road
from bytewing.sim.courses.road.crossings import COMMIT_M, HIT_M
from bytewing.sim.courses.road.difficulty import EASY_TO_HARD, at_difficulty
from bytewing.sim.courses.road.marks import draw_marks
from bytewing.sim.courses.textures import FAMILIES, PX_M, TILE_PX, UNIT, tile
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.pilot import DroneState

SEEDS = range(30)


def config(**course):
    return parse(RoadCourseConfig, course, "course.toml")


def fingerprint(course):
    digest = hashlib.sha256(json.dumps(course.parameters, sort_keys=True).encode())
    for name, array in sorted(course.log_arrays().items()):
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    digest.update(course.scene.ground.picture.tobytes() + course.scene.ground.tile.tobytes())
    for item in course.scene.objects:
        digest.update(repr((item.name, item.position_world_m, item.yaw_rad)).encode())
        digest.update(item.mesh.vertices_m.tobytes() + item.mesh.uv.tobytes())
        digest.update(b"" if item.surface.texture is None else item.surface.texture.tobytes())
    return digest.hexdigest()


def at(course, s_m, left_m=0.0, speed_m_s=0.5, height_m=0.5):
    """Return the state of a drone that flies along the road at this place."""
    x, y = course.centreline.beside(s_m, left_m)
    yaw = course.centreline.heading(s_m)
    velocity = speed_m_s * np.array([np.cos(yaw), np.sin(yaw), 0])
    return DroneState(
        np.array([x, y, height_m]), quaternion_from_euler(0, 0, yaw), velocity, np.zeros(3)
    )


@pytest.fixture(scope="module")
def blocked():
    """Some courses whose road is blocked."""
    return [generate_road(config(obstacle_probability=1), seed) for seed in SEEDS]


# What is drawn


def test_same_seed_same_course_in_another_process():
    course = generate_road(config(obstacle_probability=0.5), 7)
    script = (
        "from tests_road import *\n"
        "print(fingerprint(generate_road(config(obstacle_probability=0.5), 7)))"
    )
    loader = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('tests_road', {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec); sys.modules['tests_road'] = module\n"
        "spec.loader.exec_module(module)\n"
    )
    other = subprocess.run(
        [sys.executable, "-c", loader + script], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == fingerprint(course)
    assert fingerprint(generate_road(config(obstacle_probability=0.5), 8)) != fingerprint(course)


def test_the_parts_have_streams_of_their_own():
    plain = generate_road(config(), 5)
    other = generate_road(config(thing_count=30, obstacle_probability=1, sky_grey=0.5), 5)
    np.testing.assert_array_equal(plain.centreline.xy_world_m, other.centreline.xy_world_m)
    np.testing.assert_array_equal(plain.scene.ground.picture, other.scene.ground.picture)
    np.testing.assert_array_equal(plain.start_position_world_m, other.start_position_world_m)


def test_variety_is_real():
    looks = [generate_road(config(), seed).parameters for seed in range(60)]
    assert {look["look"]["markings"] for look in looks} == set(MARKINGS)
    assert {look["look"]["ground"] for look in looks} == set(TEXTURES)
    assert {look["look"]["surface"] for look in looks} == set(TEXTURES)
    brighter = [look["look"]["road_albedo"] > look["look"]["ground_albedo"] for look in looks]
    assert 15 <= sum(brighter) <= 45
    widths = [look["width_m"] for look in looks]
    assert min(widths) < 0.35
    assert max(widths) > 0.55
    assert len({json.dumps(look) for look in looks}) == 60


def test_parameters_are_plain_json():
    parameters = generate_road(config(obstacle_probability=1), 0).parameters
    assert json.loads(json.dumps(parameters)) == parameters


@pytest.mark.parametrize("markings", MARKINGS)
def test_the_road_is_painted_where_the_centreline_runs(markings):
    course = generate_road(
        config(markings=markings, texture_strength=0, shade=0, width_m=0.5, contrast=0.3), 11
    )
    picture, (west_m, north_m) = course.scene.ground.picture, course.scene.ground.picture_corner_m
    look = course.parameters["look"]

    def grey(s_m, left_m):
        x, y = course.centreline.beside(s_m, left_m)
        return picture[int((north_m - y) / PX_M), int((x - west_m) / PX_M)] / 255

    for s_m in np.arange(0.2, course.centreline.length_m - 0.2, 0.13):
        for side in (-1, 1):
            assert grey(s_m, side * 0.27) == pytest.approx(look["ground_albedo"], abs=0.005)
            assert grey(s_m, side * 0.12) == pytest.approx(look["road_albedo"], abs=0.005)
            edge = grey(s_m, side * (0.24 - look["line_width_m"] / 2))
            expected = "marking_albedo" if "edges" in markings else "road_albedo"
            assert edge == pytest.approx(look[expected], abs=0.08)
    centre = [grey(s_m, 0.0) for s_m in np.arange(0.2, 6, 0.01)]
    painted = np.mean(np.abs(np.array(centre) - look["marking_albedo"]) < 0.02)
    dashes = look["dash_length_m"] / (look["dash_length_m"] + look["dash_gap_m"])
    assert painted == pytest.approx(dashes if "dashes" in markings else 0, abs=0.08)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_textures_have_no_seam_and_no_mean(family):
    pattern = UNIT * tile(family, stream(1, family)).astype(float)
    assert pattern.shape == (TILE_PX, TILE_PX)
    assert abs(pattern.mean()) < 0.03
    assert 0.02 < pattern.std() < 0.3
    for axis in (0, 1):
        steps = np.abs(np.diff(pattern, axis=axis)).mean(axis=1 - axis)
        wrap = np.abs(pattern.take(0, axis) - pattern.take(-1, axis)).mean()
        assert wrap <= 1.1 * steps.max()


# What stands where


def test_things_keep_clear_of_the_road():
    count = 0
    for seed in SEEDS:
        course = generate_road(config(thing_count=12), seed)
        for item in course.scene.objects:
            reach = np.hypot(*item.mesh.vertices_m[:, :2].T).max()
            edge_m = course.centreline.distance(item.position_world_m) - course.width_m / 2
            assert edge_m - reach >= 0.35 - 1e-6
            lowest = item.mesh.vertices_m[:, 2].min() + item.position_world_m[2]
            assert lowest == pytest.approx(0, abs=1e-9)
            count += 1
    assert count > 10 * len(SEEDS)


def test_obstacles_block_the_road(blocked):
    kinds = set()
    for course in blocked:
        obstacle, item = course.obstacle, course.scene.objects[-1]
        kinds.add(obstacle.kind)
        assert item.name == "obstacle"
        assert obstacle.s_m - course.start_s_m >= 2.5 - 0.05
        assert course.finish_s_m - obstacle.far_s_m >= 1.5 - 0.05
        assert obstacle.s_m < obstacle.far_s_m < obstacle.s_m + 0.6
        assert 0.15 - 1e-9 <= obstacle.width_m <= 0.35 + 1e-9
        assert obstacle.height_m > course.flying_height_m + 0.1
        # Some of it is left and some is right of the centreline, all of it (nearly) on the road.
        sides = [course.centreline.project(c).cross_track_m for c in obstacle.outline_world_m]
        assert min(sides) < -0.02
        assert max(sides) > 0.02
        assert max(np.abs(sides)) < course.width_m / 2 + 0.1
    assert kinds == {"box", "pillar"}


def test_obstacles_are_as_frequent_as_asked():
    quick = {"length_m": 5.5, "things": "pole", "thing_count": 0}
    found = [
        generate_road(config(obstacle_probability=0.33, **quick), seed).obstacle is not None
        for seed in range(60)
    ]
    assert 10 <= sum(found) <= 30
    assert generate_road(config(**quick), 0).obstacle is None


def test_the_start_is_off_the_centreline_as_drawn():
    for seed in SEEDS:
        course = generate_road(config(start_lateral_m=[-0.2, 0.2]), seed)
        here = course.centreline.project(course.start_position_world_m)
        assert here.s_m == pytest.approx(course.start_s_m, abs=0.01)
        assert here.cross_track_m == pytest.approx(course.parameters["start_lateral_m"], abs=1e-6)
        error = course.start_yaw_rad - here.heading_rad
        assert abs(error) <= np.radians(15) + 1e-6
        assert course.start_position_world_m[2] == 0.5


# The referee


def fly(course, states, time_limit_s=None, in_contact=None, step_s=0.04):
    referee = course.referee(time_limit_s)
    for index, state in enumerate(states):
        outcome = referee.update(index * step_s, state, bool(in_contact and in_contact(index)))
        if outcome:
            return outcome, index * step_s
    return None, len(states) * step_s


def along(course, to_s_m, left_m=0.0):
    return [at(course, s, left_m) for s in np.arange(course.start_s_m, to_s_m, 0.02)]


def test_a_free_road_is_finished_at_the_finish():
    course = generate_road(config(), 2)
    assert fly(course, along(course, course.finish_s_m - 0.05)) == (None, pytest.approx(0, abs=99))
    assert fly(course, along(course, course.finish_s_m + 0.1))[0] == "finished"


def test_standing_still_on_a_free_road_is_no_success():
    course = generate_road(config(), 2)
    stand = [at(course, 3.0, speed_m_s=0)] * 500
    assert fly(course, along(course, 3.0) + stand, time_limit_s=15) == ("timeout", 15.0)


@pytest.mark.parametrize(
    ("gap_m", "speed_m_s", "expected"),
    [
        (0.35, 0.0, "stopped_for_obstacle"),
        (1.9, 0.05, "stopped_for_obstacle"),
        (0.25, 0.0, "timeout"),  # too close
        (2.1, 0.0, "timeout"),  # for no reason
        (0.5, 0.2, "timeout"),  # not standing still
    ],
)
def test_stopping_for_an_obstacle(blocked, gap_m, speed_m_s, expected):
    for course in blocked[:5]:
        stop_s_m = course.obstacle.s_m - gap_m
        stand = [at(course, stop_s_m, speed_m_s=speed_m_s)] * 200
        outcome, t_s = fly(course, along(course, stop_s_m) + stand, time_limit_s=30)
        expected_here = expected
        if expected == "timeout":
            outcome = outcome or "timeout"
        assert outcome == expected_here
        assert (outcome in course.completed_outcomes) == (expected == "stopped_for_obstacle")
        if outcome == "stopped_for_obstacle":
            arrived = len(along(course, stop_s_m)) * 0.04
            assert t_s == pytest.approx(arrived + 2.0, abs=0.05)


def test_a_stop_of_two_seconds_must_be_in_one_piece(blocked):
    course = blocked[0]
    stop_s_m = course.obstacle.s_m - 0.6
    still, moving = at(course, stop_s_m, speed_m_s=0), at(course, stop_s_m, speed_m_s=0.2)
    states = along(course, stop_s_m) + ([still] * 40 + [moving]) * 8
    assert fly(course, states)[0] is None


def test_nothing_but_a_stop_completes_a_blocked_road(blocked):
    course = blocked[0]
    assert fly(course, along(course, course.finish_s_m + 0.2, left_m=0.45))[0] == "passed_obstacle"
    assert fly(course, along(course, 3.0), in_contact=lambda i: i == 20)[0] == "collision"
    assert "passed_obstacle" not in course.completed_outcomes


@pytest.mark.parametrize("side", [-1, 1])
def test_leaving_the_road(side):
    course = generate_road(config(off_road_limit_m=0.4), 4)
    assert fly(course, along(course, 5.0, left_m=side * 0.38))[0] is None
    assert fly(course, along(course, 5.0, left_m=side * 0.42))[0] == "left_road"
    backwards = [at(course, 0.0, left_m=0)] * 3
    x, y = course.centreline.point(0.0) - 0.5 * np.array(
        [np.cos(course.centreline.heading(0)), np.sin(course.centreline.heading(0))]
    )
    behind = DroneState(np.array([x, y, 0.5]), np.array([0, 0, 0, 1.0]), np.zeros(3), np.zeros(3))
    assert fly(course, [*backwards, behind])[0] == "left_road"


# Marks: wear, side roads, puddles, shadows, daylight

PAINTED = {"texture_strength": 0, "shade": 0, "contrast": 0.3, "thing_count": 0, "width_m": 0.5}


def picture(seed=3, **course):
    return generate_road(config(**{**PAINTED, **course}), seed).scene.ground.picture.astype(int)


@pytest.mark.parametrize(
    "mark",
    [
        {"marking_wear": 0.5, "markings": "edges"},
        {"road_wear": 0.5},
        {"puddle_count": 3},
        {"shadow_count": 3},
    ],
)
def test_marks_change_the_road_and_nothing_else(mark):
    plain = {"markings": mark.get("markings", "plain")}
    course = generate_road(config(**{**PAINTED, **plain}), 3)
    marked = generate_road(config(**{**PAINTED, **plain, **mark}), 3)
    before, after = course.scene.ground.picture, marked.scene.ground.picture
    assert before.shape == after.shape
    rows, columns = np.nonzero(before != after)
    assert len(rows) > 300
    np.testing.assert_array_equal(course.centreline.xy_world_m, marked.centreline.xy_world_m)
    west_m, north_m = course.scene.ground.picture_corner_m
    changed = np.stack([west_m + (columns + 0.5) * PX_M, north_m - (rows + 0.5) * PX_M], axis=1)
    # Puddles may run a little over the edge; shadows are up to 0.8 m long to each side.
    reach_m = 1.0 if "shadow_count" in mark else 0.25 + 0.25
    assert max(course.centreline.distance(point) for point in changed[::7]) < reach_m


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_wear_takes_the_share_it_says(share):
    fresh, bare = (picture(markings=m, marking_contrast=0.5) for m in ("edges", "plain"))
    worn = picture(markings="edges", marking_contrast=0.5, marking_wear=share)
    lines = np.abs(fresh - bare) > 60
    left = (np.abs(worn - bare)[lines] > 60).mean()
    assert left == pytest.approx(1 - share, abs=0.1)


def test_paint_comes_off_where_it_is_worn_and_stays_elsewhere():
    shares = [0.0, 0.3, 0.6, 0.9]
    fresh = picture(markings="edges")
    changed = [(picture(markings="edges", marking_wear=share) != fresh).sum() for share in shares]
    assert changed[0] == 0
    assert changed == sorted(set(changed))


def test_side_roads_begin_at_the_road_and_end_where_they_say():
    found = 0
    for seed in range(8):
        bare = generate_road(config(**PAINTED, markings="plain"), seed)
        course = generate_road(config(**PAINTED, markings="plain", junction_count=3), seed)
        marks = draw_marks(config(junction_count=3), bare.centreline, 0.5, seed)
        assert course.parameters["marks"]["junctions"] == len(marks.junctions)
        ground, look = course.scene.ground, course.parameters["look"]
        west_m, north_m = ground.picture_corner_m
        for junction in marks.junctions:
            found += 1
            side = junction.centreline
            assert bare.centreline.distance(side.point(0)) < 0.01
            assert 0.5 <= side.length_m - 0.25 <= 1.5
            assert 0.3 - 1e-9 <= junction.width_m <= 0.5 + 1e-9
            crossing = side.heading(0) - bare.centreline.heading(
                bare.centreline.project(side.point(0)).s_m
            )
            assert abs(np.sin(crossing)) >= np.sin(np.radians(60)) - 1e-3
            for s_m in np.arange(0.1, side.length_m - 0.03, 0.1):
                x, y = side.point(s_m)
                grey = ground.picture[int((north_m - y) / PX_M), int((x - west_m) / PX_M)] / 255
                assert grey == pytest.approx(look["road_albedo"], abs=0.005)
            # It keeps away from the rest of the road.
            assert bare.centreline.distance(side.point(side.length_m)) > 0.5
    assert found >= 16


def test_a_puddle_is_dark_or_shines_like_the_sky():
    dry = picture()
    darker = brighter = 0
    for sky_grey in (0.9, 1.0):
        wet = picture(puddle_count=8, sky_grey=sky_grey, brightness=1.0, ambient_share=0.5)
        darker += (wet < 0.6 * dry).sum()
        brighter += (np.abs(wet / 255 - sky_grey) < 0.01).sum()
    assert darker > 200
    assert brighter > 200


def test_shadows_take_the_light_they_say_and_have_soft_edges():
    lit, dim = picture(), picture(shadow_count=1, shadow_depth=0.5)
    factor = dim / lit
    assert factor.min() == pytest.approx(0.5, abs=0.02)
    assert factor.max() == 1
    assert ((factor > 0.55) & (factor < 0.95)).sum() > 100


def test_dusk_to_noon_draws_one_hour():
    ranges = {"brightness": [0.2, 1.0], "sun_elevation_deg": [10, 80], "sky_grey": [0.1, 0.9]}

    def hours(daylight):
        rows = []
        for seed in range(25):
            course = generate_road(config(**ranges, daylight=daylight, thing_count=0), seed)
            light, (_, _, z) = course.scene.light, course.scene.light.direction_world
            elevation_deg = np.degrees(np.arcsin(z))
            brightness = light.ambient + light.diffuse * z
            rows.append(
                ((brightness - 0.2) / 0.8, (elevation_deg - 10) / 70, (course.scene.sky_grey - 0.1))
            )
        return np.array(rows) / (1, 1, 0.8)

    together, apart = hours("dusk_to_noon"), hours("mixed")
    np.testing.assert_allclose(together, together[:, :1].repeat(3, axis=1), atol=1e-9)
    assert np.ptp(together[:, 0]) > 0.7
    assert np.abs(np.corrcoef(apart.T)[0, 1:]).max() < 0.6


def test_an_image_becomes_the_ground(tmp_path):
    stripes = np.where(np.arange(64) // 16 % 2 == 0, 60, 180).astype(np.uint8)
    path = tmp_path / "stripes.png"
    cv2.imwrite(str(path), np.tile(stripes, (64, 1)))
    plain = picture(ground=str(path))
    striped = picture(ground=str(path), texture_strength=1.0, surface="concrete")
    assert np.ptp(plain[:50]) == 0
    assert len(np.unique(striped[:50])) > 1
    dark, bright = np.percentile(striped[:50], [10, 90])
    assert bright / dark == pytest.approx(3.0, rel=0.1)


# Who crosses the road


@pytest.fixture(scope="module")
def crossed():
    """Some courses that are crossed, one of two also blocked."""
    family = config(crossing_count=[1, 3], obstacle_probability=0.5, thing_count=[4, 20])
    return [generate_road(family, seed) for seed in range(40)]


def test_crossings_leave_the_road_free_long_enough(crossed):
    t_s = np.arange(0, 120, 0.05)
    kinds = set()
    for course in crossed:
        for crossing in course.crossing:
            kinds.add(crossing.kind)
            beside = np.array([crossing.beside_m(t) for t in t_s])
            assert beside.min() == pytest.approx(-crossing.half_width_m, abs=0.02)
            free = beside > crossing.keep_away_m
            edges = np.flatnonzero(np.diff(free.astype(int)))
            lengths = np.diff(edges)[~free[edges[:-1]]] * 0.05
            assert len(lengths) >= 2
            assert lengths.min() >= 3.0 - 0.15
            # Who goes on at COMMIT_M is past before it is in the way, however fast it walks.
            approach_s = (crossing.keep_away_m - HIT_M) / crossing.motion.speed_m_s
            depth_m = crossing.far_s_m - crossing.s_m
            assert approach_s * 0.65 >= COMMIT_M + depth_m + HIT_M
    assert kinds == {"person", "box"}


def test_crossings_have_room(crossed):
    count = 0
    for course in crossed:
        spans = [(c.s_m, c.far_s_m) for c in course.crossing]
        if course.obstacle is not None:
            spans.append((course.obstacle.s_m, course.obstacle.far_s_m))
        for index, (near, far) in enumerate(spans):
            assert all(near - b >= 2.0 or a - far >= 2.0 for a, b in spans[:index])
        walkers = [item for item in course.scene.objects if item.motion is not None]
        assert [item.name.split()[0] for item in walkers] == ["crossing"] * len(course.crossing)
        still = [item for item in course.scene.objects if item.motion is None]
        for crossing, item in zip(course.crossing, walkers, strict=True):
            count += 1
            assert crossing.s_m - course.start_s_m >= 2.2
            assert crossing.far_s_m <= course.finish_s_m
            for t_s in np.arange(0, 40, 0.5):
                here = item.position_at(t_s)
                on_road = course.centreline.project(here, crossing.s_m)
                assert abs(on_road.cross_track_m) - crossing.half_width_m == pytest.approx(
                    crossing.beside_m(t_s), abs=0.05
                )
                for other in still:
                    if other.name != "obstacle":
                        assert np.hypot(*(here - other.position_world_m)[:2]) > 0.2
    assert count >= 40


def test_a_crossed_road_is_free_and_must_be_finished(crossed):
    course = next(c for c in crossed if c.crossing and c.obstacle is None)
    assert fly(course, along(course, course.finish_s_m + 0.1))[0] == "finished"
    wait = [at(course, course.crossing[0].s_m - 1.0, speed_m_s=0)] * 100
    assert fly(course, along(course, course.crossing[0].s_m - 1.0) + wait)[0] is None
    assert fly(course, along(course, 4.0), in_contact=lambda i: i == 9)[0] == "collision"


def test_people_are_as_large_as_people():
    course = generate_road(
        config(obstacle_probability=1, obstacle_kinds="person", things="person", thing_count=6), 0
    )
    people = [item for item in course.scene.objects if item.name.startswith(("person", "obst"))]
    assert len(people) >= 4
    for item in people:
        low, high = item.mesh.vertices_m.min(axis=0), item.mesh.vertices_m.max(axis=0)
        assert 1.6 <= high[2] - low[2] <= 1.9
        assert 0.28 <= high[0] - low[0] <= 0.5
        assert low[2] + item.position_world_m[2] == pytest.approx(0)
    assert course.obstacle.kind == "person"


# The difficulty dial


def test_the_dial_makes_roads_harder_all_the_way():
    def measured(difficulty):
        family = at_difficulty(config(length_m=[5, 7]), difficulty)
        rows = []
        for seed in range(12):
            course = generate_road(family, seed)
            drawn, light = course.parameters, course.scene.light
            rows.append(
                (
                    drawn["smallest_radius_m"],
                    course.width_m,
                    abs(drawn["look"]["road_albedo"] - drawn["look"]["ground_albedo"]),
                    light.ambient + light.diffuse * light.direction_world[2],
                    -len(drawn["things"]),
                    -drawn["marks"]["shadows"],
                    -drawn["marks"]["marking_wear"],
                )
            )
        return np.mean(rows, axis=0)

    steps = np.array([measured(d) for d in (0.0, 0.5, 1.0)])
    assert (np.diff(steps, axis=0) < 0).all()


def test_the_dial_leaves_alone_what_it_does_not_turn():
    family = config(length_m=[5, 7], markings="edges", obstacle_probability=0.5)
    turned = at_difficulty(family, 0.3)
    for key in set(RoadCourseConfig.model_fields) - set(EASY_TO_HARD):
        assert getattr(turned, key) == getattr(family, key)
    for difficulty in (-0.1, 1.1, float("nan")):
        with pytest.raises(BadInputError, match="from 0 to 1"):
            at_difficulty(family, difficulty)


# Bad input


@pytest.mark.parametrize(
    ("course", "named"),
    [
        ({"bend_radius_m": [0.5, 2]}, "bend_radius_m"),
        ({"bend_radius_m": 0.99}, "bend_radius_m"),
        ({"width_m": [0.6, 0.3]}, "width_m"),
        ({"width_m": "wide"}, "width_m"),
        ({"width_m": [0.3, 0.4, 0.5]}, "width_m"),
        ({"width_m": True}, "width_m"),
        ({"width_m": float("nan")}, "width_m"),
        ({"length_m": [1, 2]}, "length_m"),
        ({"markings": "edge"}, "markings"),
        ({"markings": []}, "markings"),
        ({"ground": ["grass", "lava"]}, "ground"),
        ({"thing_clearance_m": 0.1}, "thing_clearance_m"),
        ({"obstacle_probability": 1.5}, "obstacle_probability"),
        ({"obstacle_probability": 0.5, "length_m": 4.0}, "length_m"),
        ({"obstacle_probability": 0.5, "obstacle_height_m": 0.4}, "obstacle_height_m"),
        ({"start_lateral_m": 0.45}, "start_lateral_m"),
        ({"contrast": 0.0}, "contrast"),
        ({"clearance_m": 0.2}, "clearance_m"),
        ({"kind": "rail"}, "kind"),
        ({"ground": "nowhere.png"}, "no texture file nowhere.png"),
        ({"surface": [__file__ + ".png"]}, "key 'surface"),
        ({"ground": "grs"}, "'grass'"),
        ({"junction_count": -1}, "junction_count"),
        ({"marking_wear": [0.5, 0.2]}, "marking_wear"),
        ({"crossing_speed_m_s": 0.8}, "crossing_speed_m_s"),
        ({"crossing_pause_s": 1.0}, "crossing_pause_s"),
        ({"crossing_count": 1, "length_m": 3.5}, "length_m"),
        ({"daylight": "night"}, "daylight"),
        ({"widht_m": 0.4}, "did you mean 'width_m'"),
    ],
)
def test_bad_courses_are_refused_in_one_line(course, named):
    with pytest.raises(BadInputError) as caught:
        config(**course)
    message = str(caught.value)
    assert message.startswith("course.toml: ")
    assert named in message
    assert "\n" not in message


def test_a_texture_that_is_no_image_is_refused(tmp_path):
    path = tmp_path / "text.png"
    path.write_text("not a picture")
    with pytest.raises(BadInputError, match=r"^course.toml: key 'ground.0' = .*is not an image"):
        config(ground=str(path))


def test_a_number_is_a_range_too():
    course = generate_road(config(width_m=0.42, bend_radius_m=2, markings="plain"), 0)
    assert course.width_m == 0.42


def test_the_documented_table_is_the_default():
    page = (Path(__file__).parents[2] / "docs" / "road-courses.md").read_text()
    table = tomllib.loads(page.split("```toml")[1].split("```")[0])["course"]
    assert config(**table) == RoadCourseConfig()
    assert set(table) == set(RoadCourseConfig.model_fields)
