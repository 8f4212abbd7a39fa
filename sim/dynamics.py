"""Forces and torques of rotors and air on a quadrotor's body, and its battery.

A rotor follows its command with a first-order lag, gives a thrust that grows with its speed, and
turns the body against its own sense of rotation: by the drag of its blades and by its change of
speed. The body is slowed by a drag linear in its airspeed. Near the ground thrust grows.

The battery is a voltage behind a resistance. The firmware's compensation keeps thrust as commanded
until the motors are at full duty, so its voltage shows in one thing: how fast a rotor can turn.

Gravity, integration and contacts are others' (``bytewing.sim.rigid_body``, ``bytewing.sim.world``).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytewing.sim.airframe import Airframe
from bytewing.sim.compiled import compiled
from bytewing.sim.frames import turned

Vector = NDArray[np.float64]

RAD_S_PER_RPM = 2 * math.pi / 60

# Cells of ``Battery.state``.
CHARGE, VOLTAGE, CURRENT = range(3)


class Rotors(NamedTuple):
    """The four rotors, as compiled code takes them.

    Attributes:
        geometry: (4, 3) x and y in the body frame (m) and spin sign of each rotor.
        constants: (13,) in the order in which ``step_rotors`` unpacks them.
        speed_rpm: (4,) speeds at the end of the last tick; ``step_rotors`` writes them.
    """

    geometry: Vector
    constants: Vector
    speed_rpm: Vector


class Battery(NamedTuple):
    """The battery, as compiled code takes it.

    Attributes:
        open_circuit_v: (N,) voltages without load at equidistant states of charge, empty to full.
        constants: (7,) as ``step_battery`` and ``speed_limit`` read them.
        state: (3,) state of charge, voltage (V) and current (A); ``step_battery`` writes them.
    """

    open_circuit_v: Vector
    constants: Vector
    state: Vector


class RotorDynamics:
    """The four rotors and the battery of one drone, stepped once a tick.

    Attributes:
        rotors: the rotors, in the airframe's order.
        battery: the battery.
    """

    def __init__(
        self,
        airframe: Airframe,
        tick_s: float,
        state_of_charge: float = 1.0,
        battery_sags: bool = False,
    ) -> None:
        rotors, ground, battery = airframe.rotors, airframe.ground_effect, airframe.battery
        self._hover_rpm = airframe.hover_rpm
        constants = np.array(
            [
                tick_s,
                rotors.time_constant_up_s,
                rotors.time_constant_down_s,
                rotors.speed_max_rpm,
                rotors.thrust_linear_n_rpm,
                rotors.thrust_coefficient_n_rpm2,
                rotors.torque_per_thrust_m,
                rotors.inertia_kg_m2,
                ground.coefficient * (rotors.radius_m / 4) ** 2,
                ground.height_min_m,
                *airframe.drag_n_s_m,
            ]
        )
        geometry = np.column_stack([rotors.position_body_m, rotors.spin_sign])
        self.rotors = Rotors(geometry, constants, np.zeros(4))
        battery_constants = np.array(
            [
                tick_s,
                # An ideal source: always full, nothing lost inside.
                battery.capacity_c if battery_sags else math.inf,
                battery.resistance_ohm if battery_sags else 0.0,
                battery.power_idle_w,
                battery.power_per_thrust_w_n,
                rotors.speed_at_0_v_rpm,
                rotors.speed_per_volt_rpm,
            ]
        )
        charge = state_of_charge if battery_sags else 1.0
        self.battery = Battery(
            np.array(battery.open_circuit_v), battery_constants, np.array([charge, 0.0, 0.0])
        )
        self._wrench = np.zeros(6)
        # Voltage and current as they are in a hover.
        step_battery(airframe.weight_n, self.battery)
        self.battery.state[CHARGE] = charge

    @property
    def rotor_rpm(self) -> Vector:
        """(4,) rotor speeds at the end of the last tick, in the airframe's order."""
        return self.rotors.speed_rpm

    def reset(self, hover: bool) -> None:
        """Set the rotors to hover speed, or to rest."""
        self.rotor_rpm[:] = self._hover_rpm if hover else 0.0

    def step(
        self,
        motor_command: Vector,
        velocity_world: Vector,
        omega_body: Vector,
        quaternion: Vector,
        height_m: float,
        wind_world: Vector,
    ) -> tuple[Vector, Vector]:
        """Advance the rotors by one tick and return what acts on the body during it.

        Args:
            motor_command: (4,) commanded rotor speeds, rpm; clipped to [0, full speed].
            velocity_world: (3,) of the centre of mass, m/s.
            omega_body: (3,) angular velocity, rad/s.
            quaternion: (4,) x, y, z, w, body to world.
            height_m: of the centre of mass above the ground.
            wind_world: (3,) velocity of the air, m/s.

        Returns:
            Force (3,) in N through the centre of mass and torque (3,) in N m, both in body axes and
            averaged over the tick, without gravity.
        """
        state = np.empty(13)
        state[:3] = 0.0, 0.0, height_m
        state[3:7], state[7:10], state[10:] = quaternion, velocity_world, omega_body
        step_powered_rotors(
            state,
            motor_command,
            wind_world,
            self.rotors,
            self.battery,
            self._wrench,
        )
        return self._wrench[:3].copy(), self._wrench[3:].copy()


