"""The metal-oxide task: its picture of the senses, its teacher, its guidance."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from bytewing.policies.bundle import InputSpec
from bytewing.policies.guidance.registry import make_guide
from bytewing.policies.inputs.scent import COLUMN_STEPS, ROWS, ScentHistory, scent_pictures
from bytewing.policies.nets.convnet import fold, initialised
from bytewing.policies.tasks.mox.constants import MoxGuidance
from bytewing.policies.tasks.mox.learning import GAS_PPM, MOX, SIDE_FULL_M, MoxTeacher
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.pilot import DroneState
from bytewing.sim.senses import pack
from bytewing.sim.sensors.mox import MetalOxide, MetalOxideConfig
from support.moments import moment

SIZE = InputSpec(height_px=ROWS, width_px=8, source="scent")
ROUTE = np.array([[-5, -4, 1, 1, 0], [5, 4, 1, 1, 0]], np.float32)
RESPONSE, BOUND, ACROSS, UPWIND, GUST, WIND = range(ROWS)


def senses(position=(0.0, 0.0, 1.0), gas=1.0, wind=(1.0, 0.0), yaw=0.0, free=(4.0,) * 4):
    return pack(
        {
            "position_m": position,
            "quaternion_xyzw": quaternion_from_euler(0.0, 0.0, yaw),
            "range_m": free,
            "gas_resistance": gas,
            "wind_m_s": wind,
        }
    )


def pictures(rows):
    return scent_pictures(np.array(rows, np.float32), SIZE.width_px)[:, 0]


def flown(guide, outputs, steps, **sensed):
    rows = [guide.step(np.array(outputs, np.float32), senses(**sensed)) for _ in range(steps)]
    return np.array(rows)


def surging(yaw=0.0, wind=(1.0, 0.0), side=0.0, **sensed):
    guide = make_guide(MoxGuidance())
    guide.reset(ROUTE)
    return flown(guide, (1.0, side), 1, yaw=yaw, wind=wind, **sensed)[0]


# What the network sees


def test_the_first_column_stands_in_for_the_past():
    first = pictures([senses(gas=0.5)])[0]
    assert (first == first[:, :1]).all()
    assert int(first[RESPONSE, 0]) == pytest.approx(127, abs=1)


def test_a_column_comes_every_few_steps_and_older_ones_move_left():
    rows = pictures([senses(gas=1.0 - 0.01 * step) for step in range(3 * COLUMN_STEPS + 1)])
    changed = [not np.array_equal(a, b) for a, b in itertools.pairwise(rows)]
    assert [step + 1 for step, c in enumerate(changed) if c] == [5, 10, 15]
    assert np.array_equal(rows[-1][:, :-1], rows[-2][:, 1:])


def test_the_lag_of_the_real_sensor_is_undone():
    sensor = MetalOxide(MetalOxideConfig(noise=0.0), seed=0)
    readings = [sensor.step(0.0 if step < 25 else 500.0, 0.04) for step in range(75)]
    seen = pictures([senses(gas=reading) for reading in readings])[-1]
    bound = 1.2 - seen[BOUND, -1] / 255 * 1.6
    assert bound == pytest.approx(sensor.settled(500.0), abs=0.05)
    assert readings[-1] > sensor.settled(500.0) + 0.2


@pytest.mark.parametrize("towards", [0.0, 1.0, 2.5, -2.0])
def test_its_own_speed_is_seen_across_and_against_the_wind(towards):
    wind = np.array([np.cos(towards), np.sin(towards)])
    up, left = -wind, np.array([wind[1], -wind[0]])
    velocity = 0.3 * up - 0.4 * left
    rows = [senses((*(velocity * step / 25), 1.0), wind=wind) for step in range(11)]
    seen = pictures(rows)[-1]
    assert (seen[ACROSS, -1] / 255 - 0.5) * 1.2 == pytest.approx(-0.4, abs=0.01)
    assert (seen[UPWIND, -1] / 255 - 0.5) * 1.2 == pytest.approx(0.3, abs=0.01)


def test_turning_the_world_changes_nothing():
    rng = np.random.default_rng(0)
    places, winds = rng.normal(0, 0.02, (60, 2)).cumsum(axis=0), rng.normal((1, 0), 0.2, (60, 2))
    gas = rng.uniform(0.4, 1.0, 60)

    def seen(turn):
        c, s = np.cos(turn), np.sin(turn)
        world = np.array([[c, s], [-s, c]])
        rows = zip(places @ world, winds @ world, gas, strict=True)
        return pictures([senses((*p, 1.0), g, w) for p, w, g in rows]).astype(int)

    assert np.abs(seen(0.0) - seen(2.0)).max() <= 1


def test_a_reset_forgets():
    history = ScentHistory(SIZE.width_px)
    fresh = history.push(None, senses(gas=0.7)).copy()
    for _ in range(12):
        history.push(None, senses(gas=0.2))
    history.reset()
    assert np.array_equal(history.push(None, senses(gas=0.7)), fresh)


# What it is taught


def taught(source=(-5.0, 0.0), position=(0.0, 0.0, 1.0), ppm=0.0, wind=(1.0, 0.0)):
    at_rest = np.zeros(3)
    course = SimpleNamespace(leak=SimpleNamespace(position_world_m=(*source, 1.0)))
    state = DroneState(np.array(position), np.array([0.0, 0, 0, 1]), at_rest, at_rest)
    sensed = senses(position, wind=wind)
    return MoxTeacher(course).labels(moment(state=state, senses=sensed, gas_ppm=ppm))


def test_gas_is_what_the_sensor_can_feel():
    assert taught(ppm=GAS_PPM - 1)[0] == 0
    assert taught(ppm=GAS_PPM + 1)[0] == 1
    assert MetalOxide(MetalOxideConfig(), seed=0).settled(GAS_PPM) < 1.0


def test_the_side_is_left_or_right_of_the_line_upwind():
    assert taught(source=(-5.0, 0.0))[1] == pytest.approx(0.0)
    # Who looks west has the south on the left.
    assert taught(source=(-5.0, -1.0))[1] == pytest.approx(1.0 / SIDE_FULL_M)
    assert taught(source=(-5.0, 1.0))[1] == pytest.approx(-1.0 / SIDE_FULL_M)
    assert taught(source=(-5.0, 9.0))[1] == -1.0
    assert taught(source=(1.0, -5.0), wind=(0.0, 2.0))[1] == pytest.approx(1.0 / SIDE_FULL_M)


# How it flies


@pytest.mark.parametrize("yaw", [0.0, 1.0, -2.0])
def test_in_gas_it_flies_upwind_whichever_way_it_looks(yaw):
    forward, left, climb, turn = surging(yaw, wind=(0.6, 0.8))
    east = forward * np.cos(yaw) - left * np.sin(yaw)
    north = forward * np.sin(yaw) + left * np.cos(yaw)
    assert (east, north) == pytest.approx((-0.3, -0.4), abs=1e-6)
    assert (climb, turn) == (0.0, 0.0)


def test_the_side_turns_the_surge():
    assert surging(side=0.5)[1] < -0.1  # upwind is west: left of it is south
    assert surging(side=-0.5)[1] > 0.1
    assert np.hypot(*surging(side=1.0)[:2]) == pytest.approx(0.5, abs=1e-6)


def test_without_gas_it_casts_to_the_side_it_was_told_and_back_in_growing_legs():
    guide = make_guide(MoxGuidance())
    guide.reset(ROUTE)
    flown(guide, (1.0, 0.0), 3)
    # Nothing moves it here: north is what it asks for.
    north = flown(guide, (0.0, -0.5), 600)[:, 1]
    lost = round(1.0 / 0.04)
    assert north[lost] > 0.3
    turns = np.flatnonzero(np.diff(np.sign(north[lost:])) != 0)
    legs = np.diff(turns) * 0.04 * 0.5
    assert legs[0] == pytest.approx(2.0, abs=0.05)
    assert (np.diff(legs) > 0.9).all()


def test_it_stays_in_its_area_and_off_walls():
    assert surging(position=(-5.0, 0.0, 1.0))[0] == 0.0
    assert surging(position=(-5.5, 0.0, 1.0))[0] == 0.0
    assert surging(position=(0.0, 0.0, 1.0), free=(4.0, 4.0, 0.3, 4.0))[0] == 0.0
    assert surging(position=(0.0, 0.0, 1.3))[2] == pytest.approx(-0.2)


def test_with_nowhere_to_search_it_hovers():
    guide = make_guide(MoxGuidance())
    guide.reset(np.zeros((0, 5), np.float32))
    assert (flown(guide, (1.0, 0.5), 5) == 0).all()


# How large it is


def test_the_network_is_tiny():
    network = fold(initialised(MOX, 0))
    assert network.macs < 20_000
    assert network.weight_bytes < 6_000
