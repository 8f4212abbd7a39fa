"""The drone as it flies by itself between two events: sensors, autopilot, rotors, body, compiled.

Each base tick: the sensors are read and the estimate advanced (``bytewing.sim.navigation``), the
autopilot's loops that are due run on it (``bytewing.sim.autopilot``), rotors and battery follow
(``bytewing.sim.dynamics``), and the body moves (``bytewing.sim.rigid_body``). Ticks are flown in
blocks, one call each; how they are cut into blocks changes nothing, to the last bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.foundation.errors import BytewingError
from bytewing.sim.airframe import GRAVITY_M_S2, Airframe
from bytewing.sim.autopilot import Autopilot, check_command, run_loops
from bytewing.sim.clock import Clock
from bytewing.sim.compiled import compiled
from bytewing.sim.dynamics import CHARGE, CURRENT, VOLTAGE, RotorDynamics, step_powered_rotors
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.navigation import Navigation, observe
from bytewing.sim.pilot import DroneState, VelocityCommand
from bytewing.sim.rigid_body import STATE_SIZE, step_rigid_body

if TYPE_CHECKING:
    from bytewing.sim.flight_log import FlightLog

Vector = NDArray[np.float64]

POSES = 128
"""Poses of the past that are kept, one a tick: 128 ms cover the slowest shutter of the camera."""


class SimulationError(BytewingError):
    """The simulation diverged: what it would say next means nothing.

    Attributes:
        log: the flight up to there, where there was one.
    """

    log: FlightLog | None = None


class Plant:
    """One drone in flight, from rest at its start with the rotors at hover.

    Attributes:
        tick: base ticks since take-off.
        state: (13,) the truth: position in the world (m), quaternion x y z w, velocity in the world
            (m/s), angular velocity in the body (rad/s).
        estimate: (13,) the same as the autopilot believed it in the last tick.

    Raises BadInputError at construction where a rate does not divide the clock's base rate.
    """

    def __init__(
        self,
        airframe: Airframe,
        clock: Clock,
        position_world_m: ArrayLike,
        yaw_rad: float,
        *,
        navigation: Navigation | None,
        state_of_charge: float = 1.0,
        battery_sags: bool = True,
    ) -> None:
        self.tick = 0
        self.state = np.zeros(STATE_SIZE)
        self.state[:3] = position_world_m
        self.state[3:7] = quaternion_from_euler(0.0, 0.0, yaw_rad)
        self._clock = clock
        self._rotors = RotorDynamics(airframe, clock.tick_s, state_of_charge, battery_sags)
        self._rotors.reset(hover=True)
        self._body = np.array([clock.tick_s, airframe.mass_kg, *airframe.inertia_kg_m2])
        # What an accelerometer reads, which is the reaction to gravity while the drone stands.
        self._specific_force = np.array([0.0, 0.0, GRAVITY_M_S2])
        self._poses = np.tile(self.state[:7], (POSES, 1))
        if navigation is None:
            self.estimate = self.state.copy()
            self._sensing = (np.empty(0, np.uint64), np.empty(0), np.empty(0))
        else:
            self.estimate = navigation.start(self.state[:3].copy(), yaw_rad)
            self._sensing = (navigation.rng, navigation.params, navigation.memory)
        # The autopilot starts as it believes the drone to be, or it would begin with a jerk.
        self._autopilot = Autopilot(airframe, clock)
        self._autopilot.reset(float(self.estimate[2]), yaw_rad)

    @property
    def rotor_rpm(self) -> Vector:
        """(4,) rotor speeds in the airframe's order."""
        return self._rotors.rotor_rpm

    @property
    def battery_v(self) -> float:
        """Voltage of the battery under its load."""
        return float(self._rotors.battery[VOLTAGE])

    @property
    def battery_a(self) -> float:
        """Current that is drawn from it."""
        return float(self._rotors.battery[CURRENT])

    @property
    def state_of_charge(self) -> float:
        """1 = full."""
        return float(self._rotors.battery[CHARGE])

    def drone_state(self) -> DroneState:
        """Return a copy of the true state."""
        state = self.state.copy()
        return DroneState(state[:3], state[3:7], state[7:10], state[10:])

    def pose_before(self, ago_s: float) -> Vector:
        """Return the pose (7,), position and quaternion, of ``ago_s`` ago.

        Between two ticks it is interpolated; before take-off the drone stood at its start.
        """
        ago_ticks = ago_s * self._clock.base_rate_hz
        if not 0 <= ago_ticks <= POSES - 2:
            raise ValueError(f"poses are kept for {POSES - 2} ticks, not for {ago_ticks:g}")
        whole = int(ago_ticks)
        later = self._poses[(self.tick - whole) % POSES]
        earlier = self._poses[(self.tick - whole - 1) % POSES]
        share = ago_ticks - whole
        pose: Vector = later + share * (earlier - later)
        pose[3:] /= np.linalg.norm(pose[3:])
        return pose

    def advance(self, ticks: int, command: VelocityCommand, wind_world_m_s: Vector) -> None:
        """Fly for ``ticks`` with one command and one wind (3,).

        Raises:
            BytewingError: a command that is not a number.
            SimulationError: the state is not finite any more; the drone is left in that tick.
        """
        check_command(command, self.tick)
        autopilot, rotors = self._autopilot, self._rotors
        self.tick = _advance(
            self.tick,
            ticks,
            autopilot.attitude_period,
            autopilot.position_period,
            np.array(command),
            wind_world_m_s,
            self.state,
            self.estimate,
            self._specific_force,
            self._poses,
            self._body,
            *self._sensing,
            autopilot.gains,
            autopilot.mixer,
            autopilot.limits,
            autopilot.memory,
            autopilot.links,
            autopilot.motor_command,
            rotors.geometry,
            rotors.constants,
            rotors.open_circuit_v,
            rotors.battery_constants,
            rotors.battery,
            rotors.rotor_rpm,
        )
        if not math.isfinite(self.state.sum()):
            raise SimulationError(
                f"the simulation diverged at tick {self.tick} ({self._clock.seconds(self.tick):g} "
                "s): the drone's state is not a number; see that wind, airframe and gains are "
                "within reason"
            )


