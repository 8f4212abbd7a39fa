"""The metal-oxide task as flown: metrics by construction, criteria that bite, its baselines."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError
from bytewing.policies.find import find_policy
from bytewing.policies.guidance.mean_wind import MeanWind
from bytewing.scenarios.criteria import judge
from bytewing.scenarios.metrics import flight_metrics
from bytewing.scenarios.replay import Comparison
from bytewing.scenarios.report.verdict import rows_of
from bytewing.scenarios.results import FlightResult
from bytewing.scenarios.run import FlightJob, fly_job, fly_log
from bytewing.scenarios.schema import load_scenario, load_suite
from bytewing.scenarios.tasks.mox.baselines import GasThreshold, surge_cast_pilot, upwind_pilot
from bytewing.scenarios.tasks.mox.judging import MoxLimits
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.camera.config import load_camera
from bytewing.sim.flight_log import FORMAT_VERSION, FlightLog
from bytewing.sim.pilot import Observation
from bytewing.sim.senses import CHANNELS, pack
from bytewing.sim.sensors.mox import MetalOxide, MetalOxideConfig

WINDY = load_suite("mox_windy")
SOURCE_M = (0.0, 0.0, 1.0)


def mox_log(corners=((6.0, 0.0), (1.0, 0.0)), outcome="reached", gas_s=2.0):
    """A flight of 10 s from corner to corner, in gas for so long, a step every 40 ms."""
    corners, n = np.array(corners, float), 1001
    legs_m = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    gone_m = np.concatenate([[0.0], legs_m.cumsum()])
    along_m = np.linspace(0.0, gone_m[-1], n)
    x, y = (np.interp(along_m, gone_m, corner) for corner in corners.T)
    return FlightLog(
        {
            "format_version": FORMAT_VERSION,
            "task": "mox",
            "base_rate_hz": 1000,
            "outcome": outcome,
            "completed": outcome == "reached",
            "duration_ticks": 10_000,
        },
        {
            "state.tick": np.arange(n) * 10,
            "state.position_world_m": np.column_stack([x, y, np.ones(n)]),
            "state.gas_ppm": np.where(np.arange(n) < 100 * gas_s, 40.0, 0.5),
            "camera.tick": np.arange(251) * 40,
            "course.leak_position_world_m": np.array([SOURCE_M]),
            "course.leak_rate_g_h": np.array([120.0]),
        },
    )


# The mean wind


def upwind_after(winds):
    mean = MeanWind()
    for wind in winds:
        upwind = mean.update(pack({"wind_m_s": wind}))
    return mean, upwind


def test_a_gust_hardly_turns_the_mean_wind_and_a_new_wind_does():
    """From the east at first, then to the north: after the time constant of 2 s by 1 - 1/e."""
    mean, _ = upwind_after([(-1.0, 0.0)] * 100 + [(0.0, 1.0)] * 50)
    np.testing.assert_allclose(mean.wind, (-np.exp(-1), 1 - np.exp(-1)), atol=0.02)
    _, upwind = upwind_after([(-1.0, 0.0)] * 100 + [(0.0, 1.0)] * 5)
    assert np.degrees(np.arctan2(-upwind[1], upwind[0])) == pytest.approx(6, abs=1)
    _, upwind = upwind_after([(-1.0, 0.0)] * 100 + [(0.0, 1.0)] * 300)
    np.testing.assert_allclose(upwind, (0, -1), atol=0.01)


def test_the_mean_steadies_a_turbulent_wind():
    noise = 0.5 * np.random.default_rng(3).standard_normal((2000, 2))
    mean, off = MeanWind(), []
    for wind in noise - [1.0, 0.0]:
        x, y = mean.update(pack({"wind_m_s": wind}))
        off.append(np.arctan2(y, x))
    assert np.std(off[200:]) < 0.1 < np.std(np.arctan2(noise[:, 1], 1 - noise[:, 0]))


# Metrics


def test_the_straight_way_has_a_detour_of_one():
    metrics = flight_metrics(mox_log())
    assert (metrics.completed, metrics.outcome, metrics.collision) == (True, "reached", False)
    assert metrics.start_distance_m == pytest.approx(6.0)
    assert metrics.closest_m == pytest.approx(1.0)
    assert metrics.distance_flown_m == pytest.approx(5.0)
    assert metrics.detour == pytest.approx(1.0)
    assert metrics.time_to_reach_s == metrics.duration_s == 10.0
    assert metrics.gas_share == pytest.approx(0.2, abs=0.001)
    assert (metrics.leak_rate_g_h, metrics.frames) == (120.0, 251)


def test_a_detour_counts_the_whole_way():
    across = flight_metrics(mox_log([(6, 0), (6, 5), (1, 5), (1, 0)]))
    assert across.distance_flown_m == pytest.approx(15.0, abs=0.03)
    assert across.detour == pytest.approx(3.0, abs=0.01)


def test_who_passes_by_has_come_as_close_as_it_did_but_reached_nothing():
    metrics = flight_metrics(mox_log([(6, 2), (-4, 2)], outcome="timeout"))
    assert metrics.closest_m == pytest.approx(2.0)
    assert (metrics.completed, metrics.time_to_reach_s, metrics.detour) == (False, None, None)
    touched = flight_metrics(mox_log(outcome="collision"))
    assert (touched.collision, touched.completed, touched.detour) == (True, False, None)


def test_metrics_are_those_of_the_log_alone(tmp_path):
    log = mox_log([(6, 0), (3, 4), (1, 0)])
    metrics = flight_metrics(log)
    log.save(tmp_path / "a.flight")
    assert flight_metrics(FlightLog.load(tmp_path / "a.flight")) == metrics
    assert flight_metrics(log) == metrics


# What a policy must reach

OUTPUTS = frozenset(bytes([k, j]) for k in range(20) for j in range(20))
EQUAL = Comparison(375, 0, OUTPUTS)
LOST = {"completed": False, "outcome": "timeout", "time_to_reach_s": None, "detour": None}
TOUCHED = {**LOST, "outcome": "collision", "collision": True}
REACHED = {"completed": True}
EASY = 35  # flights that flying upwind may complete: 0.7 of 50


def flown_by(runtime, reached=50, comparison=None):
    """Return 50 flights, the first so many of which reached the source."""
    good = flight_metrics(mox_log())
    lost = dataclasses.replace(good, **LOST)
    return [
        FlightResult("s", k, runtime, f"{k:064x}", good if k < reached else lost, comparison)
        for k in range(50)
    ]


@pytest.fixture(scope="module")
def good():
    networks = {name: flown_by(name) for name in ("float", "int8")}
    return {**networks, "c": flown_by("c", 50, EQUAL), "upwind": flown_by("upwind", EASY)}


def spoilt(flown, runtimes, changes, count):
    """Return what was flown with other metrics for the last ``count`` flights."""
    changed = dict(flown)
    for runtime in runtimes:
        flights = list(flown[runtime])
        for k in range(len(flights) - count, len(flights)):
            metrics = dataclasses.replace(flights[k].metrics, **changes)
            flights[k] = dataclasses.replace(flights[k], metrics=metrics)
        changed[runtime] = flights
    return changed


def failures(flown):
    return {check.name for check in judge(flown, WINDY) if not check.passed}


def test_what_meets_every_limit_passes(good):
    assert not failures(good)
    names = [check.name for check in judge(good, WINDY)]
    assert len(set(names)) == len(names)
    assert {"reached.float", "reached.int8", "collisions.int8", "reached.upwind"} <= set(names)


@pytest.mark.parametrize(
    ("runtimes", "changes", "count", "failing"),
    [
        (("float", "int8", "c"), LOST, 11, {"reached.float", "reached.int8"}),
        (("int8",), LOST, 2, {"reached_less_than_float.int8"}),
        (("c",), LOST, 2, {"reached_less_than_float.c"}),
        (("float",), TOUCHED, 2, {"collisions.float"}),
        (("float", "int8"), TOUCHED, 2, {"collisions.float", "collisions.int8"}),
        (("upwind",), REACHED, 50 - EASY, {"reached.upwind"}),
    ],
)
def test_each_criterion_bites_from_there_on(good, runtimes, changes, count, failing):
    assert failures(spoilt(good, runtimes, changes, count)) == failing
    fewer = count - 1 if runtimes != ("upwind",) else 0
    assert not failures(spoilt(good, runtimes, changes, fewer))


@pytest.mark.parametrize(
    ("comparison", "failing"),
    [
        (Comparison(375, 1, OUTPUTS), "frames_different.c"),
        (Comparison(299, 0, OUTPUTS), "frames_compared.c"),
        (Comparison(375, 0, frozenset(list(OUTPUTS)[:199])), "distinct_outputs.c"),
    ],
)
def test_equality_is_asked_of_this_task_too(good, comparison, failing):
    assert failures({**good, "c": flown_by("c", 50, comparison)}) == {failing}


def test_a_rung_is_held_to_the_same_flights_of_the_first(good):
    beginning = {**good, "mcu": flown_by("mcu")[:5]}
    assert not failures(beginning)
    assert failures(spoilt(beginning, ("mcu",), LOST, 2)) == {"reached_less_than_float.mcu"}
    without_float = {name: flights for name, flights in good.items() if name != "float"}
    lost = spoilt(without_float, ("int8", "c"), LOST, 11)
    assert "reached.int8" in failures(lost)


def test_a_row_says_how_flights_ended(good):
    flown = spoilt(good, ("int8",), TOUCHED, 2)
    row = next(row for row in rows_of(flown, "mox") if row.runtime == "int8").as_json()
    assert (row["flights"], row["reached"], row["collisions"]) == (50, 48, 2)
    assert (row["time_to_reach_s"], row["detour"]) == (10.0, pytest.approx(1.0))


@pytest.mark.parametrize("key", ["reached_fraction_min", "collisions_fraction_max", "reached_min"])
def test_a_limit_that_cannot_be_is_refused_by_its_name(key):
    table = WINDY.limits.model_dump() | {key: 1.5}
    with pytest.raises(BadInputError, match=key) as refused:
        parse(MoxLimits, table, "mine.toml")
    assert "\n" not in str(refused.value)


# The pilots it is compared with

YARD = np.array([[-5, -4, 1, 1, 0], [5, 4, 1, 1, 0]], np.float32)
CAMERA = load_camera("hm01b0")


def gas_reading(resistance):
    """Return an observation in the middle of the yard, in a wind to the east."""
    senses = {
        "position_m": [0, 0, 1.0],
        "quaternion_xyzw": [0, 0, 0, 1.0],
        "gas_resistance": resistance,
        "wind_m_s": [1.0, 0.0],
    }
    return Observation(0, 0.0, None, pack(senses))


def commands(pilot, resistances):
    """Return the velocities (N, 2) to the east and north."""
    pilot.reset()
    return np.array([pilot.act(gas_reading(resistance))[:2] for resistance in resistances])


def readings(sensor, *stretches):
    """Return a sensor's readings at 25 Hz: stretches of (seconds, ppm)."""
    return [sensor.step(ppm, 0.04) for seconds, ppm in stretches for _ in range(seconds * 25)]


