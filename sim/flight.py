"""The flight loop: camera, pilot, drone and contacts.

Time is counted in base ticks of 1 ms. Between two events (a frame, a command that takes effect, a
check of contacts and referee every 10 ms) the drone flies by itself, in compiled code
(``bytewing.sim.plant``). A frame's tick is when its last row has been read out: what it shows is up
to exposure and readout older. A pilot's command is *staged*: it takes effect its latency after the
frame's tick, and until then the pilot is busy and misses frames (transport and computing are not
overlapped).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from bytewing.foundation.rng import stream
from bytewing.sim.airframe import Airframe
from bytewing.sim.camera.camera import open_camera
from bytewing.sim.camera.config import Optics
from bytewing.sim.camera.faults import Faults
from bytewing.sim.camera.link import CameraLink
from bytewing.sim.clock import Clock
from bytewing.sim.conditions import Conditions
from bytewing.sim.course import Course
from bytewing.sim.flight_log import FORMAT_VERSION, FlightLog
from bytewing.sim.instruments import Instruments
from bytewing.sim.navigation import Navigation
from bytewing.sim.pilot import HOVER, Pilot, PrivilegedObservation, Truth, View
from bytewing.sim.plant import Plant, SimulationError
from bytewing.sim.probes import FRAME_PROBES
from bytewing.sim.recorder import Recorder
from bytewing.sim.weather import WIND_PROBE, Weather, draw_weather
from bytewing.sim.world import World

STATE_RATE_HZ = 100
DIVERGED = "diverged"
"""Outcome of a log that ends where its simulation diverged; nothing may be measured on it."""


@dataclass(frozen=True)
class FlightSetup:
    """Everything that decides a flight but the pilot.

    Attributes:
        course: where.
        airframe: with what.
        camera: seen through what.
        seed: of the flight's random streams.
        time_limit_s: outcome "timeout" after this long.
        conditions: wind, battery, sensors and faults; ideal ones if not given.
        labels: facts for the log's meta (scenario, runtime, policy_sha256, …).
        gui: open PyBullet's window.
    """

    course: Course
    airframe: Airframe
    camera: Optics
    seed: int
    time_limit_s: float
    conditions: Conditions = field(default_factory=Conditions)
    labels: Mapping[str, Any] = field(default_factory=dict)
    gui: bool = False


Watch = Callable[[World, PrivilegedObservation], None]
"""Called once a camera tick, after the pilot, with the world and all there is to know."""


def fly(setup: FlightSetup, pilot: Pilot[View], watch: Watch | None = None) -> FlightLog:
    """Fly once and return the log.

    The same setup and pilot give the same log, byte for byte, in any process.

    Raises:
        SimulationError: the simulation diverged; the error's ``log`` is the flight up to there,
            with the outcome DIVERGED.
    """
    clock, course = Clock(), setup.course
    camera_period = clock.period_ticks(setup.camera.rate_hz, "camera.rate_hz")
    state_period = clock.period_ticks(STATE_RATE_HZ)
    latency_ticks = clock.ticks(pilot.latency_s)
    limit_ticks = clock.ticks(setup.time_limit_s)
    drawn = _draw(setup, clock)
    plant, instruments, probes = drawn.plant, drawn.instruments, drawn.weather.probes
    camera = _open_link(setup, drawn.weather, clock) if pilot.needs_frames else None
    sample_s = clock.seconds(state_period)
    referee = course.referee()
    recorder = Recorder()
    pilot.reset()

    def log(outcome: str) -> FlightLog:
        meta = {
            "format_version": FORMAT_VERSION,
            "tool_version": version("bytewing"),
            **setup.labels,
            "seed": setup.seed,
            "airframe": setup.airframe.name,
            "camera": setup.camera.name,
            "base_rate_hz": clock.base_rate_hz,
            "latency_s": pilot.latency_s,
            "outcome": outcome,
            "completed": outcome in course.completed_outcomes,
            "duration_ticks": plant.tick,
            "course": dict(course.parameters),
            "conditions": drawn.facts,
        }
        arrays = recorder.arrays((setup.camera.height_px, setup.camera.width_px))
        arrays.update({f"course.{name}": array for name, array in course.log_arrays().items()})
        return FlightLog(meta, arrays)

    with World(course.scene, gui=setup.gui, visible=setup.gui) as world:
        world.add_drone(
            mass_kg=drawn.airframe.mass_kg,
            inertia_kg_m2=drawn.airframe.inertia_kg_m2,
            collision_radius_m=drawn.airframe.collision_radius_m,
            collision_height_m=drawn.airframe.collision_height_m,
            position_world_m=course.start_position_world_m,
            yaw_rad=course.start_yaw_rad,
        )
        command, staged, effective_tick = HOVER, HOVER, -1
        while True:
            tick = plant.tick
            t_s = clock.seconds(tick)
            if tick == effective_tick:
                command = staged
                recorder.command(tick, command)
            if tick % state_period == 0:
                state = plant.drone_state()
                found = {p.name: p.sample(state.position_world_m, t_s) for p in probes}
                instruments.sample(found, sample_s)
                recorder.state(tick, state, plant, found)
                world.place_drone(state.position_world_m, state.quaternion_xyzw)
                world.move_things(t_s)
                outcome = referee.update(t_s, state, world.drone_touches())
                if outcome is None and tick >= limit_ticks:
                    outcome = "timeout"
                if outcome is not None:
                    return log(outcome)
            if tick % camera_period == 0 and effective_tick <= tick:
                frame = camera.receive(plant) if camera is not None else None
                if frame is not None or camera is None:
                    frame_probes = camera.probes if camera is not None else FRAME_PROBES
                    truth = Truth(plant.drone_state(), found, frame_probes)
                    senses = instruments.read(truth, plant.estimate, t_s)
                    moment = PrivilegedObservation(tick, t_s, frame, senses, truth=truth)
                    staged = pilot.act(pilot.view.of(moment))
                    effective_tick = tick + latency_ticks
                    recorder.inference(moment, pilot, staged)
                    if watch is not None:
                        watch(world, moment)
                    outcome = None if pilot.report is None else referee.on_report(pilot.report)
                    if outcome is not None:
                        return log(outcome)
                    if latency_ticks == 0:
                        command = staged
                        recorder.command(tick, command)
            until = min(_next(tick, camera_period), _next(tick, state_period))
            if tick < effective_tick < until:
                until = effective_tick
            try:
                plant.advance(until - tick, command, found[WIND_PROBE])
            except SimulationError as error:
                error.log = log(DIVERGED)
                raise


def _next(tick: int, period: int) -> int:
    """Return the first tick after this one that the period divides."""
    return tick - tick % period + period


@dataclass(frozen=True)
class _Drawn:
    """A flight's own drone and air, drawn from its conditions; ``facts`` are for the log."""

    airframe: Airframe
    plant: Plant
    weather: Weather
    instruments: Instruments
    facts: dict[str, Any]


