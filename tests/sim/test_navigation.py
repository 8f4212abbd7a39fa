"""What the drone believes: true with ideal sensors, wrong in the right way with real ones."""

import math
from functools import cache

import numpy as np
import pytest
from scipy.special import ndtri

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError
from bytewing.sim.airframe import GRAVITY_M_S2
from bytewing.sim.clock import Clock
from bytewing.sim.frames import (
    euler_from_quaternion,
    quaternion_from_euler,
    rotation_world_from_body,
)
from bytewing.sim.navigation import FLOW, Navigation, NavigationConfig, observe
from bytewing.sim.noise import noise_key, standard_normal
from bytewing.sim.sensors import flow, height, imu

CLOCK = Clock()
TICK_S = CLOCK.tick_s
SEEDS = range(40)

# Every single source of error, switched off.
SILENT = {
    "gyro": {"noise_density_deg_s_rthz": 0, "bias_deg_s": 0, "bias_walk_deg_s_rts": 0},
    "accelerometer": {"noise_density_mg_rthz": 0, "bias_mg": 0},
    "flow": {"noise_counts": 0, "quantum_counts": 0},
    "height": {"noise_m": 0, "quantum_m": 0},
}
SOURCES = [(sensor, key) for sensor, keys in SILENT.items() for key in keys]


def only(sensor=None, key=None, value=None):
    """Return ideal sensors but for one source of error."""
    tables = {name: dict(keys) for name, keys in SILENT.items()}
    if sensor is not None:
        tables[sensor][key] = value
    return NavigationConfig.model_validate(tables)


@cache
def manoeuvre(duration_s=8.0):
    """Return states (N, 13) and specific forces (N, 3): banking, turning and bobbing from rest."""
    ticks = round(duration_s / TICK_S)
    states, forces = np.zeros((ticks, 13)), np.zeros((ticks, 3))
    position, velocity = np.array([1.0, -2.0, 0.5]), np.zeros(3)
    attitude = quaternion_from_euler(0.0, 0.0, 1.0)
    for tick in range(ticks):
        t = (tick + 1) * TICK_S
        rotation = rotation_world_from_body(attitude)
        lift = (GRAVITY_M_S2 + 0.5 * math.cos(3 * t)) / rotation[2, 2]
        forces[tick] = 0.0, 0.0, lift
        velocity = velocity + (rotation[:, 2] * lift - [0, 0, GRAVITY_M_S2]) * TICK_S
        position = position + velocity * TICK_S
        after = quaternion_from_euler(
            math.radians(10) * math.sin(3 * t), math.radians(-8) * math.sin(4 * t), 1.0 + 0.7 * t
        )
        x, y, z, w = attitude
        back = np.array([[w, z, -y, -x], [-z, w, x, -y], [y, -x, w, -z]])
        states[tick] = [*position, *after, *velocity, *(2 * back @ after / TICK_S)]
        attitude = after
    return states, forces


@cache
def hover(duration_s, height_m=0.5):
    ticks = round(duration_s / TICK_S)
    state = np.array([0, 0, height_m, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], dtype=float)
    return np.tile(state, (ticks, 1)), np.tile([0.0, 0.0, GRAVITY_M_S2], (ticks, 1))


def believed(config, seed, truth, yaw_rad=0.0, navigation=None):
    """Return the estimates (N, 13) of one flight."""
    states, forces = truth
    navigation = navigation or Navigation(config, CLOCK, seed)
    estimate = navigation.start(states[0, :3], yaw_rad)
    estimates = np.empty_like(states)
    for tick, (state, force) in enumerate(zip(states, forces, strict=True)):
        observe(tick, navigation.rng, state, force, navigation.params, navigation.memory, estimate)
        estimates[tick] = estimate
    return estimates


def attitude_error_deg(estimates, states):
    """Return (N,) angles between believed and true attitude."""
    overlap = np.abs(np.sum(estimates[:, 3:7] * states[:, 3:7], axis=1))
    return np.degrees(2 * np.arccos(np.minimum(overlap, 1.0)))


def test_ideal_sensors_tell_the_truth_in_a_manoeuvre():
    states, forces = manoeuvre()
    estimates = believed(only(), 1, (states, forces), yaw_rad=1.0)
    # The low passes lag by 3 ms (gyro) and 7 ms (accelerometer), times 40 deg/s and 2 m/s2.
    assert attitude_error_deg(estimates, states).max() < 0.3
    error = np.abs(estimates - states)
    assert error[:, 7:10].max() < 0.02
    assert error[:, 2].max() < 0.003
    assert error[:, :2].max() < 0.05
    assert np.degrees(error[100:, 10:].max()) < 0.5  # once the filters have filled
    assert np.abs(states[:, 7:9]).max() > 0.5  # the manoeuvre is one


