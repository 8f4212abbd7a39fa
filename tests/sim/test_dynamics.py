"""Invariants of the rotor model, alone and integrated; never a second copy of its formulas."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bytewing.sim.airframe import GRAVITY_M_S2, load_airframe
from bytewing.sim.bullet import pybullet
from bytewing.sim.dynamics import RAD_S_PER_RPM, RotorDynamics
from bytewing.sim.frames import quaternion_from_euler, rotation_world_from_body

AIRFRAME = load_airframe("crazyflie21")
TICK_S = 1e-3
LEVEL = np.array([0.0, 0.0, 0.0, 1.0])
STILL = np.zeros(3)
HIGH_M = 100.0
M1, M2, M3, M4 = range(4)  # front right, back right, back left, front left

angle = st.floats(-3.0, 3.0)
speed = st.floats(-5.0, 5.0)
rpm = st.floats(0.0, 22000.0)


def changed(**rotors):
    return AIRFRAME.model_copy(update={"rotors": AIRFRAME.rotors.model_copy(update=rotors)})


def steady(
    rotor_rpm, airframe=AIRFRAME, velocity=STILL, omega=STILL, quaternion=LEVEL, height_m=HIGH_M,
    wind=STILL,
):  # fmt: skip
    """Return force and torque while the rotors keep these speeds."""
    rotors = RotorDynamics(airframe, TICK_S)
    rotors.rotor_rpm[:] = rotor_rpm
    return rotors.step(rotors.rotor_rpm.copy(), velocity, omega, quaternion, height_m, wind)


def hovering(**faster):
    """Return hover speeds with some rotors at 1.05 times that."""
    speeds = np.full(4, AIRFRAME.hover_rpm)
    for name in faster["faster"]:
        speeds[name] *= 1.05
    return speeds


def test_at_hover_speed_the_rotors_carry_the_weight_and_turn_nothing():
    force, torque = steady(hovering(faster=[]))
    assert force == pytest.approx([0, 0, AIRFRAME.mass_kg * GRAVITY_M_S2], rel=1e-4)
    assert np.abs(torque).max() < 1e-12


def test_at_rest_in_still_air_nothing_acts():
    force, torque = steady(np.zeros(4), height_m=0.0)
    assert not force.any()
    assert not torque.any()


@pytest.mark.parametrize(
    ("faster", "roll", "pitch", "yaw"),
    [
        ([M3, M4], +1, 0, 0),  # left side up
        ([M1, M2], -1, 0, 0),
        ([M2, M3], 0, +1, 0),  # tail up, nose down
        ([M1, M4], 0, -1, 0),
        ([M2, M4], 0, 0, +1),  # clockwise rotors turn the body counter-clockwise
        ([M1, M3], 0, 0, -1),
    ],
)
def test_faster_rotors_turn_the_body_the_right_way(faster, roll, pitch, yaw):
    _, torque = steady(hovering(faster=faster))
    assert np.sign(np.round(torque, 12)).tolist() == [roll, pitch, yaw]


def test_lever_of_a_side_is_the_arm():
    left, _ = steady(hovering(faster=[M3, M4]))
    base, _ = steady(hovering(faster=[]))
    _, torque = steady(hovering(faster=[M3, M4]))
    assert torque[0] / (left[2] - base[2]) == pytest.approx(0.03253, rel=1e-6)


def test_yaw_torque_of_an_imbalance_has_the_size_of_the_measured_ratio():
    base, _ = steady(hovering(faster=[]))
    force, torque = steady(hovering(faster=[M2, M4]))
    # Bitcraze measured 7.35 mm between reaction torque and thrust (legacy propellers).
    assert torque[2] == pytest.approx(7.35e-3 * (force[2] - base[2]), rel=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.tuples(rpm, rpm, rpm, rpm), speed, speed, angle, angle)
def test_mirrored_left_to_right_the_wrench_is_mirrored(speeds, side_m_s, roll_rate, roll, yaw):
    force, torque = steady(
        speeds,
        velocity=np.array([1.0, side_m_s, 0.3]),
        omega=np.array([roll_rate, 0.7, -0.4]),
        quaternion=quaternion_from_euler(roll, 0.2, yaw),
        height_m=0.1,
    )
    mirrored_force, mirrored_torque = steady(
        [speeds[M4], speeds[M3], speeds[M2], speeds[M1]],
        velocity=np.array([1.0, -side_m_s, 0.3]),
        omega=np.array([-roll_rate, 0.7, 0.4]),
        quaternion=quaternion_from_euler(-roll, 0.2, -yaw),
        height_m=0.1,
    )
    assert mirrored_force == pytest.approx(force * [1, -1, 1], abs=1e-12)
    assert mirrored_torque == pytest.approx(torque * [-1, 1, -1], abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.tuples(speed, speed, speed), st.tuples(speed, speed, speed), angle, angle, angle)
def test_air_takes_energy_and_acts_on_airspeed_only(velocity, wind, roll, pitch, yaw):
    velocity, wind = np.array(velocity), np.array(wind)
    quaternion = quaternion_from_euler(roll, pitch, yaw)
    force, _ = steady(np.zeros(4), velocity=velocity, quaternion=quaternion)
    drag_world = rotation_world_from_body(quaternion) @ force
    assert drag_world @ velocity <= 0
    assert drag_world @ velocity < -0.9 * 0.0128 * velocity @ velocity + 1e-12
    carried, _ = steady(np.zeros(4), velocity=velocity + wind, quaternion=quaternion, wind=wind)
    assert carried == pytest.approx(force, abs=1e-12)


def thrust_gain(height_m, quaternion=LEVEL):
    speeds = hovering(faster=[])
    near, _ = steady(speeds, height_m=height_m, quaternion=quaternion)
    far, _ = steady(speeds, height_m=1e6, quaternion=quaternion)
    return near[2] / far[2] - 1


def test_ground_effect_adds_thrust_near_the_ground_and_vanishes_with_height():
    gains = [thrust_gain(h) for h in (0.02, 0.05, 0.1, 0.2, 0.5, 2.0)]
    assert all(lower > higher > 0 for lower, higher in pairwise(gains))
    assert 0.02 < thrust_gain(0.1) < 0.06
    assert thrust_gain(0.5) < 0.002
    assert thrust_gain(0.0) == thrust_gain(-1.0) == pytest.approx(4 / 15, rel=0.01)
    assert thrust_gain(0.05, quaternion_from_euler(np.pi, 0.0, 0.0)) == 0


def test_ground_effect_lifts_the_lower_side():
    for roll in (-0.3, 0.3):
        _, torque = steady(
            hovering(faster=[]), height_m=0.08, quaternion=quaternion_from_euler(roll, 0, 0)
        )
        assert torque[0] * roll < 0


def spin_up(tick_s, duration_s, airframe=AIRFRAME, start=10000.0, command=20000.0):
    """Return final speeds and the impulses of force and torque."""
    rotors = RotorDynamics(airframe, tick_s)
    rotors.rotor_rpm[:] = start
    force_impulse, torque_impulse = np.zeros(3), np.zeros(3)
    commands = np.array([command, start, command, start])  # the counter-clockwise pair
    for _ in range(round(duration_s / tick_s)):
        force, torque = rotors.step(commands, STILL, STILL, LEVEL, HIGH_M, STILL)
        force_impulse += force * tick_s
        torque_impulse += torque * tick_s
    return rotors.rotor_rpm, force_impulse, torque_impulse


def test_a_rotor_covers_63_percent_of_a_step_in_one_time_constant():
    speeds, _, _ = spin_up(TICK_S, 0.086)
    assert (speeds[M1] - 10000) / 10000 == pytest.approx(1 - np.exp(-1), abs=1e-9)
    assert speeds[M2] == pytest.approx(10000)
    for start, command in [(0.0, 22000.0), (22000.0, 0.0)]:
        speeds, _, _ = spin_up(TICK_S, 1.0, start=start, command=command)
        assert speeds[M1] == pytest.approx(command, abs=1.0)


def test_speeding_up_and_slowing_down_have_time_constants_of_their_own():
    uneven = changed(time_constant_up_s=0.05, time_constant_down_s=0.2)
    up, _, _ = spin_up(TICK_S, 0.05, airframe=uneven, start=10000.0, command=20000.0)
    down, _, _ = spin_up(TICK_S, 0.2, airframe=uneven, start=20000.0, command=10000.0)
    assert (up[M1] - 10000) / 10000 == pytest.approx(1 - np.exp(-1), abs=1e-9)
    assert (20000 - down[M1]) / 10000 == pytest.approx(1 - np.exp(-1), abs=1e-9)


def test_thrust_may_have_a_linear_part_and_never_pulls_down():
    plus = load_airframe("crazyflie21plus")
    speeds = np.array([1000.0, 10000.0, 20000.0, plus.hover_rpm])
    thrusts = np.array([steady(np.full(4, rpm), airframe=plus)[0][2] / 4 for rpm in speeds])
    assert thrusts[0] == 0.0
    assert thrusts[3] == pytest.approx(plus.weight_n / 4, rel=1e-6)
    # Over the speed, thrust is a straight line that does not go through the origin.
    low, high = thrusts[1] / speeds[1], thrusts[2] / speeds[2]
    assert low - (high - low) == pytest.approx(plus.rotors.thrust_linear_n_rpm, rel=1e-6)
    for thrust_n in (0.0, 0.05, 0.12):
        rotors = plus.rotors
        assert rotors.thrust_n(rotors.speed_rpm(thrust_n)) == pytest.approx(thrust_n, abs=1e-12)


def test_what_the_rotors_give_does_not_depend_on_the_length_of_the_tick():
    for coarse, fine in zip(spin_up(4e-3, 0.2), spin_up(0.5e-3, 0.2), strict=True):
        assert coarse == pytest.approx(fine, rel=1e-9, abs=1e-15)


def test_a_rotor_that_speeds_up_turns_the_body_back_by_its_own_angular_momentum():
    inertia = AIRFRAME.rotors.inertia_kg_m2
    speeds, _, torque_impulse = spin_up(TICK_S, 0.2)
    _, _, without = spin_up(TICK_S, 0.2, airframe=changed(inertia_kg_m2=0.0))
    gained = 2 * inertia * (speeds[M1] - 10000) * RAD_S_PER_RPM
    assert torque_impulse[2] - without[2] == pytest.approx(-gained, rel=1e-9)


def test_gyroscopic_torque_of_the_rotors_does_no_work():
    omega = np.array([3.0, -2.0, 1.0])
    speeds = [20000.0, 12000.0, 20000.0, 12000.0]  # more angular momentum up than down
    _, turning = steady(speeds, omega=omega)
    _, still = steady(speeds)
    gyroscopic = turning - still
    assert np.abs(gyroscopic[:2]).min() > 1e-6
    assert gyroscopic @ omega == pytest.approx(0, abs=1e-18)
    # A roll about +x turns the upward angular momentum towards -y; the body gives that and so gets
    # a torque about +y.
    _, rolled = steady(speeds, omega=np.array([1.0, 0.0, 0.0]))
    assert rolled[1] > 0


@pytest.mark.parametrize("command", [1e9, -1e9])
def test_speed_and_thrust_are_bounded_whatever_is_commanded(command):
    rotors = RotorDynamics(AIRFRAME, TICK_S)
    rotors.reset(hover=True)
    for _ in range(2000):
        force, _ = rotors.step(np.full(4, command), STILL, STILL, LEVEL, HIGH_M, STILL)
        assert rotors.rotor_rpm.min() >= 0
        assert 0 <= force[2] <= 4 * 0.12 * (1 + 1e-6)
    assert force[2] == pytest.approx(4 * 0.12 if command > 0 else 0, abs=1e-6)


# The rotors on a rigid body: an integrator of a higher order, and PyBullet's.


def derivative(state, force_body, torque_body):
    """Newton and Euler; state is position, quaternion, velocity (world), body rates."""
    x, y, z, w = state[3:7]
    omega, inertia = state[10:], np.array(AIRFRAME.inertia_kg_m2)
    a, b, c = omega
    spin = [w * a + y * c - z * b, w * b + z * a - x * c, w * c + x * b - y * a]
    acceleration = rotation_world_from_body(state[3:7]) @ force_body / AIRFRAME.mass_kg
    acceleration[2] -= GRAVITY_M_S2
    alpha = (torque_body - np.cross(omega, inertia * omega)) / inertia
    quaternion_rate = 0.5 * np.array([*spin, -x * a - y * b - z * c])
    return np.concatenate([state[7:10], quaternion_rate, acceleration, alpha])


def runge_kutta(state, force, torque, dt):
    k1 = derivative(state, force, torque)
    k2 = derivative(state + dt / 2 * k1, force, torque)
    k3 = derivative(state + dt / 2 * k2, force, torque)
    k4 = derivative(state + dt * k3, force, torque)
    state = state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    state[3:7] /= np.linalg.norm(state[3:7])
    return state


def initial_state(height_m=HIGH_M, velocity=STILL, omega=STILL):
    return np.concatenate([[0, 0, height_m], LEVEL, velocity, omega])


def integrate(state, commands, duration_s, tick_s=TICK_S, hover=True):
    """Return the states (N, 13) of a flight with constant rotor commands."""
    rotors = RotorDynamics(AIRFRAME, tick_s)
    rotors.reset(hover)
    states = [state]
    for _ in range(round(duration_s / tick_s)):
        force, torque = rotors.step(commands, state[7:10], state[10:], state[3:7], state[2], STILL)
        state = runge_kutta(state, force, torque, tick_s)
        states.append(state)
    return np.array(states)


def integrate_in_pybullet(state, commands, duration_s, tick_s):
    """Return the last state of the same flight on a PyBullet body."""
    client = pybullet.connect(pybullet.DIRECT)
    try:
        pybullet.setGravity(0, 0, -GRAVITY_M_S2, physicsClientId=client)
        pybullet.setTimeStep(tick_s, physicsClientId=client)
        shape = pybullet.createCollisionShape(
            pybullet.GEOM_CYLINDER, radius=0.07, height=0.029, physicsClientId=client
        )
        body = pybullet.createMultiBody(
            AIRFRAME.mass_kg, shape, -1, state[:3], state[3:7], physicsClientId=client
        )
        pybullet.changeDynamics(
            body,
            -1,
            localInertiaDiagonal=AIRFRAME.inertia_kg_m2,
            linearDamping=0,
            angularDamping=0,
            physicsClientId=client,
        )
        rotation = rotation_world_from_body(state[3:7])
        pybullet.resetBaseVelocity(body, state[7:10], rotation @ state[10:], physicsClientId=client)
        rotors = RotorDynamics(AIRFRAME, tick_s)
        rotors.reset(hover=True)
        for _ in range(round(duration_s / tick_s)):
            force, torque = rotors.step(
                commands, state[7:10], state[10:], state[3:7], state[2], STILL
            )
            pybullet.applyExternalForce(
                body, -1, force, [0, 0, 0], pybullet.LINK_FRAME, physicsClientId=client
            )
            pybullet.applyExternalTorque(
                body, -1, torque, pybullet.LINK_FRAME, physicsClientId=client
            )
            pybullet.stepSimulation(physicsClientId=client)
            position, quaternion = pybullet.getBasePositionAndOrientation(
                body, physicsClientId=client
            )
            velocity, omega = pybullet.getBaseVelocity(body, physicsClientId=client)
            rotation = rotation_world_from_body(np.array(quaternion))
            state = np.concatenate([position, quaternion, velocity, rotation.T @ omega])
        return state
    finally:
        pybullet.disconnect(client)


def test_hover_trim_holds_height_within_a_millimetre():
    flight = integrate(initial_state(), np.full(4, AIRFRAME.hover_rpm), 2.0)
    assert np.abs(flight[:, 2] - HIGH_M).max() < 1e-3
    assert np.abs(flight[:, [0, 1]]).max() < 1e-9


def test_free_fall_starts_with_gravity_and_ends_at_terminal_velocity():
    flight = integrate(initial_state(height_m=1000.0), np.zeros(4), 12.0, hover=False)
    assert flight[100, 9] == pytest.approx(-GRAVITY_M_S2 * 0.1, rel=0.03)
    # At terminal velocity drag carries the weight: the identified 0.0128 N s/m gives 24.4 m/s.
    assert flight[-1, 9] == pytest.approx(-24.4, rel=0.01)


def test_energy_does_not_grow_without_rotors():
    start = initial_state(velocity=np.array([2.0, -1.0, 3.0]), omega=np.array([8.0, 5.0, -3.0]))
    flight = integrate(start, np.zeros(4), 2.0, hover=False)
    kinetic = AIRFRAME.mass_kg * (flight[:, 7:10] ** 2).sum(axis=1) / 2
    rotation = (np.array(AIRFRAME.inertia_kg_m2) * flight[:, 10:] ** 2).sum(axis=1) / 2
    energy = kinetic + rotation + AIRFRAME.mass_kg * GRAVITY_M_S2 * flight[:, 2]
    assert np.diff(energy).max() < 1e-12
    assert energy[-1] < energy[0] - 0.01


def test_a_yaw_imbalance_turns_the_drone_in_place():
    spread = AIRFRAME.hover_rpm * np.sqrt([0.95, 1.05, 0.95, 1.05])  # the same lift in all
    flight = integrate(initial_state(), spread, 0.5)
    assert flight[-1, 12] > 1.0
    assert np.abs(flight[:, 10:12]).max() < 1e-9
    assert np.abs(flight[-1, :2]).max() < 1e-9


def test_pybullets_step_converges_to_the_same_flight():
    # All three axes at once, fast enough that gyroscopic coupling shows.
    commands = AIRFRAME.hover_rpm * np.array([1.00, 1.03, 1.06, 1.05])
    start = initial_state(velocity=np.array([1.0, 0.5, 0.2]), omega=np.array([2.0, 4.0, 6.0]))
    truth = integrate(start, commands, 0.4, tick_s=1e-4)[-1]
    errors = []
    for tick_s in (2e-3, 1e-3, 0.5e-3):
        end = integrate_in_pybullet(start, commands, 0.4, tick_s)
        end[3:7] *= np.sign(end[3:7] @ truth[3:7])
        errors.append(np.abs(end - truth).max())
    assert np.abs(truth[3:6]).min() > 0.1  # it did tumble
    assert errors[1] < 0.05
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (order > 0.8).all(), (errors, order)
