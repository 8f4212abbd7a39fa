"""What every guidance keeps to, whatever comes in; and what is particular to each."""

import itertools
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from bytewing.foundation import host_compiler
from bytewing.foundation.errors import MissingToolError
from bytewing.foundation.host_compiler import load_host_library
from bytewing.policies.guidance.guide import Guide, Status
from bytewing.policies.guidance.registry import GUIDANCES, make_guide
from bytewing.policies.tasks.gas.phase import Phase
from bytewing.sim.senses import CHANNELS, read
from support.guidance_flights import (
    CONSTANTS,
    ODD,
    GuidedFlight,
    answers_to,
    guide_of,
    in_a_mirror,
    random_flight,
)

KINDS = sorted(CONSTANTS)
TRANSITIONS = {(0, 1), (0, 5), (1, 0), (1, 2), (2, 0), (2, 3), (3, 0), (3, 2), (3, 4)}


def limits(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest command that the constants allow."""
    c = CONSTANTS[kind]
    if kind == "road":
        high = np.array([c.speed_max_m_s, 0, 0, c.yaw_rate_max_rad_s])
        return np.array([0, 0, 0, -c.yaw_rate_max_rad_s]), high
    if kind == "gas":
        speed = max(c.speed_m_s, c.approach_speed_m_s)
        high = np.array([speed, speed, c.climb_max_m_s, c.yaw_rate_max_rad_s])
        return -high, high
    high = np.array([c.speed_m_s, c.speed_m_s, c.climb_max_m_s, 0])
    return -high, high


def test_every_kind_has_flights():
    assert set(CONSTANTS) == set(GUIDANCES.parts)


@pytest.mark.parametrize("kind", KINDS)
def test_any_input_gives_finite_numbers_within_limits(kind):
    low, high = (bound.astype(np.float32) for bound in limits(kind))
    rng = np.random.default_rng(1)
    for seed in range(40):
        flight = random_flight(kind, seed)
        if seed % 4 == 0:
            outputs, senses = (rng.choice(ODD, a.shape) for a in (flight.outputs, flight.senses))
            flight = GuidedFlight(flight.route, outputs, senses)
        answers = answers_to(guide_of(kind), flight)
        assert answers.dtype == np.float32
        assert np.isfinite(answers).all()
        assert (answers[:, :4] >= low).all()
        assert (answers[:, :4] <= high).all()


@pytest.mark.parametrize("kind", KINDS)
def test_flights_reach_the_limits_and_much_between(kind):
    """Or the test before says nothing."""
    flights = [random_flight(kind, seed) for seed in range(40)]
    answers = np.concatenate([answers_to(guide_of(kind), flight) for flight in flights])
    low, high = limits(kind)
    speeds = answers[:, :4]
    assert (speeds.max(axis=0) >= 0.6 * high).all()
    assert (speeds.min(axis=0) <= 0.6 * low).all()
    assert len(np.unique(speeds, axis=0)) > 1500


@pytest.mark.parametrize("kind", KINDS)
def test_instances_are_independent_and_a_reset_forgets(kind):
    flights = [random_flight(kind, seed) for seed in (3, 8)]
    alone = [answers_to(guide_of(kind), flight) for flight in flights]
    guides = [guide_of(kind), guide_of(kind)]
    for guide, flight in zip(guides, flights, strict=True):
        guide.reset(flight.route)
    together = ([], [])
    for step in range(len(flights[0].outputs)):
        for guide, flight, answers in zip(guides, flights, together, strict=True):
            answers.append(guide.step(flight.outputs[step], flight.senses[step]))
    assert [np.array(a).tobytes() for a in together] == [a.tobytes() for a in alone]
    assert answers_to(guides[0], flights[1]).tobytes() == alone[1].tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_declared_is_not_read(kind):
    """Channels and outputs beyond those that the kind names."""
    declared = GUIDANCES.find(kind)
    rng = np.random.default_rng(2)
    for seed in range(10):
        flight = random_flight(kind, seed)
        senses = flight.senses.copy()
        for channel in CHANNELS:
            if channel.name not in declared.senses:
                read(senses, channel.name)[:] = rng.choice(ODD, (len(senses), channel.size))
        outputs = np.column_stack([flight.outputs, rng.choice(ODD, (len(senses), 3))])
        changed = GuidedFlight(flight.route, outputs, senses)
        expected = answers_to(guide_of(kind), flight)
        assert answers_to(guide_of(kind), changed).tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_declared_is_read(kind):
    """A channel that no answer depends on need not be declared."""
    declared = GUIDANCES.find(kind)
    for name in declared.senses:
        differs = False
        for seed in range(20):
            flight = random_flight(kind, seed, odd=False)
            senses = flight.senses.copy()
            read(senses, name)[:] = read(senses, name)[::-1]
            changed = GuidedFlight(flight.route, flight.outputs, senses)
            first, second = (answers_to(guide_of(kind), f) for f in (flight, changed))
            differs |= first.tobytes() != second.tobytes()
        assert differs, name


@pytest.mark.parametrize("kind", KINDS)
def test_too_few_outputs_and_too_long_routes_are_refused(kind):
    guide = guide_of(kind)
    flight = random_flight(kind, 1)
    with pytest.raises(ValueError, match=f"{kind} guidance needs .* outputs"):
        guide.step(flight.outputs[0, :1], flight.senses[0])
    with pytest.raises(ValueError, match="at most 24 waypoints, not 25"):
        guide.reset(np.zeros((25, 5), np.float32))


# The world in a mirror: left and right change sides, and nothing else does.


def mirrored_answers(answers: np.ndarray) -> np.ndarray:
    signs = np.ones(answers.shape[1], np.float32)
    signs[[1, 3]] = -1
    if answers.shape[1] > 4:
        signs[6] = -1  # the leak's place to the north
    return answers * signs


def assert_symmetric(constants, flight, outputs, corners=False):
    """Compare with the mirror image, in which the network answers ``outputs``.

    With ``corners`` the route is an area's south-west and north-east corner.
    """
    route, senses = in_a_mirror(flight)
    if corners:
        route[:, 1] = route[::-1, 1]
    here = answers_to(make_guide(constants), flight)
    there = answers_to(make_guide(constants), GuidedFlight(route, outputs, senses))
    np.testing.assert_array_equal(there, mirrored_answers(here))


def test_a_road_in_a_mirror_is_steered_to_the_other_side():
    for seed in range(20):
        flight = random_flight("road", seed, odd=False)
        assert_symmetric(CONSTANTS["road"], flight, flight.outputs * np.float32([-1, 1]))


def test_a_search_by_gas_sensor_in_a_mirror_is_flown_to_the_other_side():
    for seed in range(20):
        flight = random_flight("mox", seed, odd=False)
        side = np.where(flight.outputs[:, 1] < 0, -1, 1) * (0.2 + np.abs(flight.outputs[:, 1]))
        # Without gas at first, or where the side is unsure, it begins to the left.
        gas = np.where(np.arange(len(side)) < 3, 1.0, flight.outputs[:, 0])
        outputs = np.column_stack([gas, side]).astype(np.float32)
        wind = read(flight.senses, "wind_m_s")
        wind[:] = np.where(wind == 0, 0.3, wind)  # still air is taken for one from the west
        flight = GuidedFlight(flight.route, outputs, flight.senses)
        assert_symmetric(CONSTANTS["mox"], flight, outputs * np.float32([1, -1]), corners=True)


def test_a_search_by_camera_in_a_mirror_is_flown_to_the_other_side():
    """With its pictures mirrored to the wind, the network answers the same in both worlds.

    Weaving begins to the left, and what is in the way on both sides alike is passed on the left.
    """
    constants = CONSTANTS["gas"].model_copy(update={"weave_m_s": 0.0, "mount_left_m": 0.0})
    phases = set()
    for seed in range(60):
        flight = random_flight("gas", seed, odd=False)
        read(flight.senses, "range_m")[:] = 4.0
        wind = read(flight.senses, "wind_m_s")
        wind[:] = np.where(wind == 0, 0.3, wind)
        assert_symmetric(constants, flight, flight.outputs)
        phases |= set(answers_to(make_guide(constants), flight)[:, 4].astype(int))
    assert phases == set(Phase)


# Phases and results


def test_phases_follow_each_other_as_the_header_says():
    seen = set()
    for seed in range(120):
        answers = answers_to(guide_of("gas"), random_flight("gas", seed))
        phases = [0, *answers[:, 4].astype(int)]  # the first step may already end a route
        seen |= set(itertools.pairwise(phases))
    assert {pair for pair in seen if pair[0] != pair[1]} == TRANSITIONS
    assert {(5, 5), (4, 4)} <= seen, "a result stays"


def test_the_status_says_when_there_is_a_result_and_the_report_which():
    results = set()
    for seed in range(60):
        guide, flight = guide_of("gas"), random_flight("gas", seed)
        guide.reset(flight.route)
        assert guide.report is None
        for outputs, senses in zip(flight.outputs, flight.senses, strict=True):
            answer = guide.step(outputs, senses)
            found, nothing = answer[4] == Phase.REPORTED, answer[4] == Phase.NOTHING
            assert (guide.status == Status.FOUND) == found
            assert (guide.status == Status.NOTHING_FOUND) == nothing
            if not found and not nothing:
                assert guide.report is None
            elif found:
                assert guide.report.leak_position_m.tolist() == answer[5:8].tolist()
            else:
                assert guide.report.leak_position_m is None
            results.add(guide.status)
    assert results == set(Status)


@pytest.mark.parametrize("kind", ["road", "mox"])
def test_others_have_nothing_to_report(kind):
    guide = guide_of(kind)
    answers_to(guide, random_flight(kind, 2))
    assert guide.status == Status.FLYING
    assert guide.report is None


def test_a_missing_compiler_is_one_line_that_says_what_to_install(monkeypatch, tmp_path):
    def missing(_):
        raise PackageNotFoundError

    monkeypatch.setenv("BYTEWING_CACHE", str(tmp_path))
    monkeypatch.delenv("BYTEWING_CC", raising=False)
    monkeypatch.setattr(host_compiler, "version", missing)
    host_compiler._version.cache_clear()
    load_host_library.cache_clear()
    try:
        with pytest.raises(MissingToolError, match="pip install ziglang") as caught:
            Guide(GUIDANCES.find("road"), CONSTANTS["road"])
    finally:
        host_compiler._version.cache_clear()
        load_host_library.cache_clear()
    assert "\n" not in str(caught.value)