def test_scale_zero_makes_any_sensor_ideal():
    truth = manoeuvre(1.0)
    config = NavigationConfig.model_validate({"noise_scale": 0})
    assert np.array_equal(believed(config, 1, truth), believed(only(), 2, truth))


def test_the_scale_multiplies_the_error():
    truth = hover(4.0)
    error = {
        scale: np.linalg.norm(
            believed(NavigationConfig.model_validate({"noise_scale": scale}), 3, truth)[:, 7:10]
        )
        for scale in (0.5, 1.0)
    }
    assert 1.6 < error[1.0] / error[0.5] < 2.4  # twice, but for the rounding of the readings


def test_same_seed_same_bytes_and_start_forgets_the_past():
    truth = manoeuvre(1.0)
    navigation = Navigation(NavigationConfig(), CLOCK, 5)
    first = believed(None, 5, truth, navigation=navigation)
    again = believed(None, 5, truth, navigation=navigation)
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() == believed(NavigationConfig(), 5, truth).tobytes()
    assert first.tobytes() != believed(NavigationConfig(), 6, truth).tobytes()


@pytest.mark.parametrize(("sensor", "key"), SOURCES)
def test_no_source_of_error_is_a_no_op(sensor, key):
    default = getattr(getattr(NavigationConfig(), sensor), key)
    truth = manoeuvre(2.0)
    ideal = believed(only(), 1, truth, yaw_rad=1.0)
    disturbed = believed(only(sensor, key, default), 1, truth, yaw_rad=1.0)
    assert np.abs(disturbed - ideal).max() > 1e-5  # rounding is below 1e-12


def test_noise_of_one_sensor_leaves_the_others_alone():
    truth = hover(1.0)
    rates = believed(NavigationConfig(), 1, truth)[:, 10:]
    for sensor, key in SOURCES:
        config = NavigationConfig.model_validate({sensor: {key: 0.0}})
        same = np.array_equal(believed(config, 1, truth)[:, 10:], rates)
        assert same == (sensor != "gyro"), (sensor, key)
    keys = np.concatenate([Navigation(NavigationConfig(), CLOCK, seed).rng for seed in (1, 2)])
    assert len(set(keys.tolist())) == len(keys)


def test_gyro_noise_has_the_density_of_the_data_sheet():
    config = only("gyro", "noise_density_deg_s_rthz", 0.014)
    rates = np.degrees(believed(config, 1, hover(20.0))[200:, 10:])
    # A second-order Butterworth at 80 Hz passes the noise of 1.11 times its cut-off.
    assert rates.std() == pytest.approx(0.014 * math.sqrt(1.11 * 80), rel=0.06)


def yaw_errors_deg(config, duration_s):
    truth = hover(duration_s)
    ends = [believed(config, seed, truth)[-1] for seed in SEEDS]
    return np.array([math.degrees(euler_from_quaternion(end[3:7])[2]) for end in ends])


def test_yaw_drifts_as_its_bias_and_its_walk_say():
    # Deviations of 40 seeds are within a third of the true one (four standard errors: 0.45).
    biased = yaw_errors_deg(only("gyro", "bias_deg_s", 0.05), 4.0)
    assert 0.6 < biased.std() / (0.05 * 4.0) < 1.45
    short = yaw_errors_deg(only("gyro", "bias_deg_s", 0.05), 2.0)
    assert biased == pytest.approx(2 * short, rel=0.02)  # each yaw runs away in a straight line

    walked = yaw_errors_deg(only("gyro", "bias_walk_deg_s_rts", 0.1), 4.0)
    assert 0.6 < walked.std() / (0.1 * math.sqrt(4.0**3 / 3)) < 1.45

    noisy = yaw_errors_deg(only("gyro", "noise_density_deg_s_rthz", 0.2), 4.0)
    assert 0.6 < noisy.std() / (0.2 * math.sqrt(4.0 / 2)) < 1.45


def test_the_accelerometer_sets_what_is_level_and_weighs_one_g_at_rest():
    starts = [
        Navigation(only("accelerometer", "bias_mg", 20), CLOCK, seed).start(np.zeros(3), 0.3)
        for seed in SEEDS
    ]
    tilts = np.array([euler_from_quaternion(start[3:7])[:2] for start in starts])
    assert 0.7 < tilts.std() / 0.020 < 1.35  # 20 mg are 20 mrad; 80 samples
    biased = only("accelerometer", "bias_mg", 20)
    # Without readings of the height nothing would hide a weight that is off by 20 mg.
    blind = biased.model_copy(update={"height": biased.height.model_copy(update={"rate_hz": 0.1})})
    estimates = believed(blind, 4, hover(5.0))
    assert np.abs(estimates[:, 7:10]).max() < 0.002  # at rest by its own lights: nothing to correct


