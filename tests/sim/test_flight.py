"""The flight loop: when things happen, what conditions change, and what a broken flight leaves."""

import subprocess
import sys

import numpy as np
import pytest

from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import load_camera
from bytewing.sim.conditions import BatteryUse, Conditions
from bytewing.sim.courses.road.course import RoadCourseConfig, generate_road
from bytewing.sim.distribution import load_distribution
from bytewing.sim.flight import DIVERGED, FlightSetup, fly
from bytewing.sim.flight_log import FlightLog
from bytewing.sim.pilot import Observation, VelocityCommand
from bytewing.sim.plant import SimulationError

COURSE = generate_road(RoadCourseConfig(length_m=6.0), 2_000_001)
AIRFRAME, CAMERA = load_airframe("crazyflie21"), load_camera("hm01b0")
ROAD = load_distribution("road")
FORWARD = VelocityCommand(0.5, 0.0, 0.0, 0.0)


class Steady:
    """Flies one command from the first frame on."""

    view, report, answer = Observation, None, np.zeros(0, np.float32)

    def __init__(self, latency_s=0.0, needs_frames=True, command=FORWARD):
        self.latency_s, self.needs_frames, self.command = latency_s, needs_frames, command
        self.outputs = np.zeros(1, np.float32)
        self.seen = []

    def reset(self):
        self.seen.clear()

    def act(self, observation):
        self.seen.append(observation)
        return self.command


def setup(conditions=None, seed=5, time_limit_s=1.0, airframe=AIRFRAME, camera=CAMERA):
    return FlightSetup(COURSE, airframe, camera, seed, time_limit_s, conditions or Conditions())


def changed(**tables):
    return Conditions.model_validate(tables)


def test_frames_come_at_their_rate_and_commands_take_effect_after_the_latency():
    log = fly(setup(), Steady(latency_s=0.0251))
    np.testing.assert_array_equal(log.arrays["camera.tick"], np.arange(0, 1001, 40)[:-1])
    np.testing.assert_array_equal(log.arrays["command.tick"], log.arrays["camera.tick"] + 26)


def test_a_pilot_slower_than_the_camera_misses_frames():
    log = fly(setup(), Steady(latency_s=0.05))
    np.testing.assert_array_equal(np.diff(log.arrays["camera.tick"]), 80)


def test_no_frame_is_drawn_for_a_pilot_that_needs_none():
    pilot = Steady(needs_frames=False)
    log = fly(setup(), pilot)
    assert log.arrays["camera.frames"].shape == (0, 64, 64)
    assert all(seen.frame is None for seen in pilot.seen)


def test_the_flight_is_over_in_time_and_the_drone_has_moved():
    log = fly(setup(), Steady())
    assert (log.meta["outcome"], log.meta["duration_ticks"]) == ("timeout", 1000)
    assert len(log.arrays["state.tick"]) == 101
    x, y = (log.arrays["state.position_world_m"][-1] - log.arrays["state.position_world_m"][0])[:2]
    assert 0.2 < np.hypot(x, y) < 0.5


def test_what_a_frame_shows_is_as_old_as_exposure_and_readout():
    """A pilot that yaws sees the world turned by less than the drone has turned."""
    spin = Steady(command=VelocityCommand(0.0, 0.0, 0.0, 1.5))
    instant = CAMERA.model_copy(
        update={
            "readout_s": 0.0,
            "exposure": CAMERA.exposure.model_copy(update={"time_s": 0.0}),
        }
    )
    real = fly(setup(), spin).arrays["camera.frames"]
    ideal = fly(setup(camera=instant), spin).arrays["camera.frames"]
    np.testing.assert_array_equal(real[0].shape, ideal[0].shape)
    # While it still hangs the two differ by noise only; while it turns, by where things are.
    still = np.abs(real[0].astype(float) - ideal[0]).mean()
    turning = np.abs(real[20].astype(float) - ideal[20]).mean()
    assert turning > 1.3 * still


def test_the_same_flight_has_the_same_bytes_in_another_process():
    script = (
        "from tests_flight import *\nprint(fly(setup(ROAD, 7), Steady(latency_s=0.02)).sha256)"
    ).replace("tests_flight", "test_flight")
    there = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=__file__.rpartition("/")[0],
    ).stdout.strip()
    assert fly(setup(ROAD, 7), Steady(latency_s=0.02)).sha256 == there
    assert fly(setup(ROAD, 8), Steady(latency_s=0.02)).sha256 != there