def labels_of(detector, resistances):
    labels = np.array([detector.labels(gas_reading(resistance)) for resistance in resistances])
    assert not labels[:, 1].any(), "it knows no side"
    return labels[:, 0] > 0


def test_the_sniffer_smells_gas_and_that_it_ends_before_the_sensor_has_recovered():
    detector, sensor = GasThreshold(), MetalOxide(MetalOxideConfig(noise=0.0), seed=0)
    series = readings(sensor, (2, 0.0), (4, 200.0), (4, 0.0))
    gas = labels_of(detector, series)
    assert not gas[:50].any()
    assert gas[50 + 13 : 150].all(), "half a second later at most"
    assert not gas[150 + 50 :].any(), "and it says within two seconds that it is over"
    assert series[-1] < 0.8, "which the reading itself does not"
    assert labels_of(detector, [0.7]).all(), "a sudden fall"
    detector.reset()
    assert not labels_of(detector, [0.7]).any(), "a first reading is no fall"


def test_the_sensors_noise_is_no_gas():
    clean = readings(MetalOxide(MetalOxideConfig(), seed=1), (60, 0.0))
    assert labels_of(GasThreshold(), clean).mean() < 0.01


def test_surge_cast_flies_upwind_in_gas_and_across_the_wind_without():
    pilot = surge_cast_pilot(SimpleNamespace(route=YARD), CAMERA)
    sensor = MetalOxide(MetalOxideConfig(noise=0.0), seed=0)
    east, north = commands(pilot, readings(sensor, (4, 0.0), (4, 300.0), (6, 0.0))).T
    surging = slice(4 * 25 + 13, 8 * 25)
    assert np.allclose(east[surging], -0.5)
    assert np.allclose(north[surging], 0.0)
    for casting in (slice(100), slice(12 * 25, None)):
        assert (np.abs(north[casting]) > 2 * np.abs(east[casting])).all()
    assert set(np.sign(north[12 * 25 :])) | set(np.sign(north[:100])) == {-1.0, 1.0}


