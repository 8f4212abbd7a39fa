"""What a drone carries: a deck left off says nothing, a mounted one says what is there."""

import numpy as np
import pytest

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError
from bytewing.sim import meshes, senses
from bytewing.sim.instruments import Instruments, InstrumentsConfig
from bytewing.sim.pilot import DroneState, Truth
from bytewing.sim.scene import Box, Scene, SceneObject, Surface
from bytewing.sim.sensors.ranger import RangerConfig

LEVEL = np.array([0.0, 0.0, 0.0, 1.0])
STATE = DroneState(np.array([0.0, 0.0, 1.0]), LEVEL, np.zeros(3), np.zeros(3))
# The autopilot believes to be 0.5 m farther north, turned about, and says so.
ESTIMATE = np.array([0.0, 0.5, 1.1, 0.0, 0.0, 1.0, 0.0, *np.zeros(6)])
PROBES = {"wind_world_m_s": np.array([1.0, -0.5, 0.3]), "gas_ppm": np.array([500.0])}
TRUTH = Truth(STATE, PROBES)

SIZE = (0.2, 4.0, 4.0)
WALL = SceneObject("wall", meshes.box(SIZE), Surface(0.5), (1.6, 0.0, 1.0), 0.0, Box(SIZE))
WALLED = Scene((WALL,))  # 1.5 m ahead of where the drone truly is, and looks

DECKS = {
    "ranger": {"noise_m": 0.0, "offset_m": 0.0},
    "metal_oxide": {"noise": 0.0},
    "anemometer": {"noise_m_s": 0.0, "bias_m_s": 0.0},
}


def mounted(*decks, seed=1, **tables):
    tables = {**{deck: DECKS[deck] for deck in decks}, **tables}
    return Instruments(parse(InstrumentsConfig, tables, "mine.toml"), WALLED, seed)


def read(instruments, exposed_s=60.0, t_s=0.0):
    """Read after so long in gas, in front of the wall, in the wind."""
    instruments.sample(TRUTH.probes, exposed_s)
    return instruments.read(TRUTH, ESTIMATE, t_s)


CHANNELS = {"ranger": "range_m", "metal_oxide": "gas_resistance", "anemometer": "wind_m_s"}


def readings(row):
    """Return what each deck says, as plain numbers."""
    return {deck: senses.read(row, name).tolist() for deck, name in CHANNELS.items()}


NOTHING = {"ranger": [4.0] * 4, "metal_oxide": [1.0], "anemometer": [0.0, 0.0]}


def test_without_decks_space_is_empty_and_air_clean_and_still():
    assert readings(read(mounted())) == NOTHING


@pytest.mark.parametrize("deck", DECKS)
def test_a_mounted_deck_is_read_and_the_others_stay_silent(deck):
    found = readings(read(mounted(deck)))
    assert {name for name in DECKS if found[name] != NOTHING[name]} == {deck}


def test_together_they_say_what_is_there():
    found = readings(read(mounted(*DECKS)))
    ahead, left, back, right = found["ranger"]
    assert ahead == pytest.approx(1.5, abs=0.002)
    assert (left, back, right) == (4.0, 4.0, 4.0)
    # 38.46 * 500^-0.4289 / 8.8: settled, after a minute.
    assert found["metal_oxide"] == pytest.approx([0.304], abs=0.001)
    assert found["anemometer"] == [1.0, -0.5]


def test_an_empty_table_mounts_the_deck_as_published():
    assert parse(InstrumentsConfig, {"ranger": {}}, "mine.toml").ranger == RangerConfig()
    with pytest.raises(BadInputError, match=r"mine\.toml.*anemometr.*anemometer"):
        parse(InstrumentsConfig, {"anemometr": {}}, "mine.toml")


def test_distances_are_from_where_it_is_and_the_place_is_where_it_believes_to_be():
    row, believed = read(mounted("ranger")), ESTIMATE.astype(np.float32)
    assert senses.read(row, "position_m").tolist() == believed[:3].tolist()
    assert senses.read(row, "quaternion_xyzw").tolist() == believed[3:7].tolist()
    ahead_m = senses.read(row, "range_m")[0]
    assert ahead_m < 2.0, "it looks at the wall, though it believes to look away"


def resistance(row):
    return float(senses.read(row, "gas_resistance")[0])


def test_the_gas_sensor_follows_the_time_it_was_in_gas():
    sensor = mounted("metal_oxide")
    after_1_s = resistance(read(sensor, 1.0))
    after_2_s = resistance(read(sensor, 1.0))
    assert 1.0 > after_1_s > after_2_s > 0.305
    # Reading takes no time: the sensor stays where it is.
    assert resistance(sensor.read(TRUTH, ESTIMATE, 0.0)) == after_2_s


AHEAD, GAS, EAST, NORTH = range(4)


def noisy(seed):
    """Return three readings in a row (3, 4), as named above, of decks as published."""
    decks = mounted(seed=seed, **{deck: {} for deck in DECKS})
    rows = np.array([read(decks, 0.04, 0.04 * n) for n in range(3)])
    ahead = senses.read(rows, "range_m")[:, :1]
    gas, wind = senses.read(rows, "gas_resistance"), senses.read(rows, "wind_m_s")
    return np.concatenate([ahead, gas, wind], axis=1)


def test_each_reading_has_noise_of_its_own_that_repeats_with_the_seed():
    once = noisy(1)
    assert np.array_equal(once, noisy(1))
    for column in (GAS, EAST, NORTH):
        assert len(set(once[:, column])) == 3
    assert (once != noisy(2)).any(axis=0).all()