def test_flow_finds_a_wrong_tilt_and_without_it_the_tilt_stays():
    config = only()
    for reads_flow in (True, False):
        navigation = Navigation(config, CLOCK, 1)
        states, forces = hover(6.0)
        estimate = navigation.start(states[0, :3], 0.0)
        navigation.memory[3:7] = quaternion_from_euler(math.radians(3), math.radians(-2), 0.0)
        if not reads_flow:
            navigation.params[12] = 1e9  # a reading every million seconds
        for tick, (state, force) in enumerate(zip(states, forces, strict=True)):
            observe(
                tick, navigation.rng, state, force, navigation.params, navigation.memory, estimate
            )
        roll, pitch, _ = np.degrees(euler_from_quaternion(estimate[3:7]))
        if reads_flow:
            assert abs(roll) < 0.05
            assert abs(pitch) < 0.05
            assert np.abs(estimate[7:9]).max() < 0.005
        else:
            assert (roll, pitch) == pytest.approx((3, -2), abs=0.01)
            assert np.abs(estimate[7:9]).max() > 1.0


def test_height_finds_a_wrong_climb_rate():
    navigation = Navigation(only(), CLOCK, 1)
    states, forces = hover(2.0)
    estimate = navigation.start(states[0, :3] + [0, 0, 0.2], 0.0)
    navigation.memory[9] = 0.3
    for tick, (state, force) in enumerate(zip(states, forces, strict=True)):
        observe(tick, navigation.rng, state, force, navigation.params, navigation.memory, estimate)
    assert estimate[2] == pytest.approx(0.5, abs=1e-4)
    assert estimate[9] == pytest.approx(0.0, abs=1e-3)


def hover_error(config, height_m, axis):
    return believed(config, 2, hover(20.0, height_m))[2000:, axis]


def test_velocity_is_worse_the_higher_the_drone_flies():
    config = only("flow", "noise_counts", 2.0)
    low, high = (hover_error(config, height_m, slice(7, 9)).std() for height_m in (0.5, 1.5))
    # A reading's error grows with height, the filter's bandwidth falls with its root: h^(3/4).
    assert 1.7 < high / low < 3.0
    # The settled filter's error, if only the readings err: a quarter more or less.
    assert low == pytest.approx(0.033, rel=0.25)


def test_height_noise_grows_as_the_rangers_does():
    noise = {distance: height.noise_growth(distance) for distance in (0.5, 2.5, 4.0)}
    assert noise[0.5] == pytest.approx(1.0, abs=0.01)
    assert noise[2.5] == pytest.approx(2.0)
    assert noise[4.0] == pytest.approx(81.0)
    config = only("height", "noise_m", 0.0025)
    near, far = (hover_error(config, height_m, 2).std() for height_m in (0.5, 3.0))
    assert near < 0.0025  # filtered
    assert far > 1.5 * near


def test_position_drifts_and_height_does_not():
    ends = {
        duration_s: np.array(
            [believed(NavigationConfig(), seed, hover(duration_s))[-1] for seed in range(24)]
        )
        for duration_s in (3.0, 12.0)
    }
    drift = {t: end[:, :2].std() for t, end in ends.items()}
    assert drift[12.0] > 1.5 * drift[3.0]
    assert np.abs(ends[12.0][:, 2] - 0.5).max() < 0.01


def test_flow_readings_are_whole_and_lose_no_motion():
    key = noise_key(1, "unused")
    moved, total = 0.0, 0.0
    for sample in range(100):
        moved += 0.37
        reading, moved = flow.counted(moved, 0.0, 1.0, key, sample)
        assert reading == round(reading)
        total += reading
    assert abs(total - 37.0) <= 0.5


def test_ranger_does_not_see_small_tilts_and_rounds_to_its_quantum():
    assert height.slant(math.cos(math.radians(7))) == 1.0
    assert height.slant(math.cos(math.radians(17.5))) == pytest.approx(
        1 / math.cos(math.radians(10))
    )
    assert height.ranged(0.5004, 0.0, 0.001, noise_key(1, "unused"), 0) == pytest.approx(0.5)


