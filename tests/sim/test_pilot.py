"""What a pilot is given: the truth reaches those only that declare that they need it."""

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import load_camera
from bytewing.sim.courses.road.course import RoadCourseConfig, generate_road
from bytewing.sim.flight import FlightSetup, fly
from bytewing.sim.pilot import (
    HOVER,
    DroneState,
    Observation,
    PrivilegedObservation,
    Truth,
)
from bytewing.sim.plant import Plant
from bytewing.sim.world import World

ROOT = Path(__file__).parents[2]
SECRETS = (Truth, DroneState, PrivilegedObservation, Plant, World)


class Keeping:
    """Hovers and keeps what it is given."""

    latency_s, needs_frames, report = 0.0, True, None
    outputs = answer = np.zeros(0, np.float32)

    def __init__(self, view):
        self.view, self.seen = view, []

    def reset(self):
        self.seen.clear()

    def act(self, seen):
        self.seen.append(seen)
        return HOVER


def given(view):
    """Return what a pilot with this view is given in a short flight, and the flight's log."""
    course = generate_road(RoadCourseConfig(length_m=6.0), 2_000_001)
    pilot = Keeping(view)
    log = fly(
        FlightSetup(course, load_airframe("crazyflie21"), load_camera("hm01b0"), 5, 0.2),
        pilot,
    )
    assert len(pilot.seen) == 5
    return pilot.seen, log


def reachable(root):
    """Return every object that can be reached from ``root``, classes and modules apart."""
    found, todo = {}, [root]
    while todo:
        thing = todo.pop()
        if id(thing) in found or isinstance(thing, type) or type(thing).__name__ == "module":
            continue
        found[id(thing)] = thing
        todo += gc.get_referents(thing)
        if isinstance(thing, np.ndarray) and thing.base is not None:
            todo.append(thing.base)
    return list(found.values())


def test_from_an_observation_no_truth_can_be_reached():
    for seen in given(Observation)[0]:
        assert type(seen) is Observation
        assert not [thing for thing in reachable(seen) if isinstance(thing, SECRETS)]


def test_the_search_for_the_truth_finds_it_where_it_is():
    seen = given(PrivilegedObservation)[0][0]
    kinds = {type(thing) for thing in reachable(seen)}
    assert {Truth, DroneState} <= kinds


def test_a_pilot_that_declares_it_is_given_the_truth_of_the_log():
    moments, log = given(PrivilegedObservation)
    rows = np.isin(log.arrays["state.tick"], log.arrays["camera.tick"])
    for name, of in (
        ("position_world_m", lambda truth: truth.state.position_world_m),
        ("wind_world_m_s", lambda truth: truth.probes["wind_world_m_s"]),
        ("gas_ppm", lambda truth: truth.probes["gas_ppm"]),
    ):
        found = np.array([of(moment.truth) for moment in moments])
        np.testing.assert_array_equal(found, log.arrays[f"state.{name}"][rows])
    contrasts = [moment.truth.frame_probes["gas_contrast"] for moment in moments]
    np.testing.assert_array_equal(contrasts, log.arrays["camera.gas_contrast"])


def test_both_views_show_the_same_frames_and_senses():
    (plain, _), (privileged, _) = given(Observation), given(PrivilegedObservation)
    for one, other in zip(plain, privileged, strict=True):
        np.testing.assert_array_equal(one.frame, other.frame)
        np.testing.assert_array_equal(one.senses, other.senses)


CHEATS = """
from bytewing.policies.collect import CollectingPolicy
from bytewing.policies.guidance.answer import Step
from bytewing.policies.pilot import PolicyPilot
from bytewing.policies.runtimes import NetworkPolicy
from bytewing.sim.flight import FlightSetup, fly
from bytewing.sim.pilot import Observation, PrivilegedObservation


class Reads(NetworkPolicy):
    def step(self, seen: Observation) -> Step:
        print(seen.truth)  # reads the truth
        return super().step(seen)


class Asks(NetworkPolicy):
    def step(self, seen: PrivilegedObservation) -> Step:  # asks for the truth
        return super().step(seen)


def passed_off(policy: CollectingPolicy) -> PolicyPilot[Observation]:
    return PolicyPilot(policy)  # is no pilot that does without the truth


def honest(setup: FlightSetup, policy: NetworkPolicy) -> PolicyPilot[Observation]:
    fly(setup, PolicyPilot(policy))
    return PolicyPilot(policy)
"""


@pytest.mark.slow
def test_the_type_checker_refuses_network_policies_that_cheat(tmp_path):
    pytest.importorskip("mypy")
    cheats = tmp_path / "cheats.py"
    cheats.write_text(CHEATS)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--follow-imports=silent", str(cheats)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    refused = {
        int(line.split(":")[1]) for line in checked.stdout.splitlines() if ": error:" in line
    }
    lines = CHEATS.splitlines()
    marked = {number for number, line in enumerate(lines, 1) if "  # " in line}
    assert refused == marked, checked.stdout
