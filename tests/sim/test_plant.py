"""The compiled loop: Bullet's flight without Bullet, its battery, its sensors, and how it fails."""

import math
import re

import numpy as np
import pytest

from bytewing.foundation.errors import BadInputError, BytewingError
from bytewing.sim.airframe import AIRFRAMES, GRAVITY_M_S2, load_airframe
from bytewing.sim.autopilot import Autopilot
from bytewing.sim.clock import Clock
from bytewing.sim.dynamics import RotorDynamics
from bytewing.sim.frames import quaternion_from_euler, rotation_world_from_body
from bytewing.sim.navigation import Navigation, NavigationConfig
from bytewing.sim.pilot import HOVER, VelocityCommand
from bytewing.sim.plant import POSES, Plant, SimulationError
from bytewing.sim.randomise import uniform
from bytewing.sim.rigid_body import step_rigid_body
from bytewing.sim.scene import Scene
from bytewing.sim.world import World

AIRFRAME = load_airframe("crazyflie21")
SHIPPED = sorted(path.stem for path in AIRFRAMES.glob("*.toml"))
CLOCK = Clock()
START, YAW_RAD = [1.0, -2.0, 0.5], 0.3
STILL_AIR = np.zeros(3)
BREEZE = np.array([0.5, -1.0, 0.2])


def swerving(tick):
    """Return commands at every limit, changing every 0.7 s."""
    if tick // 700 % 2:
        return VelocityCommand(0.8, -0.5, 0.3, 2.0)
    return VelocityCommand(-0.6, 0.8, -0.2, -1.0)


def plant(airframe=AIRFRAME, *, navigation=None, position=START, yaw=YAW_RAD, **battery):
    return Plant(airframe, CLOCK, position, yaw, navigation=navigation, **battery)


def sensors(seed=1, noise_scale=1.0):
    config = NavigationConfig(noise_scale=uniform(noise_scale, noise_scale))
    return Navigation(config, CLOCK, seed)


@pytest.mark.parametrize("name", SHIPPED)
def test_it_flies_as_the_same_drone_does_on_bullets_body(name):
    airframe = load_airframe(name)
    ours = plant(airframe)
    rotors = RotorDynamics(airframe, CLOCK.tick_s, 1.0, True)
    rotors.reset(hover=True)
    autopilot = Autopilot(airframe, CLOCK)
    autopilot.reset(START[2], YAW_RAD)
    with World(Scene(objects=(), ground=None)) as world:
        world.add_drone(airframe.mass_kg, airframe.inertia_kg_m2, 0.07, 0.029, START, YAW_RAD)
        for tick in range(5000):
            state, command = world.drone_state(), swerving(tick)
            place, attitude = state.position_world_m, state.quaternion_xyzw
            velocity, rates = state.velocity_world_m_s, state.angular_velocity_body_rad_s
            speeds = autopilot.update(tick, place, attitude, velocity, rates, command)
            world.apply_wrench_body(
                *rotors.step(speeds, velocity, rates, attitude, place[2], BREEZE)
            )
            world.step()
            ours.advance(1, command, BREEZE)
        theirs = world.drone_state()
    assert np.linalg.norm(theirs.position_world_m - START) > 0.3  # it did go somewhere
    mine = ours.drone_state()
    # Measured: 1e-14. The two differ in how they order their sums.
    assert mine.position_world_m == pytest.approx(theirs.position_world_m, abs=1e-9)
    assert mine.velocity_world_m_s == pytest.approx(theirs.velocity_world_m_s, abs=1e-9)
    assert mine.angular_velocity_body_rad_s == pytest.approx(
        theirs.angular_velocity_body_rad_s, abs=1e-8
    )
    assert abs(mine.quaternion_xyzw @ theirs.quaternion_xyzw) == pytest.approx(1.0, abs=1e-12)
    assert ours.rotor_rpm == pytest.approx(rotors.rotor_rpm, abs=1e-5)


def test_how_ticks_are_cut_into_blocks_changes_not_a_bit():
    def flown(block):
        drone = plant(navigation=sensors(), state_of_charge=0.3)
        while drone.tick < 4200:
            drone.advance(block, swerving(drone.tick), BREEZE)
        poses = [drone.pose_before(ago_s).tobytes() for ago_s in (0.0, 0.0123, 0.06)]
        rest = (drone.rotor_rpm.tobytes(), drone.battery_v, drone.state_of_charge)
        return drone.state.tobytes(), drone.estimate.tobytes(), *poses, *rest

    assert flown(1) == flown(7) == flown(10) == flown(700)


def test_left_and_right_are_mirror_images():
    def flown(sign):
        drone = plant(position=[0, 0, 0.5], yaw=0.0)
        for _ in range(20):
            drone.advance(100, VelocityCommand(0.4, sign * 0.3, 0.1, sign * 1.0), STILL_AIR)
        return drone.state

    left, right = flown(1), flown(-1)
    assert left[[0, 2, 7, 9]] == pytest.approx(right[[0, 2, 7, 9]], abs=1e-6)
    assert left[[1, 8, 10, 12]] == pytest.approx(-right[[1, 8, 10, 12]], abs=1e-6)
    assert left[1] > 0.2


