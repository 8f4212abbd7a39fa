"""Contracts over the whole library and every suite, and one clear line for every mistake."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.policies.find import find_policy, zoo
from bytewing.policies.splits import Split
from bytewing.scenarios.ladder import LADDER
from bytewing.scenarios.schema import (
    library,
    load_scenario,
    load_suite,
    parse_seeds,
    suite_flights,
    suites,
)
from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import load_camera
from bytewing.sim.courses.registry import generate_course
from bytewing.sim.courses.road.course import generate_road

SEEDS = (2_600_000, 2_600_001, 2_600_002)
MINIMAL = """
name = "mine"
description = "A scenario of the user's own."
task = "road"
time_limit_s = 20
[course]
"""


def write(path, text):
    path.write_text(text)
    return path


def test_there_are_enough_scenarios_and_the_suites_the_issue_names():
    assert len(library()) >= 8
    assert {"road_smoke", "road_standard"} <= set(suites())


@pytest.mark.parametrize("name", library())
def test_every_scenario_is_complete(name):
    scenario = load_scenario(name)
    assert scenario.name == name
    assert load_scenario(library()[name]) == scenario
    first_line = library()[name].read_text().splitlines()[0]
    assert first_line.startswith("# "), "a scenario begins by saying what it tests"
    assert load_airframe(scenario.airframe)
    assert load_camera(scenario.camera)
    if scenario.policy in zoo():
        assert find_policy(scenario.policy).spec.task == scenario.task
    assert all(seed in Split.TEST for seed in scenario.seed_range)


@pytest.mark.parametrize("name", library())
def test_every_scenario_gives_courses_that_differ_and_repeat(name):
    scenario = load_scenario(name)
    courses = [generate_course(scenario.course, seed) for seed in SEEDS]
    for course, other in combinations(courses, 2):
        assert course.parameters != other.parameters
    again = generate_course(scenario.course, SEEDS[0])
    for key, array in again.log_arrays().items():
        assert np.array_equal(array, courses[0].log_arrays()[key])
    assert again.parameters == courses[0].parameters


@pytest.mark.parametrize("name", [n for n in library() if load_scenario(n).task == "road"])
def test_every_road_can_be_flown_in_time(name):
    scenario = load_scenario(name)
    for course in (generate_road(scenario.course, seed) for seed in SEEDS):
        length_m = course.finish_s_m - course.start_s_m
        assert length_m / 0.5 < scenario.time_limit_s, "half a metre a second must be in time"
        if scenario.course.obstacle_probability == 1:
            assert course.obstacle is not None


def test_no_two_scenarios_are_the_same():
    flown = [(s.course, s.wind) for s in map(load_scenario, library())]
    assert all(a != b for a, b in combinations(flown, 2))


@pytest.mark.parametrize("name", suites())
def test_suites_fly_test_seeds_and_each_once(name):
    suite = load_suite(name)
    assert suite.name == name
    flights = suite_flights(suite)
    assert len({seed for _, seed in flights}) == len(flights)
    assert all(seed in Split.TEST for _, seed in flights)
    assert set(suite.flights_max) <= set(LADDER)
    assert set(suite.limits.frames_compared_min) <= set(LADDER)


def test_suites_share_no_course():
    seeds = [seed for name in suites() for _, seed in suite_flights(load_suite(name))]
    assert len(set(seeds)) == len(seeds)


def test_the_standard_suite_is_what_the_issue_asks_for():
    suite = load_suite("road_standard")
    flights = suite_flights(suite)
    blocked = [s for s, seed in flights if generate_road(s.course, seed).obstacle is not None]
    assert (len(flights), len(blocked)) == (60, 20)
    limits = suite.limits
    assert limits.completed_fraction_min * 60 == pytest.approx(57)
    assert limits.behind_expert_fraction_max * 60 == pytest.approx(3)
    assert limits.obstacles_touched_fraction_max * 20 == pytest.approx(1)
    assert limits.int8_lost_flights_max == 1
    assert limits.blind_completed_fraction_max == 0.5
    assert limits.cross_track_rmse_median_max_m == 0.10
    assert limits.mean_speed_min_m_s == 0.5
    assert limits.distinct_outputs_min == 200
    assert limits.frames_compared_min == {"onnx": 10_000, "c": 10_000, "mcu": 500}
    assert len(suite_flights(load_suite("road_smoke"))) == 6


def test_the_standard_gas_suite_is_what_the_issue_asks_for():
    suite = load_suite("gas_standard")
    sites = [generate_course(s.course, seed) for s, seed in suite_flights(suite)]
    assert len(sites) == 60
    assert sum(site.leak is None for site in sites) == 20
    assert sum(site.parameters["distractors"] > 0 for site in sites) == 20
    limits = suite.limits
    assert limits.found_fraction_min == 0.95
    assert limits.false_reports_fraction_max * 20 == pytest.approx(1)
    assert limits.position_error_median_max_m == 0.5
    assert limits.position_error_p90_max_m == 1.0
    assert 1 <= limits.collisions_fraction_max * 60 < 2
    assert limits.int8_lost_flights_max == 1
    assert len(suite_flights(load_suite("gas_smoke"))) == 6


def test_a_task_and_its_course_must_fit(tmp_path):
    with pytest.raises(BadInputError, match=r"'course\.kind' = 'road': task 'gas'.*'gas_site'"):
        load_scenario(
            write(tmp_path / "mine.toml", MINIMAL.replace('"road"', '"gas"') + "kind = 'road'")
        )
    with pytest.raises(BadInputError, match=r"key 'task' = 'gass': no such task; did you mean"):
        load_scenario(write(tmp_path / "mine.toml", MINIMAL.replace('"road"', '"gass"')))


def test_a_suite_has_one_task_and_its_limits(tmp_path):
    text = suites()["road_smoke"].read_text()
    mixed = write(tmp_path / "my.toml", text.replace('"gentle"', '"big_leak"'))
    with pytest.raises(BadInputError, match="task 'road', its scenario big_leak of task 'gas'"):
        suite_flights(load_suite(mixed))
    other = text.replace('task = "road"', 'task = "gas"')
    with pytest.raises(BadInputError, match=r"unknown key 'limits\.completed_fraction_min'"):
        load_suite(write(tmp_path / "my.toml", other))
    unknown = text.replace('task = "road"', 'task = "raod"')
    with pytest.raises(BadInputError, match=r"my\.toml: key 'task' = 'raod'.*did you mean 'road'"):
        load_suite(write(tmp_path / "my.toml", unknown))


def test_any_beginning_of_a_suite_is_a_fair_sample():
    suite = load_suite("road_standard")
    names = [scenario.name for scenario, _ in suite_flights(suite)]
    assert len(set(names[: len(suite.flights)])) == len(suite.flights)


def test_other_seeds_are_flown_on_the_same_mix():
    suite = load_suite("road_smoke")
    flights = suite_flights(suite, range(100, 107))
    assert [seed for _, seed in flights] == list(range(100, 107))
    own = [scenario.name for scenario, _ in suite_flights(suite)]
    assert [scenario.name for scenario, _ in flights] == [*own, own[0]]


@pytest.mark.parametrize("text", ["", "5", "5:5", "6:5", "a:b", "-1:3", "1:2:3", "1.0:2"])
def test_bad_seeds(text):
    with pytest.raises(BadInputError, match="must read A:B"):
        parse_seeds(text)


def test_paths_are_seen_from_the_scenario_file(tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    text = 'airframe = "parts/drone.toml"\npolicy = "./net"\n' + MINIMAL
    scenario = load_scenario(write(folder / "mine.toml", text))
    assert scenario.airframe == str(folder / "parts" / "drone.toml")
    assert scenario.policy == str(folder / "net")
    assert scenario.camera == "hm01b0"
    monkeypatch.chdir(tmp_path)
    given = load_scenario("mine/mine.toml", ["airframe=here.toml"])
    assert given.airframe == str(tmp_path / "here.toml"), "the command line is seen from its folder"


def test_set_overrides_any_key_and_is_validated():
    scenario = load_scenario("gentle", ["course.width_m=0.5", "time_limit_s=12", "latency_s=0.04"])
    assert scenario.course.width_m.low == scenario.course.width_m.high == 0.5
    assert (scenario.time_limit_s, scenario.latency_s) == (12, 0.04)
    with pytest.raises(
        BadInputError, match=r"gentle\.toml: unknown key 'course\.widht_m'.*width_m"
    ):
        load_scenario("gentle", ["course.widht_m=0.5"])
    with pytest.raises(BadInputError, match=r"gentle\.toml: key 'time_limit_s' = -1"):
        load_scenario("gentle", ["time_limit_s=-1"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"mine\.toml: key 'name' is missing"),
        ("name = 'x", r"mine\.toml: not valid TOML"),
        (MINIMAL + "bend_radius_m = [0.1, 2]", r"mine\.toml: key 'course\.bend_radius_m'"),
        (MINIMAL + "bend_radii_m = 2", r"unknown key 'course\.bend_radii_m'; did you mean"),
        ("tsak = 'road'\n" + MINIMAL, r"unknown key 'tsak'; did you mean 'task'"),
        (MINIMAL.replace('"road"', '"raod"'), r"mine\.toml: key 'task' = 'raod'"),
        ("seeds = '9:3'\n" + MINIMAL, r"mine\.toml: key 'seeds' = '9:3'.*A:B"),
        (MINIMAL.replace("= 20", "= nan"), r"mine\.toml: key 'time_limit_s'"),
        (MINIMAL.replace("A scenario of the user's own.", "Short"), r"key 'description'"),
    ],
)
def test_mistakes_are_one_line_with_file_and_key(tmp_path, text, message):
    with pytest.raises(BadInputError, match=message) as error:
        load_scenario(write(tmp_path / "mine.toml", text))
    assert "\n" not in str(error.value)


def test_unknown_names_come_with_the_nearest():
    with pytest.raises(
        BadInputError, match="scenario 's_bend' is not known; did you mean 's_bends'"
    ):
        load_scenario("s_bend")
    with pytest.raises(BadInputError, match="suite 'road_smok' is not known; did you mean"):
        load_suite("road_smok")
    with pytest.raises(BadInputError, match=r"s_bend\.toml: no such scenario file; did you mean"):
        load_scenario("scenarios/library/road/s_bend.toml")


def test_a_suite_names_its_unknown_scenario(tmp_path):
    text = suites()["road_smoke"].read_text().replace('"gentle"', '"gental"')
    with pytest.raises(
        BadInputError, match=r"my\.toml: key 'flights\.0\.scenario' = 'gental'; did"
    ):
        load_suite(write(tmp_path / "my.toml", text))


def test_the_documented_examples_work(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    scenario, suite = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    write(tmp_path / "my_bends.toml", scenario)
    flights = suite_flights(load_suite(write(tmp_path / "my_suite.toml", suite)))
    assert [s.name for s, _ in flights[:2]] == ["my_bends", "obstacle_ahead"]
    assert len(flights) == 10
    assert flights[0][0].airframe == str(tmp_path / "drones" / "mine.toml")


def test_a_suite_may_fly_a_scenario_of_its_own_folder(tmp_path):
    write(tmp_path / "mine.toml", MINIMAL)
    text = suites()["road_smoke"].read_text().replace('"gentle"', '"mine.toml"')
    flights = suite_flights(load_suite(write(tmp_path / "my.toml", text)))
    assert flights[0][0].name == "mine"
