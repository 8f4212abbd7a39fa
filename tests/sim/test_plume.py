"""A plume: the gas released is there, goes where the wind goes, and is what theory says."""

import itertools
import math

import numpy as np
import pytest

from bytewing.foundation.errors import BadInputError, BytewingError
from bytewing.sim.fields.gas import GASES, GasRelease, load_gas
from bytewing.sim.fields.plume import PLUME_LEAD_S, REACH_M, STEP_S, Dispersion, Plume
from bytewing.sim.fields.wind import Wind, WindConfig

HIGH = (0.0, 0.0, 10.0)  # no ground near
USUAL, QUIET = Dispersion(), Dispersion(noise_m=0.0)


def blowing(mean_m_s=2.0, turbulence=0.0, seed=1):
    """A wind to the east."""
    config = WindConfig.model_validate(
        {"mean_m_s": mean_m_s, "direction_deg": 0, "turbulence": turbulence}
    )
    return Wind(config, seed, 60.0, lead_s=PLUME_LEAD_S)


def plume(
    gas="methane",
    rate_g_h=500.0,
    at=HIGH,
    excess_k=0.0,
    wind=None,
    seed=1,
    dispersion=USUAL,
    **keys,
):
    return Plume(
        GasRelease(gas, rate_g_h, at, excess_k),
        wind or blowing(),
        20.0,
        seed,
        dispersion=dispersion,
        **keys,
    )