def test_upwind_flies_upwind_whatever_it_smells():
    pilot = upwind_pilot(SimpleNamespace(route=YARD), CAMERA)
    towards = commands(pilot, [1.0] * 50 + [0.4] * 50 + [1.0] * 100)
    assert np.allclose(towards, [-0.5, 0.0])


# Flights

SEED = 2_700_301


@pytest.fixture(scope="module")
def field():
    return load_scenario("far_aside")


@pytest.fixture(scope="module")
def by_upwind(field):
    return fly_log(FlightJob(field, SEED, "upwind"))


@pytest.fixture
def no_camera(monkeypatch):
    def refuse(*_):
        raise AssertionError("nobody looks through the camera")

    monkeypatch.setattr("bytewing.sim.flight.open_camera", refuse)


def test_a_field_that_flying_upwind_misses_is_found_by_casting(field, by_upwind):
    assert flight_metrics(by_upwind).outcome == "timeout"
    for runtime in ("surge_cast", "expert"):
        metrics = fly_job(FlightJob(field, SEED, runtime)).metrics
        assert metrics.outcome == "reached"
        assert metrics.closest_m <= 1.0
        assert metrics.detour > 1.2
        assert metrics.gas_share > 0


def test_upwind_drifts_neither_way_and_does_not_know_the_source(by_upwind):
    path = by_upwind.arrays["state.position_world_m"][:1500]
    wind = np.array(by_upwind.meta["conditions"]["wind_mean_world_m_s"])
    up = -wind / np.linalg.norm(wind)
    gone = (path[-1] - path[0])[:2]
    assert gone @ up[:2] > 0.95 * np.linalg.norm(gone) > 3.0


