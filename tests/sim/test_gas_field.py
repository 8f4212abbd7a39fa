"""Gas fields: a yard with a leak upwind of the start, and what ends a flight over it."""

import numpy as np
import pytest

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError
from bytewing.sim.bullet import pybullet
from bytewing.sim.courses.mox.config import GasFieldConfig
from bytewing.sim.courses.mox.course import FLIGHT_HEIGHT_M, REACHED_M, generate_gas_field
from bytewing.sim.pilot import DroneState, Report
from bytewing.sim.scene import Scene
from bytewing.sim.world import World

SEEDS = range(20)


def at(position):
    still = np.zeros(3)
    return DroneState(np.array(position, float), np.array([0.0, 0, 0, 1]), still, still)


@pytest.mark.parametrize("seed", SEEDS)
def test_leak_and_start_are_where_they_are_declared(seed):
    config = GasFieldConfig()
    field = generate_gas_field(config, seed)
    leak, start = np.array(field.leak.position_world_m), field.start_position_world_m
    assert 5.0 <= start[0] - leak[0] <= 8.0
    assert abs(start[1] - leak[1]) <= 2.0
    assert (np.abs(start[:2]) < np.array(field.half_m) - 0.5).all()
    assert 30.0 <= field.leak.rate_g_h <= 300.0
    low, high = field.route[:, :2]
    assert (low < leak[:2]).all()
    assert (leak[:2] < high).all()
    assert (field.route[:, 2] == FLIGHT_HEIGHT_M).all()


def test_seeds_differ_and_repeat():
    leaks = {generate_gas_field(GasFieldConfig(), seed).leak.position_world_m for seed in SEEDS}
    assert len(leaks) == len(SEEDS)
    again = generate_gas_field(GasFieldConfig(), 3).parameters
    assert again == generate_gas_field(GasFieldConfig(), 3).parameters


def test_the_yard_is_walled_on_all_sides():
    field = generate_gas_field(GasFieldConfig(), 1)
    bare = Scene(tuple(o for o in field.scene.objects if o.name != "standpipe"))
    x, y = field.half_m
    with World(bare, visible=False) as world:
        for to, wall_m in (((9, 0), x), ((-9, 0), x), ((0, 9), y), ((0, -9), y)):
            hit = pybullet.rayTest([0, 0, 1], [*to, 1], physicsClientId=world.client)[0]
            assert 9 * hit[2] == pytest.approx(wall_m, abs=0.02)


def test_who_comes_near_the_source_has_reached_it():
    field = generate_gas_field(GasFieldConfig(), 1)
    referee, source = field.referee(), np.array(field.leak.position_world_m)
    east = np.array([1.0, 0.0, 0.0])
    near, far = source + (REACHED_M - 0.01) * east, source + (REACHED_M + 0.01) * east
    assert referee.update(1.0, at(far), False) is None
    assert referee.update(1.0, at(near), False) == "reached"
    assert referee.update(1.0, at(near), True) == "collision"
    assert referee.update(1.0, at((0, field.half_m[1] + 0.1, 1)), False) == "left_field"
    assert referee.on_report(Report(source)) is None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"start_downwind_m": [5.0, 10.0]}, "start_downwind_m.*east wall"),
        ({"start_aside_m": [-3.0, 3.0]}, "start_aside_m.*wall"),
        ({"gas": "metane"}, "gas.*metane"),
        ({"leak_rate_g_h": -1.0}, "leak_rate_g_h"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(table, said):
    with pytest.raises(BadInputError, match=said) as error:
        parse(GasFieldConfig, table, "mine.toml")
    assert "\n" not in str(error.value)
