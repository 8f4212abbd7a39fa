"""The metal-oxide sensor: GADEN's curve, and a lag that no step width changes."""

import math

import numpy as np
import pytest

from bytewing.sim.sensors.mox import MetalOxide, MetalOxideConfig

QUIET = MetalOxideConfig(noise=0.0)


def after(seconds, ppm, steps=1, start_ppm=0.0):
    sensor = MetalOxide(QUIET, seed=0)
    if start_ppm:
        sensor.step(start_ppm, 1e6)
    for _ in range(steps):
        sensor.step(ppm, seconds / steps)
    return sensor.resistance


def test_clean_air_reads_one():
    assert after(100.0, 0.0) == 1.0


def test_ten_times_the_gas_is_a_constant_factor():
    sensor = MetalOxide(QUIET, seed=0)
    assert sensor.settled(1000.0) == pytest.approx(38.46 * 1000.0**-0.4289 / 8.8)
    assert sensor.settled(1000.0) / sensor.settled(100.0) == pytest.approx(10**-0.4289)


def test_gas_below_its_threshold_is_not_felt():
    sensor = MetalOxide(QUIET, seed=0)
    assert sensor.settled(30.0) == 1.0
    assert sensor.settled(33.0) < 1.0


def test_time_constants():
    settled = after(1e6, 500.0)
    risen = 1.0 - (1.0 - settled) * (1.0 - math.exp(-1.0))
    assert after(3.44, 500.0) == pytest.approx(risen)
    fallen = 1.0 - (1.0 - settled) * math.exp(-1.0)
    assert after(6.35, 0.0, start_ppm=500.0) == pytest.approx(fallen)


@pytest.mark.parametrize(("ppm", "start_ppm"), [(500.0, 0.0), (0.0, 500.0)])
def test_the_step_does_not_matter(ppm, start_ppm):
    assert after(2.0, ppm, 50, start_ppm) == pytest.approx(after(2.0, ppm, 1, start_ppm), rel=1e-12)


def test_noise_is_a_share_of_the_reading_and_repeats():
    def readings(seed):
        sensor = MetalOxide(MetalOxideConfig(), seed)
        sensor.step(500.0, 1e6)
        return np.array([sensor.step(500.0, 0.04) for _ in range(2000)])

    one = readings(1)
    assert one.std() / one.mean() == pytest.approx(0.003, rel=0.1)
    assert np.array_equal(one, readings(1))
    assert not np.array_equal(one, readings(2))