@pytest.mark.parametrize(
    "tables",
    [
        {"wind": {"mean_m_s": 1.0, "direction_deg": 30.0}},
        {"wind": {"step_m_s": 1.0, "step_at_s": 0.3}},
        {"autopilot_acts_on": "estimate"},
        {"mass_scale": 1.05},
    ],
)
def test_each_condition_changes_the_flight_of_the_drone(tables):
    ideal, real = (
        fly(setup(conditions), Steady(needs_frames=False)).arrays["state.position_world_m"]
        for conditions in (Conditions(), changed(**tables))
    )
    assert 1e-5 < np.abs(ideal - real).max() < 0.5


def test_wind_blows_the_drone_along_and_is_written_down():
    towards_north = changed(wind={"mean_m_s": 1.0, "direction_deg": 90.0})
    hover = Steady(needs_frames=False, command=VelocityCommand(0.0, 0.0, 0.0, 0.0))
    log = fly(setup(towards_north, time_limit_s=2.0), hover)
    np.testing.assert_allclose(log.arrays["state.wind_world_m_s"][-1], [0.0, 1.0, 0.0], atol=1e-12)
    drift = log.arrays["state.position_world_m"][-1] - log.arrays["state.position_world_m"][0]
    assert drift[1] > 0.05
    assert abs(drift[0]) < 0.01


def test_a_sagging_battery_is_written_down():
    sagging = Conditions(battery=BatteryUse(sags=True, state_of_charge=0.5))
    volts, charge = fly(setup(sagging), Steady(needs_frames=False)).arrays["state.battery"].T
    assert charge[-1] < charge[0] <= 0.5
    assert 3.0 < volts.min() < 3.9


def test_an_empty_battery_cannot_climb_as_a_full_one():
    """The firmware makes up for a falling voltage until the motors have no more to give."""
    climb = Steady(needs_frames=False, command=VelocityCommand(0.0, 0.0, 1.0, 0.0))

    def loaded(charge):
        return changed(mass_scale=1.15, battery={"sags": True, "state_of_charge": charge})

    heights = [
        fly(setup(loaded(charge)), climb).arrays["state.position_world_m"][:, 2].max()
        for charge in (1.0, 0.01)
    ]
    assert heights[0] > heights[1] + 0.01


def test_dropped_frames_reach_no_pilot():
    half = changed(faults={"drop_probability": 0.5})
    pilot = Steady()
    log = fly(setup(half, time_limit_s=4.0), pilot)
    assert 30 < len(pilot.seen) < 70, "of 100"
    assert len(log.arrays["camera.frames"]) == len(pilot.seen)
    assert fly(setup(changed(faults={"drop_probability": 1.0})), Steady()).arrays[
        "camera.frames"
    ].shape == (0, 64, 64)


def test_a_condition_has_its_own_stream():
    """Wind does not change what the sensor's noise is."""
    calm, windy = (
        fly(setup(conditions), Steady()).arrays["camera.frames"][0]
        for conditions in (Conditions(), changed(wind={"mean_m_s": 1.0, "turbulence": 1.0}))
    )
    np.testing.assert_array_equal(calm, windy)


@pytest.fixture
def brittle():
    """Return a drone of next to no inertia: its rates grow without bound."""
    return AIRFRAME.model_copy(update={"inertia_kg_m2": (1e-13, 1e-13, 1e-13)})


def test_a_simulation_that_diverges_says_when_and_leaves_its_log(brittle, tmp_path):
    with pytest.raises(SimulationError, match=r"diverged at tick \d+ \(0\.\d+ s\)") as caught:
        fly(setup(ROAD, airframe=brittle), Steady())
    log = caught.value.log
    assert log.meta["outcome"] == DIVERGED
    assert not log.meta["completed"]
    assert 0 < log.meta["duration_ticks"] < 1000
    assert log.arrays["state.tick"][-1] <= log.meta["duration_ticks"]
    log.save(tmp_path / "broken.flight")
    assert FlightLog.load(tmp_path / "broken.flight").sha256 == log.sha256
