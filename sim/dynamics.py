"""Forces and torques of the rotors and the air on a quadrotor's body.

A rotor follows its command with a first-order lag, gives a thrust that grows with the square of its
speed, and turns the body against its own sense of rotation: by the drag of its blades and by its
change of speed. The body is slowed by a drag linear in its airspeed. Near the ground thrust grows.

Gravity, integration and contacts are the physics engine's. Nothing here knows of it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.airframe import Airframe
from sim.frames import rotation_world_from_body

Vector = NDArray[np.float64]

RAD_S_PER_RPM = 2 * math.pi / 60


class RotorDynamics:
    """The four rotors of one drone, stepped once a tick.

    Attributes:
        rotor_rpm: (4,) speeds at the end of the last tick, in the airframe's order of rotors.
    """

    def __init__(self, airframe: Airframe, tick_s: float) -> None:
        rotors, ground = airframe.rotors, airframe.ground_effect
        self._hover_rpm = airframe.hover_rpm
        # Flat arrays: one call into compiled code a tick, with few arguments to unpack.
        self._geometry = np.column_stack([rotors.position_body_m, rotors.spin_sign])
        self._drag_n_s_m = np.array(airframe.drag_n_s_m)
        self._constants = np.array(
            [
                tick_s,
                rotors.time_constant_s,
                rotors.speed_max_rpm,
                rotors.thrust_coefficient_n_rpm2,
                rotors.torque_per_thrust_m,
                rotors.inertia_kg_m2,
                ground.coefficient * (rotors.radius_m / 4) ** 2,
                ground.height_min_m,
            ]
        )
        self.rotor_rpm = np.zeros(4)

    def reset(self, hover: bool) -> None:
        """Set the rotors to hover speed, or to rest."""
        self.rotor_rpm = np.full(4, self._hover_rpm if hover else 0.0)

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
        force, torque, self.rotor_rpm = _step(
            self.rotor_rpm,
            motor_command,
            velocity_world,
            omega_body,
            quaternion,
            height_m,
            wind_world,
            self._geometry,
            self._drag_n_s_m,
            self._constants,
        )
        return force, torque


@njit(cache=True)
def lagged_speed(
    speed: float, command: float, time_constant_s: float, duration_s: float
) -> tuple[float, float]:
    """Return the end and the mean square of a first-order lag towards a constant command.

    Both exact, so that the impulse a rotor gives does not depend on the length of the tick.

    >>> end, mean_square = lagged_speed(2.0, 2.0, 0.1, 0.001)
    >>> end, round(mean_square, 12)
    (2.0, 4.0)
    """
    ratio = duration_s / time_constant_s
    start_offset = speed - command
    end_offset = start_offset * math.exp(-ratio)
    mean_square = (
        command * command
        + 2 * command * (start_offset - end_offset) / ratio
        + (start_offset * start_offset - end_offset * end_offset) / (2 * ratio)
    )
    return command + end_offset, mean_square


@njit(cache=True)
def _step(
    rotor_rpm: Vector,
    motor_command: Vector,
    velocity_world: Vector,
    omega_body: Vector,
    quaternion: Vector,
    height_m: float,
    wind_world: Vector,
    geometry: Vector,
    drag_n_s_m: Vector,
    constants: Vector,
) -> tuple[Vector, Vector, Vector]:
    (
        tick_s,
        time_constant_s,
        speed_max_rpm,
        thrust_coefficient,
        torque_per_thrust_m,
        rotor_inertia,
        ground_gain_m2,
        ground_height_min_m,
    ) = constants
    rotation = rotation_world_from_body(quaternion)

    force = np.zeros(3)
    for axis in range(3):
        airspeed = 0.0
        for k in range(3):
            airspeed += rotation[k, axis] * (velocity_world[k] - wind_world[k])
        force[axis] = -drag_n_s_m[axis] * airspeed

    torque = np.zeros(3)
    rpm_after = np.empty(4)
    angular_momentum = 0.0
    for rotor in range(4):
        x, y, spin = geometry[rotor]
        command = min(max(motor_command[rotor], 0.0), speed_max_rpm)
        before = rotor_rpm[rotor]
        after, mean_square = lagged_speed(before, command, time_constant_s, tick_s)
        free_air_thrust = thrust_coefficient * mean_square

        thrust = free_air_thrust
        if rotation[2, 2] > 0:  # upside down the jet points up and meets no ground
            rotor_height = height_m + rotation[2, 0] * x + rotation[2, 1] * y
            thrust *= 1 + ground_gain_m2 / max(rotor_height, ground_height_min_m) ** 2

        force[2] += thrust
        torque[0] += y * thrust
        torque[1] -= x * thrust
        # The ground raises the lift of the blades, not their drag (as in gym-pybullet-drones).
        shaft_torque = (
            torque_per_thrust_m * free_air_thrust
            + rotor_inertia * (after - before) * RAD_S_PER_RPM / tick_s
        )
        torque[2] -= spin * shaft_torque
        angular_momentum += spin * rotor_inertia * 0.5 * (before + after) * RAD_S_PER_RPM
        rpm_after[rotor] = after

    # Turning the rotors' angular momentum along with the body takes a torque: -omega x (0, 0, h).
    torque[0] -= omega_body[1] * angular_momentum
    torque[1] += omega_body[0] * angular_momentum
    return force, torque, rpm_after