@compiled
def lagged_speed(
    speed: float, command: float, time_constant_s: float, duration_s: float
) -> tuple[float, float, float]:
    """Return the end, the mean and the mean square of a first-order lag to a constant command.

    All exact, so that the impulse a rotor gives does not depend on the length of the tick.

    >>> end, mean, mean_square = lagged_speed(2.0, 2.0, 0.1, 0.001)
    >>> end, mean, round(mean_square, 12)
    (2.0, 2.0, 4.0)
    """
    ratio = duration_s / time_constant_s
    start_offset = speed - command
    end_offset = start_offset * math.exp(-ratio)
    mean_offset = (start_offset - end_offset) / ratio
    mean_square = (
        command * command
        + 2 * command * mean_offset
        + (start_offset * start_offset - end_offset * end_offset) / (2 * ratio)
    )
    return command + end_offset, command + mean_offset, mean_square


@compiled
def step_rotors(
    state: Vector,
    motor_command: Vector,
    speed_limit_rpm: float,
    wind_world: Vector,
    rotors: Rotors,
    wrench_body: Vector,
) -> float:
    """Advance the rotors by one tick.

    Args:
        state: (13,) laid out as in ``bytewing.sim.rigid_body``.
        motor_command: (4,) commanded rotor speeds, rpm; clipped to [0, full speed].
        speed_limit_rpm: the highest speed that the battery's voltage allows.
        wind_world: (3,) velocity of the air, m/s.
        rotors: their speeds are written.
        wrench_body: (6,) written: force (N) and torque (N m) in body axes, without gravity.

    Returns:
        The thrust (N) that all rotors would give in free air, which decides the power they take.
    """
    geometry, rotor_rpm = rotors.geometry, rotors.speed_rpm
    (
        tick_s,
        time_constant_up_s,
        time_constant_down_s,
        speed_max_rpm,
        thrust_linear,
        thrust_quadratic,
        torque_per_thrust_m,
        rotor_inertia,
        ground_gain_m2,
        ground_height_min_m,
        drag_x,
        drag_y,
        drag_z,
    ) = rotors.constants
    qx, qy, qz, qw = state[3], state[4], state[5], state[6]
    air_x, air_y, air_z = turned(
        -qx,
        -qy,
        -qz,
        qw,
        state[7] - wind_world[0],
        state[8] - wind_world[1],
        state[9] - wind_world[2],
    )
    # How much of a body's axis points up in the world: last row of the rotation.
    up_x, up_y, up_z = 2 * (qx * qz - qw * qy), 2 * (qy * qz + qw * qx), 1 - 2 * (qx**2 + qy**2)

    highest = min(speed_max_rpm, speed_limit_rpm)
    total = lift = roll = pitch = yaw = angular_momentum = 0.0
    for rotor in range(4):
        x, y, spin = geometry[rotor, 0], geometry[rotor, 1], geometry[rotor, 2]
        command = min(max(motor_command[rotor], 0.0), highest)
        before = rotor_rpm[rotor]
        lag_s = time_constant_up_s if command > before else time_constant_down_s
        after, mean, mean_square = lagged_speed(before, command, lag_s, tick_s)
        free_air_thrust = max(thrust_linear * mean + thrust_quadratic * mean_square, 0.0)

        thrust = free_air_thrust
        if up_z > 0:  # upside down the jet points up and meets no ground
            rotor_height = state[2] + up_x * x + up_y * y
            thrust *= 1 + ground_gain_m2 / max(rotor_height, ground_height_min_m) ** 2

        total += free_air_thrust
        lift += thrust
        roll += y * thrust
        pitch -= x * thrust
        # The ground raises the lift of the blades, not their drag (as in gym-pybullet-drones).
        yaw -= spin * (
            torque_per_thrust_m * free_air_thrust
            + rotor_inertia * (after - before) * RAD_S_PER_RPM / tick_s
        )
        angular_momentum += spin * rotor_inertia * 0.5 * (before + after) * RAD_S_PER_RPM
        rotor_rpm[rotor] = after

    wrench_body[0] = -drag_x * air_x
    wrench_body[1] = -drag_y * air_y
    wrench_body[2] = lift - drag_z * air_z
    # Turning the rotors' angular momentum along with the body takes a torque: -omega x (0, 0, h).
    wrench_body[3] = roll - state[11] * angular_momentum
    wrench_body[4] = pitch + state[10] * angular_momentum
    wrench_body[5] = yaw
    return total


