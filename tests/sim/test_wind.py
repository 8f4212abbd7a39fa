"""Wind: the statistics MIL-F-8785C asks for, a mean, a gust, and nothing at all when still."""

import math

import numpy as np
import pytest

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError, BytewingError
from bytewing.sim.fields.field import Field, sample_finite
from bytewing.sim.fields.wind import Wind, WindConfig, intensities_m_s, scale_lengths_m

ORIGIN = np.zeros(3)
LONG_S = 4000.0
MEAN_M_S = 4.0


def wind(seed=1, duration_s=40.0, **keys):
    return Wind(WindConfig.model_validate(keys), seed, duration_s)


def series(field, duration_s, step_s=0.01):
    times = np.arange(round(duration_s / step_s)) * step_s
    return np.array([field.sample(ORIGIN, t) for t in times])


@pytest.fixture(scope="module")
def gusts():
    """Turbulence of a 4 m/s wind to the east, 400000 instants: along, left, up."""
    field = wind(duration_s=LONG_S, mean_m_s=MEAN_M_S, direction_deg=0, turbulence=1)
    return series(field, LONG_S) - field.mean_world_m_s


def spectrum(values, step_s, segment):
    """Return frequencies (rad/s) and the one-sided density of a series (Welch, Hann)."""
    window = np.hanning(segment)
    pieces = values[: len(values) // segment * segment].reshape(-1, segment)
    power = np.abs(np.fft.rfft(pieces * window, axis=1)) ** 2
    density = 2 * power.mean(axis=0) * step_s / np.sum(window**2) / (2 * np.pi)
    return 2 * np.pi * np.fft.rfftfreq(segment, step_s), density


def test_still_air_by_default_is_exactly_zero():
    field = wind()
    for t in (0.0, 2.5, 39.99, 1e6):
        assert field.sample(ORIGIN, t).tobytes() == np.zeros(3).tobytes()


def test_mean_blows_where_it_is_told():
    assert wind(mean_m_s=2, direction_deg=90).sample(ORIGIN, 3.0) == pytest.approx([0, 2, 0])
    assert wind(mean_m_s=2, direction_deg=180).sample(ORIGIN, 3.0) == pytest.approx([-2, 0, 0])


def test_intensities_and_scales_at_ten_feet_are_the_specifications():
    # Worked by hand: 0.177 + 0.000823 * 10 = 0.18523; ^0.4 = 0.5093; ^1.2 = 0.1321.
    assert intensities_m_s(10.0) == pytest.approx((1.963, 1.0), rel=1e-3)
    assert scale_lengths_m() == pytest.approx((23.07, 3.048), rel=1e-3)


def test_variances_are_those_of_the_specification(gusts):
    horizontal, vertical = intensities_m_s(MEAN_M_S)
    # 4000 s hold some 350 correlation times (5.8 s) along and left, 2600 up: errors of 5 and 2 %.
    assert gusts[:, 0].std() == pytest.approx(horizontal, rel=0.2)
    assert gusts[:, 1].std() == pytest.approx(horizontal, rel=0.2)
    assert gusts[:, 2].std() == pytest.approx(vertical, rel=0.08)


def test_variance_is_right_from_the_first_instant_and_whatever_the_scale():
    for mean_m_s in (0.05, 4.0):
        starts = np.array(
            [
                w.sample(ORIGIN, 0.0) - w.mean_world_m_s
                for w in (
                    wind(seed, 0.1, mean_m_s=mean_m_s, direction_deg=0, turbulence=1)
                    for seed in range(400)
                )
            ]
        )
        horizontal, vertical = intensities_m_s(mean_m_s)
        expected = np.array([horizontal, horizontal, vertical])
        assert starts.std(axis=0) / expected == pytest.approx(np.ones(3), abs=0.15)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_spectrum_is_drydens(gusts, axis):
    omega, density = spectrum(gusts[:, axis], 0.01, 8192)
    horizontal, vertical = intensities_m_s(MEAN_M_S)
    sigma = vertical if axis == 2 else horizontal
    lag_s = scale_lengths_m()[1 if axis == 2 else 0] / MEAN_M_S
    if axis == 0:
        dryden = sigma**2 * 2 * lag_s / np.pi / (1 + (lag_s * omega) ** 2)
    else:
        dryden = (
            sigma**2
            * lag_s
            / np.pi
            * (1 + 3 * (lag_s * omega) ** 2)
            / (1 + (lag_s * omega) ** 2) ** 2
        )
    # Bands of an octave average many bins over 48 segments; the window blurs the lowest bins and
    # interpolation between instants has no part below 30 rad/s.
    for low in (0.4, 0.8, 1.6, 3.2, 6.4, 12.8):
        band = (omega >= low) & (omega < 2 * low)
        assert density[band].mean() == pytest.approx(dryden[band].mean(), rel=0.3), low


def test_along_wind_gusts_fade_with_the_scale_over_the_speed(gusts):
    lag = round(scale_lengths_m()[0] / MEAN_M_S / 0.01)
    along = gusts[:, 0] - gusts[:, 0].mean()
    correlation = np.mean(along[lag:] * along[:-lag]) / np.mean(along**2)
    assert correlation == pytest.approx(math.exp(-1), abs=0.15)


def test_axes_gust_independently_and_turn_with_the_wind(gusts):
    assert np.abs(np.corrcoef(gusts[:, 0], gusts[:, 1])[0, 1]) < 0.2
    assert np.abs(np.corrcoef(gusts[:, 0], gusts[:, 2])[0, 1]) < 0.1
    east, north = (
        wind(mean_m_s=3, direction_deg=towards, turbulence=1).sample(ORIGIN, 5.0)
        for towards in (0, 90)
    )
    assert north == pytest.approx([-east[1], east[0], east[2]])


def test_step_gust_comes_at_its_time_and_leaves():
    field = wind(step_m_s=3, step_at_s=5, step_length_s=2)
    assert not field.sample(ORIGIN, 4.999).any()
    for t in (5.0, 6.0, 6.999):
        assert np.linalg.norm(field.sample(ORIGIN, t)) == pytest.approx(3.0)
        assert field.sample(ORIGIN, t)[2] == 0
    assert not field.sample(ORIGIN, 7.0).any()
    directions = {wind(seed, step_m_s=3).step_world_m_s.tobytes() for seed in range(8)}
    assert len(directions) == 8


def test_sampling_is_pure_and_the_seed_decides():
    field = wind(mean_m_s=2, turbulence=1, step_m_s=1)
    forwards = [field.sample(ORIGIN, t).tobytes() for t in (0.0, 2.503, 9.0)]
    backwards = [field.sample(ORIGIN, t).tobytes() for t in (9.0, 2.503, 0.0)]
    assert forwards == backwards[::-1]
    again = wind(mean_m_s=2, turbulence=1, step_m_s=1)
    assert again.sample(ORIGIN, 2.503).tobytes() == forwards[1]
    other = wind(seed=2, mean_m_s=2, turbulence=1, step_m_s=1)
    assert other.sample(ORIGIN, 2.503).tobytes() != forwards[1]


def test_between_two_instants_the_wind_goes_straight():
    field = wind(mean_m_s=2, turbulence=1)
    before, middle, after = (field.sample(ORIGIN, t) for t in (2.5, 2.505, 2.51))
    assert middle == pytest.approx((before + after) / 2)
    assert not np.allclose(before, after, rtol=1e-6)


def test_a_caller_cannot_change_the_wind_through_an_answer():
    field = wind(mean_m_s=2, turbulence=1)
    answer = field.sample(ORIGIN, 1.0)
    before = answer.copy()
    answer += 5.0
    assert np.array_equal(field.sample(ORIGIN, 1.0), before)


def test_turbulence_and_step_do_not_change_each_others_draws():
    steps = [
        wind(mean_m_s=2, turbulence=turbulence, step_m_s=1).step_world_m_s for turbulence in (0, 1)
    ]
    assert np.array_equal(*steps)
    calm, stepped = (
        wind(mean_m_s=2, turbulence=1, step_m_s=step).sample(ORIGIN, 1.0) for step in (0, 4)
    )
    assert np.array_equal(calm, stepped)  # before the step
    # A longer flight begins as a shorter one does.
    short, long = (wind(duration_s=s, mean_m_s=2, turbulence=1) for s in (10.0, 60.0))
    assert np.array_equal(short.sample(ORIGIN, 7.0), long.sample(ORIGIN, 7.0))


def test_ranges_are_drawn_per_flight():
    means = [np.linalg.norm(wind(seed, 1.0, mean_m_s=[1, 3]).mean_world_m_s) for seed in range(50)]
    assert min(means) >= 1
    assert max(means) <= 3
    assert np.std(means) > 0.3


def test_many_positions_at_once_get_the_same_wind():
    field = wind(mean_m_s=2, turbulence=1)
    positions = np.zeros((4, 5, 3))
    answer = field.sample(positions, 3.0)
    assert answer.shape == positions.shape
    assert np.array_equal(answer[2, 3], field.sample(ORIGIN, 3.0))


def test_after_its_duration_the_wind_stays():
    field = wind(duration_s=5.0, mean_m_s=2, turbulence=1)
    assert field.sample(ORIGIN, 6.0) == pytest.approx(field.sample(ORIGIN, 600.0))


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"mean_m_s": -1}, "mean_m_s"),
        ({"mean_m_s": [3, 1]}, "mean_m_s"),
        ({"mean_m_s": 300}, "mean_m_s"),
        ({"turbulence": -0.5}, "turbulence"),
        ({"step_at_s": -1}, "step_at_s"),
        ({"step_length_s": "long"}, "step_length_s"),
        ({"mean_m_s": math.nan}, "mean_m_s"),
        ({"mean": 1}, "mean"),
    ],
)
def test_impossible_winds_are_refused_by_key(data, key):
    with pytest.raises(BadInputError, match=f"scenario.toml: .*'{key}"):
        parse(WindConfig, data, "scenario.toml")


class _Hole:
    """A field with a hole east of x = 1."""

    name = "measured wind"

    def sample(self, position_world_m, t_s):
        return np.where(position_world_m[0] > 1, np.nan, 0.0) * np.ones(3)


def test_not_a_number_in_a_field_says_where_and_when():
    field: Field = _Hole()
    assert not sample_finite(field, ORIGIN, 1.0).any()
    with pytest.raises(
        BytewingError, match=r"'measured wind'.*\(2\.000, 0\.000, 0\.500\).*1\.250 s"
    ):
        sample_finite(field, np.array([2.0, 0.0, 0.5]), 1.25)