def test_flights_fly_without_frames(field, no_camera):
    short = field.model_copy(update={"time_limit_s": 6.0})
    job = FlightJob(short, SEED, "int8", find_policy("mox"), compare=True)
    log = fly_log(job)
    steps = len(log.arrays["camera.tick"])
    assert steps == 150
    assert log.arrays["camera.frames"].size == 0
    assert all(log.arrays[c.column].shape == (steps, c.size) for c in CHANNELS)
    assert log.arrays["inference.outputs"].shape == (steps, 2)
    compared = fly_job(job)
    assert compared.log_sha256 == log.sha256
    assert compared.comparison.frames_compared == steps
    assert compared.comparison.frames_different == 0
    assert len(compared.comparison.distinct_outputs) > 5


def test_the_instruments_are_mounted_and_logged(by_upwind, field):
    arrays = by_upwind.arrays
    wind = arrays["state.wind_world_m_s"].mean(axis=0)
    assert arrays["senses.wind_m_s"].mean(axis=0) == pytest.approx(wind[:2], abs=0.25)
    assert arrays["senses.range_m"].min() < 4.0
    assert np.ptp(arrays["senses.gas_resistance"]) > 0.005, "the sensor's noise at least"


def test_baselines_are_those_of_the_task(field):
    assert set(FLOWN_TASKS.find("mox").baselines) == {"expert", "surge_cast", "upwind"}
    with pytest.raises(BadInputError, match="runtime 'surgecast' is not known; did you mean"):
        fly_job(FlightJob(field, SEED, "surgecast"))