@compiled
def step_battery(thrust_n: float, battery: Battery) -> None:
    """Drain the battery for one tick in which the rotors give ``thrust_n``."""
    open_circuit_v, constants, state = battery.open_circuit_v, battery.constants, battery.state
    tick_s, capacity_c, resistance_ohm, power_idle_w, power_per_thrust = constants[:5]
    last = len(open_circuit_v) - 1
    place = min(max(state[CHARGE], 0.0), 1.0) * last
    below = min(int(place), last - 1)
    source_v = open_circuit_v[below] + (place - below) * (
        open_circuit_v[below + 1] - open_circuit_v[below]
    )
    # Power P through a resistance R: v = source - R P / v. Beyond the most a source can give, at
    # half its voltage, it gives that.
    power_w = power_idle_w + power_per_thrust * thrust_n
    root = math.sqrt(max(source_v * source_v - 4 * resistance_ohm * power_w, 0.0))
    state[VOLTAGE] = 0.5 * (source_v + root)
    state[CURRENT] = power_w / state[VOLTAGE]
    state[CHARGE] = max(state[CHARGE] - state[CURRENT] * tick_s / capacity_c, 0.0)


@compiled
def speed_limit(battery: Battery) -> float:
    """Return the rotor speed (rpm) at full duty; 0 for an empty battery."""
    if battery.state[CHARGE] <= 0.0:
        return 0.0
    limit: float = battery.constants[5] + battery.constants[6] * battery.state[VOLTAGE]
    return limit


@compiled
def step_powered_rotors(
    state: Vector,
    motor_command: Vector,
    wind_world: Vector,
    rotors: Rotors,
    battery: Battery,
    wrench_body: Vector,
) -> None:
    """Advance rotors and battery by one tick.

    The battery's voltage at the end of the tick before limits the rotors' speed. The arguments are
    those of ``step_rotors``.
    """
    limit = speed_limit(battery)
    thrust = step_rotors(state, motor_command, limit, wind_world, rotors, wrench_body)
    step_battery(thrust, battery)