@pytest.mark.parametrize("name", SHIPPED)
def test_told_nothing_it_hovers_where_it_started(name):
    drone = plant(load_airframe(name))
    drone.advance(5000, HOVER, STILL_AIR)
    assert drone.state[:3] == pytest.approx(START, abs=2e-3)
    assert np.abs(drone.state[7:]).max() < 2e-3


# The body alone.


def body_step(state, tick_s, force=(0, 0, 0), torque=(0, 0, 0), inertia=AIRFRAME.inertia_kg_m2):
    wrench = np.array([*force, *torque], dtype=float)
    step_rigid_body(state, wrench, AIRFRAME.mass_kg, np.array(inertia), tick_s)


def tumbling(duration_s, tick_s):
    """Return the end of a tumble of an uneven body that a torque fixed in it drives."""
    state = np.array([0, 0, 0, 0, 0, 0, 1, 1, 0.5, 0.2, 2, 4, 6], dtype=float)
    for _ in range(round(duration_s / tick_s)):
        body_step(state, tick_s, (0, 0, 0.3), (1e-5, -2e-5, 1e-5), (1e-5, 2e-5, 2.5e-5))
    return state


def test_halving_the_tick_halves_the_error():
    truth = tumbling(0.5, 1e-5)
    errors = [np.abs(tumbling(0.5, tick_s) - truth).max() for tick_s in (2e-3, 1e-3, 5e-4)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx([1, 1], abs=0.1)
    assert errors[1] < 0.02


def test_nothing_pushes_a_body_in_free_fall_but_gravity():
    state = np.array([0, 0, 100, *quaternion_from_euler(0.4, 0.2, 1), 1, 2, 3, 0, 0, 5], float)
    for _ in range(1000):
        body_step(state, 1e-3)
    assert state[7:] == pytest.approx([1, 2, 3 - GRAVITY_M_S2, 0, 0, 5], abs=1e-9)
    # Semi-implicit Euler falls half a tick's speed further than the parabola.
    assert state[2] == pytest.approx(100 + 3 - GRAVITY_M_S2 / 2 * 1.001, abs=1e-9)
    assert np.linalg.norm(state[3:7]) == pytest.approx(1, abs=1e-12)


def test_a_tumble_keeps_its_angular_momentum_in_the_world():
    inertia = np.array([1e-5, 2e-5, 2.5e-5])
    state = np.array([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 4, 6], dtype=float)

    def momentum():
        return rotation_world_from_body(state[3:7]) @ (inertia * state[10:])

    before = momentum()
    for _ in range(5000):
        body_step(state, 1e-4, inertia=inertia)
    assert momentum() == pytest.approx(before, abs=2e-3 * np.linalg.norm(before))
    assert np.abs(state[10:] - [2, 4, 6]).min() > 0.1  # the body rates did change


# Battery.


def drained(drone, duration_s, command=HOVER):
    """Fly and return the charge drawn (A s), by summing the current of each tick."""
    charge = 0.0
    for _ in range(CLOCK.ticks(duration_s)):
        drone.advance(1, command, STILL_AIR)
        charge += drone.battery_a * CLOCK.tick_s
    return charge


def test_the_charge_that_is_gone_is_the_current_that_flowed():
    drone = plant()
    drawn_c = drained(drone, 3.0)
    assert (1 - drone.state_of_charge) * AIRFRAME.battery.capacity_c == pytest.approx(drawn_c)
    assert drawn_c > 5


def test_power_out_of_the_source_is_what_motors_electronics_and_resistance_take():
    battery = AIRFRAME.battery
    drone = plant()
    drone.advance(1000, HOVER, STILL_AIR)
    current_a = drone.battery_a
    lift_n = sum(AIRFRAME.rotors.thrust_n(rpm) for rpm in drone.rotor_rpm)
    taken_w = (
        battery.power_idle_w
        + battery.power_per_thrust_w_n * lift_n
        + battery.resistance_ohm * current_a**2
    )
    source_v = np.interp(drone.state_of_charge, np.linspace(0, 1, 11), battery.open_circuit_v)
    assert source_v * current_a == pytest.approx(taken_w, rel=1e-4)
    assert drone.battery_v == pytest.approx(source_v - battery.resistance_ohm * current_a, rel=1e-6)


def hover_s(airframe):
    """Return for how long a full battery carries the drone above the firmware's warning, s."""
    drone = plant(airframe, position=[0, 0, 10])
    while drone.battery_v > airframe.battery.low_v:
        drone.advance(1000, HOVER, STILL_AIR)
    assert drone.state[2] == pytest.approx(10, abs=0.02)
    return drone.tick * CLOCK.tick_s


def test_a_bare_crazyflie_flies_for_about_as_long_as_bitcraze_says():
    # Crazyflie 2.1 data sheet: 27 g, "flight time with stock battery: 7 minutes".
    assert hover_s(AIRFRAME.with_mass(0.027)) == pytest.approx(7 * 60, rel=0.1)
    assert hover_s(AIRFRAME) < 0.95 * hover_s(AIRFRAME.with_mass(0.027))


def test_voltage_sags_under_load_and_over_the_flight():
    drone = plant(position=[0, 0, 10])
    hovering_v = drone.battery_v
    drone.advance(150, VelocityCommand(0, 0, 1, 0), STILL_AIR)
    assert hovering_v < AIRFRAME.battery.open_circuit_v[-1] - 0.2
    assert drone.battery_v < hovering_v - 0.02
    drone.advance(100_000, HOVER, STILL_AIR)
    assert drone.battery_v < hovering_v - 0.1


def test_a_nearly_empty_battery_lowers_the_thrust_there_is():
    def strongest_n(**battery):
        rotors = RotorDynamics(AIRFRAME, CLOCK.tick_s, **battery)
        level = np.array([0.0, 0.0, 0.0, 1.0])
        for _ in range(1000):
            force, _ = rotors.step(np.full(4, 1e9), STILL_AIR, STILL_AIR, level, 10.0, STILL_AIR)
        return force[2]

    full = strongest_n(battery_sags=True)
    assert full == pytest.approx(4 * AIRFRAME.rotors.thrust_max_n, rel=1e-4)
    low = strongest_n(battery_sags=True, state_of_charge=0.01)
    assert AIRFRAME.weight_n < low < 0.9 * full
    assert strongest_n(battery_sags=False, state_of_charge=0.01) == pytest.approx(full)


def test_an_ideal_source_stays_full_and_an_empty_battery_carries_nothing():
    ideal = plant(battery_sags=False, state_of_charge=0.2)
    ideal.advance(20_000, HOVER, STILL_AIR)
    assert ideal.state_of_charge == 1.0
    assert ideal.battery_v == AIRFRAME.battery.open_circuit_v[-1]
    empty = plant(position=[0, 0, 10], state_of_charge=0.001)
    empty.advance(3000, HOVER, STILL_AIR)
    assert empty.state_of_charge == 0.0
    assert empty.state[9] < -5


# Sensors, poses, and what cannot go on.


def test_the_autopilot_acts_on_what_the_sensors_say():
    def flown(navigation):
        drone = plant(navigation=navigation)
        for _ in range(60):
            drone.advance(100, swerving(drone.tick), STILL_AIR)
        return drone

    truth, ideal = flown(None), flown(sensors(noise_scale=0.0))
    noisy, other = flown(sensors(seed=1)), flown(sensors(seed=2))
    assert np.abs(ideal.state[:3] - truth.state[:3]).max() < 0.06
    assert np.abs(ideal.estimate[:3] - ideal.state[:3]).max() < 0.06
    errors = [np.abs(drone.estimate[:2] - drone.state[:2]).max() for drone in (noisy, other)]
    assert 1e-3 < min(errors) <= max(errors) < 0.6
    assert np.abs(noisy.state[:3] - other.state[:3]).max() > 1e-3
    # The estimate is of the last tick, and without sensors it is the truth of then.
    before = truth.state.copy()
    truth.advance(1, HOVER, STILL_AIR)
    assert np.array_equal(truth.estimate, before)


def test_poses_of_the_past_are_those_it_had():
    drone = plant()
    assert drone.pose_before(0.1) == pytest.approx(drone.state[:7])  # it stood at its start
    flown = []
    for tick in range(300):
        flown.append(drone.state[:7].copy())
        drone.advance(1, swerving(tick), STILL_AIR)
    assert drone.pose_before(0.0) == pytest.approx(drone.state[:7], abs=1e-15)
    for ago in (1, 25, POSES - 2):
        assert drone.pose_before(ago * 1e-3) == pytest.approx(flown[-ago], abs=1e-9)
    between = drone.pose_before(2.5e-3)
    assert between[:3] == pytest.approx((flown[-2] + flown[-3])[:3] / 2, abs=1e-12)
    assert np.linalg.norm(between[3:]) == pytest.approx(1)
    for ago_s in (-1e-3, POSES * 1e-3):
        with pytest.raises(ValueError, match="poses are kept"):
            drone.pose_before(ago_s)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_state_that_is_not_finite_stops_the_flight_and_says_when(bad):
    drone = plant()
    drone.advance(123, HOVER, STILL_AIR)
    with pytest.raises(SimulationError, match=re.escape("tick 124 (0.124 s)")):
        drone.advance(10, HOVER, np.array([bad, 0.0, 0.0]))
    assert drone.tick == 124


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_command_that_is_not_a_number_is_refused(bad):
    drone = plant()
    with pytest.raises(BytewingError, match="tick 0 is not a number"):
        drone.advance(10, VelocityCommand(0, 0, 0, bad), STILL_AIR)


def test_another_take_off_mass_is_checked_like_the_airframes_own():
    heavier = AIRFRAME.with_mass(0.035)
    assert heavier.mass_kg == 0.035
    assert heavier.hover_rpm > AIRFRAME.hover_rpm
    with pytest.raises(BadInputError, match=r"crazyflie21.*cannot hover"):
        AIRFRAME.with_mass(0.05)
