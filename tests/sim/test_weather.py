"""The air of a flight: the wind that was there before take-off, and whose gas it carries."""

import numpy as np
import pytest

from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.fields.plume import PLUME_LEAD_S
from bytewing.sim.fields.wind import Wind, WindConfig
from bytewing.sim.weather import draw_weather

# To the east, with gusts.
BREEZE = WindConfig.model_validate({"mean_m_s": 1.0, "direction_deg": 0, "turbulence": 1.0})
STEADY = WindConfig.model_validate({"mean_m_s": 1.0, "direction_deg": 0})
HERE, ANYWHERE = (0.0, 0.0, 10.0), np.zeros(3)
LEAK = GasRelease("methane", 500.0, HERE)
VENT = GasRelease("steam", 5000.0, HERE, excess_k=45.0)
# Downwind, from the plume's lower edge to where warm gas rises to.
DOWNWIND = np.array([[2.0, 0.0, z] for z in np.arange(9.5, 12.0, 0.1)])


def weather(*releases, config=STEADY, seed=1):
    return draw_weather(config, releases, 20.0, seed=seed, duration_s=30.0)


def gas_ppm(air, t_s=0.0, places=DOWNWIND):
    return np.array([air.gas_ppm(place, t_s) for place in places])


def gusts(air, times_s):
    return np.array([air.wind.sample(ANYWHERE, t_s) for t_s in times_s])


def test_wind_begins_early_where_there_is_gas_to_carry():
    times_s = np.arange(0.0, 10.0, 0.37)
    alone = gusts(weather(config=BREEZE), times_s)
    led = gusts(weather(LEAK, config=BREEZE), times_s - PLUME_LEAD_S)
    assert led == pytest.approx(alone, abs=1e-9)
    assert np.ptp(alone[:, 0]) > 0.05, "there are gusts to tell apart"


def test_without_gas_the_wind_begins_at_take_off():
    air = weather(config=BREEZE)
    alone = Wind(BREEZE, 1, 30.0)
    assert all(
        np.array_equal(air.wind.sample(ANYWHERE, t_s), alone.sample(ANYWHERE, t_s))
        for t_s in (-5.0, 0.0, 7.77)
    )
    assert air.plumes == ()
    assert not gas_ppm(air).any()


def test_gusts_do_not_end_before_the_flight():
    ends = gusts(weather(LEAK, config=BREEZE), (29.0, 29.5, 30.0))
    assert len(np.unique(ends[:, 0])) == 3


def test_gas_is_downwind_at_take_off_already():
    air = weather(LEAK)
    assert gas_ppm(air).max() > 50
    assert gas_ppm(air, places=DOWNWIND + np.array([8.0, 0, 0])).max() > 5
    assert not gas_ppm(air, places=DOWNWIND * [-1, 1, 1]).any()


def test_leaks_count_and_steam_does_not():
    leaking, both = weather(LEAK), weather(LEAK, VENT)
    steam = both.plumes[1].concentration_ppm(DOWNWIND, 0.0)
    assert steam.max() > 50
    assert not gas_ppm(weather(VENT)).any()
    assert np.array_equal(gas_ppm(both), gas_ppm(leaking))


def test_two_leaks_add_up():
    second = GasRelease("methane", 300.0, (0.0, 0.1, 10.0))
    air = weather(LEAK, second)
    parts = [plume.concentration_ppm(DOWNWIND, 0.0) for plume in air.plumes]
    assert [plume.release for plume in air.plumes] == [LEAK, second]
    assert min(part.max() for part in parts) > 5
    assert gas_ppm(air) == pytest.approx(sum(parts))


def test_each_plume_has_a_random_stream_of_its_own():
    def centres(air):
        return [plume.filaments(0.0).centre_m for plume in air.plumes]

    one, other = centres(weather(LEAK, LEAK))
    assert one.shape == other.shape
    apart_m = np.abs(one - other)[:-20]  # the youngest have not gone anywhere
    assert np.median(apart_m) > 0.02
    # What else comes out changes nothing of the first; another seed does.
    assert np.array_equal(centres(weather(LEAK))[0], one)
    assert np.array_equal(centres(weather(LEAK, VENT))[0], one)
    assert not np.array_equal(centres(weather(LEAK, seed=2))[0], one)
