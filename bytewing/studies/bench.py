"""Benchmarks: how fast flights, the camera and the exported code are on this machine.

For comparing one version with another on one machine, not for passing: a shared machine is noisy,
so every figure is a median of several runs.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np

import sim.flight
from bytewing import api
from scenarios.run import FlightJob, fly_log
from scenarios.schema import load_scenario
from sim.errors import BadInputError, did_you_mean

Result = dict[str, Any]

POLICY = "road"
# Free roads with things beside them: what a suite mostly flies.
FLIGHTS = (("s_bends", 2_030_000), ("cluttered", 2_030_001), ("gentle", 2_030_002))
RUNS = 3
# What the loop calls, as (class in sim.flight, method, name in the table).
PARTS = (
    ("BulletCamera", "render", "rendering"),
    ("Sensor", "expose", "sensor"),
    ("Autopilot", "update", "autopilot"),
    ("RotorDynamics", "step", "rotors"),
    ("World", "step", "physics step"),
    ("World", "drone_state_arrays", "reading the state"),
    ("World", "apply_wrench_body", "applying forces"),
    ("World", "drone_in_contact", "contacts"),
)


def run_bench(what: str | None = None) -> Result:
    """Run ``flight``, ``camera`` or ``firmware``, or all, and return ``{"machine", "results"}``."""
    benches = {"flight": bench_flight, "camera": bench_camera, "firmware": bench_firmware}
    if what is not None and what not in benches:
        raise BadInputError(f"bench {what!r} is not known{did_you_mean(what, benches)}")
    results: list[Result] = []
    for name in [what] if what else list(benches):
        results += benches[name]()
    return {"machine": machine(), "results": results}


def bench_flight() -> list[Result]:
    """Simulated seconds a second on one core, camera and ``c`` network in the loop, and shares."""
    jobs = [
        FlightJob(load_scenario(name), seed, "c", api.load_policy(POLICY)) for name, seed in FLIGHTS
    ]
    for job in jobs:
        fly_log(job)  # compiles and warms every cache

    def fly_all() -> float:
        return sum(fly_log(job).meta["duration_ticks"] for job in jobs) / 1000

    rates = []
    for _ in range(RUNS):
        start = time.perf_counter()
        simulated_s = fly_all()
        rates.append(simulated_s / (time.perf_counter() - start))
    results = [
        _result("flight.road", statistics.median(rates), "simulated s/s", "one core, runtime c")
    ]
    results[0]["min"], results[0]["max"] = min(rates), max(rates)

    spent: dict[str, float] = {}
    with ExitStack() as stack:
        for owner, method, name in PARTS:
            cls = getattr(sim.flight, owner)
            timed = _timed(getattr(cls, method), name, spent)
            stack.enter_context(mock.patch.object(cls, method, timed))
        pilot = _pilot_class()
        stack.enter_context(
            mock.patch.object(pilot, "act", _timed(pilot.act, "network and guidance", spent))
        )
        start = time.perf_counter()
        simulated_s = fly_all()
        total_s = time.perf_counter() - start
    spent["loop, log, set-up"] = total_s - sum(spent.values())
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        share = f"{seconds / total_s:.0%} of a flight"
        results.append(
            _result(f"flight.{name}", seconds / simulated_s * 1000, "ms/simulated s", share)
        )
    return results


def bench_camera() -> list[Result]:
    """Finished camera frames a second on one core: render, average down, sensor."""
    from sim.camera.bullet import BulletCamera
    from sim.camera.config import load_camera
    from sim.camera.sensor import Sensor
    from sim.courses.road import generate_road
    from sim.world import World

    scenario = load_scenario("cluttered")
    course = generate_road(scenario.course, FLIGHTS[1][1])
    config = load_camera(scenario.camera)
    with World(course.scene) as world:
        world.add_drone(
            mass_kg=0.03,
            inertia_kg_m2=(1e-5, 1e-5, 2e-5),
            collision_radius_m=0.05,
            collision_height_m=0.03,
            position_world_m=course.start_position_world_m,
            yaw_rad=course.start_yaw_rad,
        )
        camera, sensor = BulletCamera(world, config), Sensor(config, 0)
        state = world.drone_state()
        render_s = _median_s(lambda: camera.render(state), 60)
        radiance = camera.render(state)
        sensor_s = _median_s(lambda: sensor.expose(radiance), 200)
    size = f"{config.width_px} x {config.height_px}"
    return [
        _result("camera.frames", 1 / (render_s + sensor_s), "frames/s", f"{size}, cluttered"),
        _result("camera.render", render_s * 1000, "ms/frame", "TinyRenderer at twice the size"),
        _result("camera.sensor", sensor_s * 1000, "ms/frame", ""),
    ]


def bench_firmware() -> list[Result]:
    """What one frame costs: the compiled C here, the reference, and the emulated core."""
    from firmware_export.reference import Int8Network
    from firmware_export.target import load_target
    from firmware_export.verify.emulator import McuPolicy
    from firmware_export.verify.host import CPolicy

    bundle = api.load_policy(POLICY)
    frames = bundle.golden().frames
    host, emulated = CPolicy(bundle), McuPolicy(bundle, load_target("stm32f405"))
    reference = Int8Network(bundle.file("int8.onnx"))
    batch = np.concatenate([frames] * (1 + 64 // len(frames)))[:64]
    return [
        _result("firmware.c", _median_s(lambda: host.step(frames[0]), 200) * 1e6, "us/frame", ""),
        _result(
            "firmware.int8",
            _median_s(lambda: reference.infer(batch), 5) / len(batch) * 1e6,
            "us/frame",
            "NumPy reference, in batches of 64",
        ),
        _result(
            "firmware.mcu",
            _median_s(lambda: emulated.step(frames[0]), 10) * 1e6,
            "us/frame",
            "emulated stm32f405, on this machine's clock",
        ),
    ]


def machine() -> str:
    """Return the processor, core count and Python of this machine in a line."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
        model = f"{names[0]} ({len(names)} cores)" if names else model
    except OSError:
        pass
    return f"{model}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _pilot_class() -> type[Any]:
    from scenarios.pilots import ExportedPilot

    return ExportedPilot


def _timed(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    spent[name] = 0.0

    def timed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (stands in for any method)
        start = time.perf_counter()
        result = function(*args, **kwargs)
        spent[name] += time.perf_counter() - start
        return result

    return timed


def _median_s(function: Callable[[], Any], runs: int) -> float:
    function()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _result(name: str, value: float, unit: str, note: str) -> Result:
    return {"name": name, "value": value, "unit": unit, "note": note}