def test_upside_down_it_flies_on_the_gyro_alone():
    states, forces = (array.copy() for array in hover(1.0))
    states[:, 3:7] = 1, 0, 0, 0
    forces[:, 2] *= -1
    navigation = Navigation(NavigationConfig(), CLOCK, 1)
    estimate = navigation.start(states[0, :3], 0.0)
    navigation.memory[3:7] = states[0, 3:7]
    before = navigation.memory[2]
    for tick, (state, force) in enumerate(zip(states, forces, strict=True)):
        observe(tick, navigation.rng, state, force, navigation.params, navigation.memory, estimate)
    assert np.isfinite(estimate).all()
    assert estimate[2] != before
    assert attitude_error_deg(estimate[None], states[:1])[0] < 5


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"gyro": {"noise_density_deg_s_rthz": -1}}, "gyro.noise_density_deg_s_rthz"),
        ({"flow": {"noise_counts": -0.1}}, "flow.noise_counts"),
        ({"height": {"noise_m": "much"}}, "height.noise_m"),
        ({"noise_scale": [2, 1]}, "noise_scale"),
        ({"noise_scale": -1}, "noise_scale"),
        ({"accelerometer": {"bias_g": 1}}, "accelerometer.bias_g"),
        ({"gyro": {"low_pass_hz": 0}}, "gyro.low_pass_hz"),
    ],
)
def test_impossible_sensors_are_refused_by_key(data, message):
    with pytest.raises(BadInputError, match=message):
        parse(NavigationConfig, data, "scenario.toml")


@pytest.mark.parametrize("sensor", ["flow", "height"])
def test_a_rate_that_does_not_divide_the_base_rate_names_its_key(sensor):
    config = NavigationConfig.model_validate({sensor: {"rate_hz": 300}})
    with pytest.raises(BadInputError, match=f"navigation.{sensor}.rate_hz"):
        Navigation(config, CLOCK, 1)


def test_a_low_pass_halves_the_power_at_its_cut_off_and_starts_settled():
    b0, a1, a2 = imu.low_pass_coefficients(80.0, 1000.0)
    memory = np.zeros(2)
    imu.settle(memory, 0, b0, a2, 3.0)
    assert imu.low_passed(memory, 0, b0, a1, a2, 3.0) == pytest.approx(3.0)

    wave = np.sin(2 * math.pi * 80.0 * np.arange(2000) * TICK_S)
    passed = np.array([imu.low_passed(memory, 0, b0, a1, a2, value) for value in wave])[1000:]
    assert np.mean(passed**2) / np.mean(wave[1000:] ** 2) == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("sensor", ["gyro", "accelerometer"])
def test_both_low_passes_are_in_the_loop(sensor):
    ideal = believed(only(), 1, manoeuvre(), yaw_rad=1.0)
    slow = believed(only(sensor, "low_pass_hz", 5.0), 1, manoeuvre(), yaw_rad=1.0)
    cells = slice(10, 13) if sensor == "gyro" else slice(7, 10)
    assert np.abs(slow - ideal)[100:, cells].max() > 0.005


def test_a_slower_flow_sensor_is_read_less_often():
    config = NavigationConfig.model_validate({"flow": {"rate_hz": 50}})
    estimates = believed(config, 1, hover(1.0))
    jumps = np.abs(np.diff(estimates[:, 7])) > 1e-3
    assert set(np.flatnonzero(jumps) % 20) <= {19}
    assert jumps.any()


def test_noise_is_gaussian_white_and_a_function_of_key_and_index():
    keys = [noise_key(1, name) for name in ("a", "b")]
    one, other = (np.array([standard_normal(key, n) for n in range(40_000)]) for key in keys)
    assert abs(one.mean()) < 0.02  # four standard errors
    assert one.std() == pytest.approx(1.0, abs=0.015)
    assert np.mean(one**4) == pytest.approx(3.0, abs=0.2)
    assert abs(np.mean(one[1:] * one[:-1])) < 0.02
    assert abs(np.mean(one * other)) < 0.02
    probabilities = np.array([0.001, 0.05, 0.5, 0.9, 0.9999])
    assert np.quantile(one, probabilities[1:4]) == pytest.approx(
        ndtri(probabilities[1:4]), abs=0.04
    )
    assert one[::-1][0] == standard_normal(keys[0], 39_999)


def test_the_quantile_is_right_into_the_tails():
    from bytewing.sim.noise import _normal_quantile

    for probability in (1e-15, 1e-9, 1e-3, 0.0749, 0.0751, 0.3, 0.5, 0.77, 0.95, 1 - 1e-6):
        assert _normal_quantile(probability) == pytest.approx(ndtri(probability), abs=1e-5)


def test_the_flow_key_belongs_to_the_flow():
    """Changing the flow's key changes velocities and no rate: the order of the keys is right."""
    truth = hover(1.0)
    navigation = Navigation(NavigationConfig(), CLOCK, 1)
    before = believed(None, 1, truth, navigation=navigation)
    navigation.rng[FLOW] += np.uint64(1)
    after = believed(None, 1, truth, navigation=navigation)
    assert np.array_equal(before[:, 10:], after[:, 10:])
    assert not np.array_equal(before[:, 7:9], after[:, 7:9])
