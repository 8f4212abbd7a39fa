"""The flight loop: camera, pilot, autopilot, rotors, physics, and what is written down of them.

Time is counted in base ticks of 1 ms; a tick is one physics step. A pilot's command is *staged*: it
takes effect its latency after the exposure of the frame it came from, and until then the pilot is
busy and misses frames (readout, transport and computing are not overlapped).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.airframe import Airframe
from sim.autopilot import Autopilot
from sim.camera.bullet import BulletCamera
from sim.camera.config import CameraConfig
from sim.camera.sensor import Sensor
from sim.clock import Clock
from sim.dynamics import RotorDynamics
from sim.errors import BytewingError
from sim.flight_log import FORMAT_VERSION, FlightLog
from sim.frames import body_from_world
from sim.pilot import HOVER, DroneState, Observation, Pilot, VelocityCommand
from sim.scene import Scene
from sim.world import World

STATE_RATE_HZ = 100
COMPLETED_OUTCOMES = frozenset({"finished", "stopped_for_obstacle", "completed"})
_STILL_AIR = np.zeros(3)


class Referee(Protocol):
    """Decides when a flight is over."""

    def update(self, t_s: float, state: DroneState, in_contact: bool) -> str | None:
        """Return the outcome once there is one; called at 100 Hz and at every contact."""
        ...


class Course(Protocol):
    """What a flight needs of a course, of whatever kind."""

    @property
    def scene(self) -> Scene:
        """What there is to see and to hit."""
        ...

    @property
    def start_position_world_m(self) -> NDArray[np.float64]:
        """(3,) where the drone begins, in the air."""
        ...

    @property
    def start_yaw_rad(self) -> float:
        """Its heading there."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What was drawn for this course, JSON values only."""
        ...

    def referee(self) -> Referee:
        """Return a fresh referee for one flight."""
        ...

    def log_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what metrics need to know of the course."""
        ...


@dataclass(frozen=True)
class FlightSetup:
    """Everything that decides a flight but the pilot.

    Attributes:
        course: where.
        airframe: with what.
        camera: seen through what.
        seed: of the flight's random streams.
        time_limit_s: outcome "timeout" after this long.
        labels: facts for the log's meta (scenario, runtime, policy_sha256, …).
        gui: open PyBullet's window.
    """

    course: Course
    airframe: Airframe
    camera: CameraConfig
    seed: int
    time_limit_s: float
    labels: Mapping[str, Any] = field(default_factory=dict)
    gui: bool = False


# Called once a camera tick with the world, the state and the frame (None where none was taken).
Watch = Callable[[World, Observation], None]


class SimulationError(BytewingError):
    """The simulation diverged; the message says when."""


def fly(setup: FlightSetup, pilot: Pilot, watch: Watch | None = None) -> FlightLog:
    """Fly once and return the log.

    The same setup and pilot give the same log, byte for byte, in any process.
    """
    clock = Clock()
    course, airframe = setup.course, setup.airframe
    camera_period = clock.period_ticks(setup.camera.rate_hz, "camera.rate_hz")
    state_period = clock.period_ticks(STATE_RATE_HZ)
    latency_ticks = clock.ticks(pilot.latency_s)
    limit_ticks = clock.ticks(setup.time_limit_s)
    referee = course.referee()
    rotors = RotorDynamics(airframe, clock.tick_s)
    autopilot = Autopilot(airframe, clock)
    recorder = _Recorder()
    pilot.reset()

    with World(course.scene, gui=setup.gui) as world:
        world.add_drone(
            mass_kg=airframe.mass_kg,
            inertia_kg_m2=airframe.inertia_kg_m2,
            collision_radius_m=airframe.collision_radius_m,
            collision_height_m=airframe.collision_height_m,
            position_world_m=course.start_position_world_m,
            yaw_rad=course.start_yaw_rad,
        )
        camera = BulletCamera(world, setup.camera)
        sensor = Sensor(setup.camera, setup.seed)
        autopilot.reset(float(course.start_position_world_m[2]), course.start_yaw_rad)
        rotors.reset(hover=True)
        command, staged, effective_tick = HOVER, HOVER, -1
        outcome: str | None = None
        tick = 0
        while outcome is None:
            if tick == effective_tick:
                command = staged
                recorder.command(tick, command)
            if tick % camera_period == 0 and effective_tick <= tick:
                state = world.drone_state()
                frame = sensor.expose(camera.render(state)) if pilot.needs_frames else None
                observation = Observation(tick, clock.seconds(tick), frame, state)
                staged = pilot.act(observation)
                effective_tick = tick + latency_ticks
                recorder.inference(observation, pilot, staged)
                if watch is not None:
                    watch(world, observation)
                if latency_ticks == 0:
                    command = staged
                    recorder.command(tick, command)

            position, quaternion, velocity, omega_world = world.drone_state_arrays()
            omega_body = body_from_world(quaternion, omega_world)
            in_contact = world.drone_in_contact()
            if tick % state_period == 0 or in_contact:
                if not np.isfinite(position).all():
                    raise SimulationError(
                        f"the simulation diverged at t = {clock.seconds(tick):.3f} s "
                        f"(seed {setup.seed}); no metric can be given"
                    )
                state = DroneState(position, quaternion, velocity, omega_body)
                recorder.state(tick, state, rotors.rotor_rpm)
                outcome = referee.update(clock.seconds(tick), state, in_contact)
                if outcome is None and tick >= limit_ticks:
                    outcome = "timeout"
            motor_command = autopilot.update(
                tick, position, quaternion, velocity, omega_body, command
            )
            force, torque = rotors.step(
                motor_command, velocity, omega_body, quaternion, position[2], _STILL_AIR
            )
            world.apply_wrench_body(force, torque)
            world.step()
            tick += 1

    meta = {
        "format_version": FORMAT_VERSION,
        "tool_version": version("bytewing"),
        **setup.labels,
        "seed": setup.seed,
        "airframe": airframe.name,
        "camera": setup.camera.name,
        "base_rate_hz": clock.base_rate_hz,
        "latency_s": pilot.latency_s,
        "outcome": outcome,
        "completed": outcome in COMPLETED_OUTCOMES,
        "duration_ticks": tick,
        "course": dict(course.parameters),
    }
    size = (setup.camera.height_px, setup.camera.width_px)
    arrays = recorder.arrays(size)
    arrays.update({f"course.{name}": array for name, array in course.log_arrays().items()})
    return FlightLog(meta, arrays)


class _Recorder:
    """Collects the streams of one flight."""

    def __init__(self) -> None:
        self._states: list[tuple[int, DroneState, NDArray[np.float64]]] = []
        self._ticks: list[int] = []
        self._frames: list[NDArray[np.uint8]] = []
        self._outputs: list[NDArray[Any]] = []
        self._inferred: list[VelocityCommand] = []
        self._commands: list[tuple[int, VelocityCommand]] = []

    def state(self, tick: int, state: DroneState, rotor_rpm: NDArray[np.float64]) -> None:
        self._states.append((tick, state, rotor_rpm.copy()))

    def inference(self, seen: Observation, pilot: Pilot, command: VelocityCommand) -> None:
        self._ticks.append(seen.tick)
        if seen.frame is not None:
            self._frames.append(seen.frame)
        self._outputs.append(np.array(pilot.outputs))
        self._inferred.append(command)

    def command(self, tick: int, command: VelocityCommand) -> None:
        self._commands.append((tick, command))

    def arrays(self, size: tuple[int, int]) -> dict[str, NDArray[Any]]:
        states = [state for _, state, _ in self._states]
        frames = np.stack(self._frames) if self._frames else np.empty((0, *size), np.uint8)
        return {
            "state.tick": np.array([tick for tick, _, _ in self._states], np.int64),
            "state.position_world_m": np.array([s.position_world_m for s in states]),
            "state.quaternion_xyzw": np.array([s.quaternion_xyzw for s in states]),
            "state.velocity_world_m_s": np.array([s.velocity_world_m_s for s in states]),
            "state.angular_velocity_body_rad_s": np.array(
                [s.angular_velocity_body_rad_s for s in states]
            ),
            "state.rotor_rpm": np.array([rpm for _, _, rpm in self._states]),
            "camera.tick": np.array(self._ticks, np.int64),
            "camera.frames": frames,
            "inference.outputs": np.array(self._outputs),
            "inference.command": np.array(self._inferred, np.float64).reshape(-1, 4),
            "command.tick": np.array([tick for tick, _ in self._commands], np.int64),
            "command.value": np.array([c for _, c in self._commands], np.float64).reshape(-1, 4),
        }