@compiled
def _advance(
    tick: int,
    ticks: int,
    attitude_period: int,
    position_period: int,
    command: Vector,
    wind_world: Vector,
    state: Vector,
    estimate: Vector,
    specific_force: Vector,
    poses: Vector,
    body: Vector,
    noise_keys: NDArray[np.uint64],
    sensing: Vector,
    sensing_memory: Vector,
    gains: Vector,
    mixer: Vector,
    limits: Vector,
    memory: Vector,
    links: Vector,
    motor_command: Vector,
    geometry: Vector,
    rotor_constants: Vector,
    open_circuit_v: Vector,
    battery_constants: Vector,
    battery: Vector,
    rotor_rpm: Vector,
) -> int:
    """Fly in place; return the tick reached, early where the state is not finite any more."""
    tick_s, mass_kg, inertia = body[0], body[1], body[2:]
    wrench = np.empty(6)
    for now in range(tick, tick + ticks):
        if len(sensing) > 0:
            observe(now, noise_keys, state, specific_force, sensing, sensing_memory, estimate)
        else:
            estimate[:] = state
        if now % attitude_period == 0:
            run_loops(
                now % position_period == 0,
                estimate,
                command,
                gains,
                mixer,
                limits,
                memory,
                links,
                motor_command,
            )
        step_powered_rotors(
            state,
            motor_command,
            wind_world,
            geometry,
            rotor_constants,
            open_circuit_v,
            battery_constants,
            battery,
            rotor_rpm,
            wrench,
        )
        for axis in range(3):
            specific_force[axis] = wrench[axis] / mass_kg
        step_rigid_body(state, wrench, mass_kg, inertia, tick_s)
        poses[(now + 1) % POSES] = state[:7]
        total = 0.0
        for cell in range(STATE_SIZE):
            total += state[cell]
        if not math.isfinite(total):
            return now + 1
    return tick + ticks
