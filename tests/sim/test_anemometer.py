"""The wind estimate: true on average over many flights, off by noise and a slow bias in one."""

import numpy as np
import pytest

from bytewing.sim.sensors.anemometer import Anemometer, AnemometerConfig

WIND = np.array([1.0, -0.5, 0.3])


def readings(config, seed, indices):
    sensor = Anemometer(config, seed)
    return np.array([sensor.measure(WIND, index) for index in indices])


def test_without_errors_it_is_the_wind():
    config = AnemometerConfig(noise_m_s=0.0, bias_m_s=0.0)
    assert readings(config, 0, [0, 7]).tolist() == [[1.0, -0.5]] * 2


def test_noise_is_white():
    off = readings(AnemometerConfig(bias_m_s=0.0), 1, range(4000)) - WIND[:2]
    assert off.std(axis=0) == pytest.approx(0.1, rel=0.05)
    assert abs(np.corrcoef(off[1:, 0], off[:-1, 0])[0, 1]) < 0.05
    assert abs(np.corrcoef(off[:, 0], off[:, 1])[0, 1]) < 0.05


@pytest.mark.parametrize("index", [0, 300, 375, 1000])
def test_the_bias_is_as_large_at_any_time(index):
    config = AnemometerConfig(noise_m_s=0.0)
    off = [readings(config, seed, [index])[0] - WIND[:2] for seed in range(500)]
    assert np.std(off) == pytest.approx(0.1, rel=0.1)
    assert abs(np.mean(off)) < 0.015


def test_the_bias_is_slow():
    series = readings(AnemometerConfig(noise_m_s=0.0), 3, range(3000))
    assert np.abs(np.diff(series, axis=0)).max() < 0.002
    assert np.ptp(series[:, 0]) > 0.02


def test_a_reading_depends_on_its_number_only():
    forwards = readings(AnemometerConfig(), 5, range(20))
    backwards = readings(AnemometerConfig(), 5, range(19, -1, -1))
    assert np.array_equal(forwards, backwards[::-1])