def grid(low, high, step_m):
    axes = [np.arange(a, b, step_m) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def rise_m(gas, rate_g_h, excess_k=0.0, mean_m_s=2.0):
    """Return by how much a plume has risen 8 m downwind."""
    puffs = plume(
        gas, rate_g_h, excess_k=excess_k, wind=blowing(mean_m_s), dispersion=QUIET
    ).filaments(0.0)
    return puffs.centre_m[np.abs(puffs.centre_m[:, 0] - 8.0).argmin(), 2] - HIGH[2]


@pytest.mark.parametrize("path", sorted(GASES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_gas_that_ships_makes_a_plume(path):
    assert load_gas(path.stem).name == path.stem
    assert plume(path.stem).concentration_ppm([2.0, 0, 10], 0.0) > 1.0


def test_volume_is_that_of_an_ideal_gas():
    # Worked by hand: a mole takes up 24.055 l at 20 degrees C; 1000 g/h of methane are
    # 17.31 mmol/s.
    assert plume(rate_g_h=1000.0).volume_m3_s == pytest.approx(4.165e-4, rel=1e-3)


def test_all_gas_that_came_out_is_there():
    released = plume(
        wind=blowing(0.5, turbulence=1.0), dispersion=Dispersion(filaments_per_s=5, sigma_m=0.1)
    )
    step_m = 0.1
    space = grid((-2, -2.5, 7), (10, 2.5, 14), step_m)
    for t_s in (0.0, 7.31):
        found_m3 = 1e-6 * released.concentration_ppm(space, t_s).sum() * step_m**3
        assert found_m3 == pytest.approx(released.volume_m3_s * PLUME_LEAD_S, rel=1e-5)


def test_filaments_keep_their_gas_while_they_grow():
    puffs = plume().filaments(3.0)
    amounts = puffs.peak_ppm * puffs.sigma_m**3
    assert np.ptp(puffs.sigma_m) > 0.05
    assert amounts == pytest.approx(amounts[0])


@pytest.mark.parametrize("noise_m", [0.0, 0.02])
def test_time_average_in_a_steady_wind_is_a_gaussian_plume(noise_m):
    # Ethylene, and little of it: as good as weightless.
    speed_m_s, spread_m2_s = 1.0, 1e-3 + noise_m**2 / STEP_S
    steady = plume("ethylene", 0.1, wind=blowing(1.0), dispersion=Dispersion(noise_m=noise_m))
    places = grid((2, -0.3, 9.8), (8, 0.31, 10.21), 0.2)
    times = np.arange(0, 40 if noise_m else 5, 0.035)
    found = np.mean([steady.concentration_ppm(places, t) for t in times], axis=0)

    x, y, z = places[..., 0], places[..., 1], places[..., 2] - HIGH[2]
    variance_m2 = 0.04**2 + spread_m2_s * x / speed_m_s
    off = np.exp(-(y**2 + z**2) / (2 * variance_m2))
    expected = 1e6 * steady.volume_m3_s / (2 * np.pi * variance_m2 * speed_m_s) * off
    # Of the plume's axis there. With noise, 40 s are 800 filaments, drawn at random.
    error = np.abs(found - expected) / expected.max(axis=(1, 2), keepdims=True)
    assert error.max() < (0.15 if noise_m else 0.005)
    assert found.sum() == pytest.approx(expected.sum(), rel=0.02 if noise_m else 1e-3)


def test_more_filaments_converge():
    gusty, line = blowing(2.0, turbulence=1.0), grid((1, -1, 10), (9, 1.01, 10.01), 0.02)[..., 0, :]

    def columns(filaments_per_s):
        fine = plume(
            wind=gusty, dispersion=Dispersion(filaments_per_s=filaments_per_s, noise_m=0.0)
        )
        return fine.column_ppm_m(line - [0, 0, 5], [0, 0, 1], 10.0, 4.0)

    truth = columns(320)
    errors = [np.abs(columns(n) - truth).mean() / truth.mean() for n in (10, 20, 40, 80)]
    assert all(fine < coarse / 2 for coarse, fine in itertools.pairwise(errors))
    assert errors[0] > 0.1
    assert errors[1] < 0.03  # at the 20 a second that we fly with
    assert errors[-1] < 1e-3


def test_where_the_gas_is_depends_on_the_time_alone():
    once, again = plume(), plume()
    times = [0.0, 0.05, 3.33, 12.4]
    forwards = [[a.tobytes() for a in once.filaments(t)] for t in times]
    backwards = [[a.tobytes() for a in once.filaments(t)] for t in times[::-1]]
    assert forwards == backwards[::-1]
    assert [a.tobytes() for a in again.filaments(12.38)] != forwards[-1]
    assert [a.tobytes() for a in again.filaments(12.4)] == forwards[-1]
    assert [a.tobytes() for a in plume(seed=2).filaments(3.33)] != forwards[2]
    assert [a.tobytes() for a in plume(name="plume.2").filaments(3.33)] != forwards[2]


def test_gas_moves_smoothly_from_step_to_step():
    drifting = plume(wind=blowing(2.0, turbulence=1.0))
    places = grid((0.5, -0.2, 9.8), (4, 0.21, 10.21), 0.2)
    series = np.array([drifting.concentration_ppm(places, t) for t in np.arange(1, 2, 1e-3)])
    # 2 mm of way, 0.3 m/s of noise and a sigma of 4 cm: far less than a tenth of a peak.
    assert np.abs(np.diff(series, axis=0)).max() < 0.1 * series.max()
    assert np.abs(series[-1] - series[0]).max() > 0.1 * series.max()


def test_column_is_the_integral_of_the_concentration():
    seen = plume(wind=blowing(1.0))
    rng = np.random.default_rng(5)
    starts = rng.uniform([-1, -2, 8], [8, 2, 12], (40, 3))
    targets = seen.filaments(2.0).centre_m[::7][:40] + 0.05
    directions = targets - starts
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    # Some rays end within the plume, some begin in it.
    starts[::4] = targets[::4]
    lengths = rng.uniform(0.5, 6, 40)
    middles = (np.arange(4000) + 0.5) / 4000
    points = starts[:, None] + directions[:, None] * (middles * lengths[:, None])[..., None]
    numerical = seen.concentration_ppm(points, 2.0).mean(axis=1) * lengths
    assert numerical.max() > 100
    assert seen.column_ppm_m(starts, directions, lengths, 2.0) == pytest.approx(
        numerical, rel=1e-5, abs=1e-3
    )


def test_shapes_broadcast():
    here = plume()
    directions = np.broadcast_to([1.0, 0.0, 0.0], (3, 2, 3))
    assert here.concentration_ppm(directions, 0.0).shape == (3, 2)
    columns = here.column_ppm_m(HIGH, directions, np.inf, 0.0)
    assert columns.shape == (3, 2)
    assert columns[2, 1] == here.column_ppm_m(HIGH, [1, 0, 0], np.inf, 0.0) > 0


def test_wind_carries_the_gas():
    here = plume(wind=blowing(1.0, turbulence=1.0))
    assert here.filaments(0.0).centre_m[:, 0].mean() == pytest.approx(7.5, rel=0.4)
    assert here.concentration_ppm([-1.0, 0, 10], 0.0) == pytest.approx(0.0, abs=1e-6)
    across = np.array([[5.0, -9, z] for z in np.arange(8, 12, 0.1)])
    assert here.column_ppm_m(across, [0, 1, 0], 18.0, 0.0).max() > 100
    assert not here.column_ppm_m(across - [6, 0, 0], [0, 1, 0], 18.0, 0.0).any()


def test_light_gas_rises_and_heavy_gas_sinks():
    assert 0.1 < rise_m("methane", 500) < 0.5
    assert -0.5 < rise_m("sulphur_hexafluoride", 500) < -0.1
    # Little gas is nearly passive, nearly as heavy gas still more, and much wind leaves no time.
    assert 0 < rise_m("methane", 5) < 0.06
    assert 0 < rise_m("ethylene", 500) < 0.3 * rise_m("methane", 500)
    assert rise_m("methane", 500, mean_m_s=4) < 0.6 * rise_m("methane", 500)


def test_warm_steam_rises_and_cools_as_it_mixes():
    assert rise_m("steam", 500, excess_k=45) > 0.5 + rise_m("steam", 500)
    puffs = plume("steam", excess_k=45).filaments(0.0)
    assert puffs.excess_k.max() == pytest.approx(45, rel=0.1)
    assert puffs.excess_k[puffs.centre_m[:, 0] > 10].max() < 10
    assert not plume("steam").filaments(0.0).excess_k.any()


def test_rise_does_not_depend_on_how_many_filaments_there_are():
    heights = [
        plume(dispersion=Dispersion(filaments_per_s=n, noise_m=0.0)).filaments(0.0).centre_m[:, 2]
        for n in (20, 80)
    ]
    assert heights[0].max() - HIGH[2] == pytest.approx(heights[1].max() - HIGH[2], rel=0.02)


def test_heavy_gas_stays_above_the_ground():
    lying = plume("sulphur_hexafluoride", 5000, at=(0.0, 0.0, 0.2))
    heights = np.concatenate([lying.filaments(t).centre_m[:, 2] for t in (0.0, 3.0)])
    assert heights.min() >= 0
    assert np.median(heights) < 0.2


def test_gas_that_leaves_the_box_or_gets_old_is_dropped():
    fast = plume(wind=blowing(10.0)).filaments(5.0)
    assert len(fast.sigma_m) == pytest.approx(REACH_M / 10.0 * 20.0, abs=4)
    assert fast.centre_m[:, 0].max() < REACH_M + 10.0 * STEP_S + 0.1
    calm = plume(wind=blowing(0.0))
    for t_s in (0.0, 20.0):
        puffs = calm.filaments(t_s)
        assert len(puffs.sigma_m) == pytest.approx(PLUME_LEAD_S * 20.0, abs=2)
        oldest_s = (puffs.sigma_m.max() ** 2 - 0.04**2) / 1e-3
        assert oldest_s == pytest.approx(PLUME_LEAD_S, abs=0.2)


def test_nothing_is_more_than_pure_gas():
    burst = plume(rate_g_h=1e6, wind=blowing(0.0))
    assert burst.filaments(0.0).peak_ppm.max() == pytest.approx(1e6, rel=0.01)
    assert burst.concentration_ppm(HIGH, 0.0) <= 1e6
    puffs = burst.filaments(0.0)
    amount_m3 = 1e-6 * puffs.peak_ppm[0] * (2 * math.pi) ** 1.5 * puffs.sigma_m[0] ** 3
    assert amount_m3 == pytest.approx(burst.volume_m3_s / 20)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"rate_g_h": -1.0}, "release of methane: rate_g_h = -1: must be above 0"),
        ({"rate_g_h": math.nan}, "rate_g_h = nan"),
        ({"gas": "methan"}, "unknown gas 'methan'; did you mean 'methane'"),
        ({"at": (0.0, 0.0, -0.1)}, "below the ground"),
        ({"at": (math.nan, 0.0, 1.0)}, "must be finite"),
        ({"excess_k": -300.0}, "-280 degrees C is not above absolute zero"),
    ],
)
def test_impossible_releases_are_refused_in_one_line(keys, message):
    with pytest.raises(BadInputError, match=message) as refused:
        plume(**keys)
    assert "\n" not in str(refused.value)


class _Hole:
    """A field with a hole east of x = 1."""

    name = "measured wind"

    def sample(self, position_world_m, t_s):
        east = position_world_m[..., :1]
        return np.where(east > 1, np.nan, [1.0, 0.0, 0.0])


def test_a_wind_with_a_hole_is_refused_with_the_place():
    with pytest.raises(BytewingError, match=r"'measured wind' is not finite at position \(1\.[01]"):
        plume(wind=_Hole()).filaments(0.0)


def test_wind_with_a_lead_begins_earlier_with_the_same_gusts():
    config = WindConfig.model_validate({"mean_m_s": 2, "turbulence": 1})
    alone, led = Wind(config, 3, 10.0), Wind(config, 3, 10.0, lead_s=5.0)
    assert led.sample(np.zeros(3), -2.0) == pytest.approx(alone.sample(np.zeros(3), 3.0))
    assert not np.allclose(led.sample(np.zeros(3), -2.0), led.sample(np.zeros(3), -5.0))
    assert np.array_equal(alone.sample(np.zeros(3), -2.0), alone.sample(np.zeros(3), 0.0))
    assert led.sample(np.zeros(3), -9.0) == pytest.approx(alone.sample(np.zeros(3), 0.0))
