"""The drone between two events, compiled: sensors, autopilot, rotors, rigid body.

Each base tick: the sensors are read and the estimate advanced (``bytewing.sim.navigation``), the
autopilot's loops that are due run on it (``bytewing.sim.autopilot``), rotors and battery follow
(``bytewing.sim.dynamics``), and the body moves (``bytewing.sim.rigid_body``). Ticks are flown in
blocks, one call each; how they are cut into blocks changes nothing, to the last bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bytewing.foundation.errors import BytewingError
from bytewing.sim.airframe import GRAVITY_M_S2, Airframe
from bytewing.sim.autopilot import Autopilot, ControlLoops, check_command, run_loops
from bytewing.sim.clock import Clock
from bytewing.sim.compiled import compiled
from bytewing.sim.dynamics import (
    CHARGE,
    CURRENT,
    VOLTAGE,
    Battery,
    RotorDynamics,
    Rotors,
    step_powered_rotors,
)
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.navigation import Navigation, observe
from bytewing.sim.pilot import DroneState, VelocityCommand
from bytewing.sim.rigid_body import STATE_SIZE, step_rigid_body

if TYPE_CHECKING:
    from bytewing.sim.flight_log import FlightLog

Vector = NDArray[np.float64]

POSES = 128
"""Poses of the past that are kept, one a tick: 128 ms cover the slowest shutter of the camera."""


class Body(NamedTuple):
    """The rigid body and its recent past, as compiled code takes them.

    Attributes:
        constants: (5,) length of a tick (s), mass (kg) and moments of inertia (kg m2).
        state: (13,) laid out as in ``bytewing.sim.rigid_body``; written.
        specific_force: (3,) m/s2, body axes: all forces but gravity over the mass; written.
        poses: (POSES, 7) position and quaternion at tick t in row t modulo POSES; written.
    """

    constants: Vector
    state: Vector
    specific_force: Vector
    poses: Vector


class Sensing(NamedTuple):
    """The sensors and the estimate, as compiled code takes them.

    Attributes:
        rng: (5,) ``Navigation.rng``; empty (0,) where the autopilot is given the true state.
        params: ``Navigation.params``, or empty (0,).
        memory: ``Navigation.memory``, or empty (0,); written.
        estimate: (13,) laid out as ``Body.state``; written.
    """

    rng: NDArray[np.uint64]
    params: Vector
    memory: Vector
    estimate: Vector


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
        self._poses = np.tile(self.state[:7], (POSES, 1))
        if navigation is None:
            self.estimate = self.state.copy()
            sensing = Sensing(np.empty(0, np.uint64), np.empty(0), np.empty(0), self.estimate)
        else:
            self.estimate = navigation.start(self.state[:3].copy(), yaw_rad)
            sensing = Sensing(navigation.rng, navigation.params, navigation.memory, self.estimate)
        # The set-points start at the estimate: a difference would begin the flight with a jerk.
        autopilot = Autopilot(airframe, clock)
        autopilot.reset(float(self.estimate[2]), yaw_rad)
        body = Body(
            constants=np.array([clock.tick_s, airframe.mass_kg, *airframe.inertia_kg_m2]),
            state=self.state,
            # A drone at rest: the accelerometer reads the reaction to gravity.
            specific_force=np.array([0.0, 0.0, GRAVITY_M_S2]),
            poses=self._poses,
        )
        parts = (body, sensing, autopilot.loops, self._rotors.rotors, self._rotors.battery)
        # numba takes most of a microsecond to check the class of each named tuple that it is given,
        # and a plant advances a hundred times a second: ``_advance`` restores the names itself.
        self._parts = tuple(tuple(part) for part in parts)

    @property
    def rotor_rpm(self) -> Vector:
        """(4,) rotor speeds in the airframe's order."""
        return self._rotors.rotor_rpm

    @property
    def battery_v(self) -> float:
        """Voltage of the battery under its load."""
        return float(self._rotors.battery.state[VOLTAGE])

    @property
    def battery_a(self) -> float:
        """Current that is drawn from it."""
        return float(self._rotors.battery.state[CURRENT])

    @property
    def state_of_charge(self) -> float:
        """1 = full."""
        return float(self._rotors.battery.state[CHARGE])

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
        self.tick = _advance(self.tick, ticks, np.array(command), wind_world_m_s, self._parts)
        if not math.isfinite(self.state.sum()):
            raise SimulationError(
                f"the simulation diverged at tick {self.tick} ({self._clock.seconds(self.tick):g} "
                "s): the drone's state is not a number; see that wind, airframe and gains are "
                "within reason"
            )


@compiled
def _advance(
    tick: int, ticks: int, command: Vector, wind_world: Vector, parts: tuple[tuple[Any, ...], ...]
) -> int:
    """Fly in place; return the tick reached, early where the state is not finite any more.

    Args:
        tick: base ticks since take-off.
        ticks: how many to fly.
        command: (4,) laid out as a VelocityCommand.
        wind_world: (3,) velocity of the air, m/s.
        parts: the fields of a Body, Sensing, ControlLoops, Rotors and Battery, which are written.
    """
    body, sensing, loops = Body(*parts[0]), Sensing(*parts[1]), ControlLoops(*parts[2])
    rotors, battery = Rotors(*parts[3]), Battery(*parts[4])
    state, specific_force, poses = body.state, body.specific_force, body.poses
    tick_s, mass_kg, inertia = body.constants[0], body.constants[1], body.constants[2:]
    rng, params, memory, estimate = sensing.rng, sensing.params, sensing.memory, sensing.estimate
    wrench = np.empty(6)
    for now in range(tick, tick + ticks):
        if len(params) > 0:
            observe(now, rng, state, specific_force, params, memory, estimate)
        else:
            estimate[:] = state
        if now % loops.attitude_period == 0:
            run_loops(now % loops.position_period == 0, estimate, command, loops)
        step_powered_rotors(state, loops.motor_rpm, wind_world, rotors, battery, wrench)
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