def _draw(setup: FlightSetup, clock: Clock) -> _Drawn:
    conditions, course = setup.conditions, setup.course
    mass_scale = conditions.mass_scale.draw(stream(setup.seed, "airframe.mass"))
    charge = conditions.battery.state_of_charge.draw(stream(setup.seed, "battery"))
    mass_kg = setup.airframe.mass_kg * mass_scale
    airframe = setup.airframe.with_mass(mass_kg)
    navigation = None
    if conditions.autopilot_acts_on == "estimate":
        navigation = Navigation(conditions.navigation, clock, setup.seed)
    plant = Plant(
        airframe,
        clock,
        course.start_position_world_m,
        course.start_yaw_rad,
        navigation=navigation,
        state_of_charge=charge,
        battery_sags=conditions.battery.sags,
    )
    weather = draw_weather(
        conditions.wind,
        course.releases,
        course.scene.air_c,
        seed=setup.seed,
        duration_s=setup.time_limit_s,
    )
    instruments = Instruments(conditions.instruments, course.scene, setup.seed)
    wind = weather.wind
    facts = {
        "autopilot_acts_on": conditions.autopilot_acts_on,
        "mass_kg": mass_kg,
        "state_of_charge": charge if conditions.battery.sags else 1.0,
        "wind_mean_world_m_s": wind.mean_world_m_s.tolist(),
        "wind_step_world_m_s": wind.step_world_m_s.tolist(),
    }
    return _Drawn(airframe, plant, weather, instruments, facts)


def _open_link(setup: FlightSetup, weather: Weather, clock: Clock) -> CameraLink:
    camera = open_camera(setup.course.scene, setup.camera, setup.seed, weather)
    return CameraLink(camera, setup.camera, Faults(setup.conditions.faults, setup.seed), clock)
