"""Benchmark flights, the camera and the exported code on this machine.

The figures compare versions on one machine; there are no limits to pass. Every figure is a median
of several runs, because a shared machine is noisy.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from bytewing import api
from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.policies.bundle import PolicyBundle
from bytewing.scenarios.pilots import ExportedPolicy
from bytewing.sim.airframe import load_airframe
from bytewing.sim.autopilot import Autopilot, ControlLoops, run_loops
from bytewing.sim.camera import link
from bytewing.sim.camera.camera import GreyCamera
from bytewing.sim.camera.config import CameraConfig
from bytewing.sim.camera.faults import Faults
from bytewing.sim.camera.raster import Raster
from bytewing.sim.camera.renderer import Capture
from bytewing.sim.camera.sensor import Sensor
from bytewing.sim.camera.thermal import ThermalCamera
from bytewing.sim.clock import Clock
from bytewing.sim.compiled import compiled
from bytewing.sim.fields.wind import Wind
from bytewing.sim.flight import fly
from bytewing.sim.instruments import Instruments
from bytewing.sim.navigation import Navigation, NavigationConfig
from bytewing.sim.pilot import HOVER
from bytewing.sim.plant import Plant
from bytewing.sim.recorder import Recorder
from bytewing.sim.weather import Weather
from bytewing.sim.world import World
from bytewing.studies import bench_workloads, gym_flight

Result = dict[str, Any]
Vector = NDArray[np.float64]

POLICY = "road"
RUNS = 3
GYM_S = 5.0
"""Simulated seconds that gym-pybullet-drones flies, each scene."""
GYM_TIME_LIMIT_S = 300.0

DRONE = "drone"
SPLIT_TICKS = 20_000
"""Of the drone flown alone, to see where the time of its one compiled call goes."""

# What the loop calls, as (owner, attribute, name in the table); what is left over is the loop
# itself, drawing the course and packing the log.
PARTS = (
    (GreyCamera, "__init__", "rendering, set-up"),
    (Raster, "render", "rendering"),
    (Sensor, "expose", "sensor"),
    (ThermalCamera, "__init__", "rendering, set-up"),
    (ThermalCamera, "take_frame", "rendering"),
    (Weather, "gas_ppm", "gas at the drone"),
    (Instruments, "read", "instruments"),
    (Faults, "deliver", "faults"),
    (Plant, "advance", DRONE),
    (Wind, "sample", "wind"),
    (World, "__init__", "contacts, set-up"),
    (World, "drone_touches", "contacts"),
    (Recorder, "state", "log"),
    (Recorder, "arrays", "log"),
    (ExportedPolicy, "step", "network and guidance"),
    (bench_workloads, "prepare", "drawing the course"),
)


def run_bench(
    what: str | None = None, gym: Path | None = None, gym_python: Path | None = None
) -> Result:
    """Run ``flight``, ``camera`` or ``firmware``, or all, and return ``{"machine", "results"}``.

    Args:
        what: which of them; all if not given.
        gym: checkout of gym-pybullet-drones to fly side by side with.
        gym_python: a Python that can import it.

    Raises BadInputError for an unknown benchmark, or a checkout that does not fly.
    """
    benches: dict[str, Callable[[], list[Result]]] = {
        "flight": partial(bench_flight, gym, gym_python),
        "camera": bench_camera,
        "firmware": bench_firmware,
    }
    if what is not None and what not in benches:
        raise BadInputError(f"bench {what!r} is not known{did_you_mean(what, benches)}")
    if (gym is None) != (gym_python is None):
        raise BadInputError("--gym and --gym-python belong together: name both or none")
    results: list[Result] = []
    for name in [what] if what else list(benches):
        results += benches[name]()
    return {"machine": machine(), "results": results}


def bench_flight(gym: Path | None = None, gym_python: Path | None = None) -> list[Result]:
    """Simulated seconds a second on one core, all effects on, ``c`` in the loop, and shares."""
    results, rates = [], {}
    for workload, size_px in bench_workloads.WORKLOADS:
        flights = bench_workloads.flights(workload, size_px)
        rate = _flight_rate(flights, api.load_policy(flights[0].scenario.policy))
        rates[workload, size_px] = rate["value"]
        results.append(rate | {"name": f"flight.{workload}.{size_px}"})
    for workload, label in (
        ("road_standard", "share"),
        (bench_workloads.GAS_WORKLOAD, "gas_share"),
    ):
        flights = bench_workloads.flights(workload, 64)
        results += _flight_shares(flights, api.load_policy(flights[0].scenario.policy), label)
    if gym is not None and gym_python is not None:
        for scene, workload, obstacles in (
            ("empty plane", "empty", False),
            ("its obstacles", "road_standard", True),
        ):
            theirs = _gym_rate(gym, gym_python, obstacles)
            ours = rates[workload, 64]
            note = f"gym-pybullet-drones, {scene}, 64 x 64 camera at 30 Hz"
            results.append(_result(f"gym.{workload}", theirs, "simulated s/s", note))
            note = f"flight.{workload}.64 over gym.{workload}"
            results.append(_result(f"ratio.{workload}", ours / theirs, "times", note))
    return results


def _flight_rate(flights: list[bench_workloads.BenchFlight], bundle: PolicyBundle) -> Result:
    _fly_all(flights, bundle)  # compiles and warms every cache
    rates = []
    for _ in range(RUNS):
        start = time.perf_counter()
        simulated_s = _fly_all(flights, bundle)
        rates.append(simulated_s / (time.perf_counter() - start))
    setup, _ = bench_workloads.prepare(flights[0], bundle)
    triangles = bench_workloads.triangles_in_view(setup)
    note = f"one core, runtime c, {len(flights)} flights, {triangles} triangles in view"
    result = _result("", statistics.median(rates), "simulated s/s", note)
    return result | {"min": min(rates), "max": max(rates)}


def _fly_all(flights: list[bench_workloads.BenchFlight], bundle: PolicyBundle) -> float:
    """Draw and fly every flight; return the simulated seconds."""
    ticks = 0
    for flight in flights:
        setup, pilot = bench_workloads.prepare(flight, bundle)
        ticks += fly(setup, pilot).meta["duration_ticks"]
    return ticks / 1000


def _flight_shares(
    flights: list[bench_workloads.BenchFlight], bundle: PolicyBundle, label: str
) -> list[Result]:
    """Measure the share of each part in the flight time; the clocks slow it by a few percent."""
    spent: dict[str, float] = {}
    with ExitStack() as stack:
        for owner, name, part in PARTS:
            timed = _timed(getattr(owner, name), part, spent)
            stack.enter_context(mock.patch.object(owner, name, timed))
        start = time.perf_counter()
        simulated_s = _fly_all(flights, bundle)
        total_s = time.perf_counter() - start
    spent["loop"] = total_s - sum(spent.values())
    drone_s = spent.pop(DRONE)
    split = _drone_split()
    for part, seconds in split.items():
        spent[part] = drone_s * seconds / sum(split.values())
    return [
        _result(
            f"flight.{label}.{name}",
            seconds / simulated_s * 1000,
            "ms/simulated s",
            f"{seconds / total_s:.0%} of a flight",
        )
        for name, seconds in sorted(spent.items(), key=lambda item: -item[1])
    ]


def _drone_split() -> dict[str, float]:
    """Return the seconds of a tick that the parts of the drone's compiled loop take."""
    airframe, clock, wind = load_airframe("crazyflie21"), Clock(), np.zeros(3)

    def flown_s(navigation: Navigation | None) -> float:
        plant = Plant(airframe, clock, (0.0, 0.0, 1.0), 0.0, navigation=navigation)
        return _median_s(lambda: plant.advance(SPLIT_TICKS, HOVER, wind), RUNS)

    autopilot = Autopilot(airframe, clock)
    autopilot.reset(1.0, 0.0)
    estimate = np.array([0, 0, 1.0, 0, 0, 0, 1.0, 0, 0, 0, 0, 0, 0])
    autopilot_s = _median_s(
        lambda: _run_autopilot(SPLIT_TICKS, estimate, np.array(HOVER), autopilot.loops), RUNS
    )
    truth_s = flown_s(None)
    sensing_s = flown_s(Navigation(NavigationConfig(), clock, 0)) - truth_s
    return {
        "physics": truth_s - autopilot_s,
        "autopilot": autopilot_s,
        "drone's sensors and estimate": sensing_s,
    }


@compiled
def _run_autopilot(ticks: int, estimate: Vector, command: Vector, loops: ControlLoops) -> None:
    for tick in range(0, ticks, loops.attitude_period):
        run_loops(tick % loops.position_period == 0, estimate, command, loops)


def _gym_rate(checkout: Path, python: Path, obstacles: bool) -> float:
    """Return the simulated seconds a second of gym-pybullet-drones, flown by its own Python."""
    command = [str(python), gym_flight.__file__, str(checkout), str(GYM_S), str(int(obstacles))]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=GYM_TIME_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInputError(f"--gym-python {python}: does not fly {checkout}: {error}") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BadInputError(f"--gym {checkout}: does not fly with {python}: {last}")
    flown = json.loads(done.stdout.strip().splitlines()[-1])
    return float(flown["simulated_s"] / flown["wall_s"])


def bench_camera() -> list[Result]:
    """Finished camera frames a second on one core, all effects on, along flown paths."""
    bundle = api.load_policy(POLICY)
    results = []
    for size_px in bench_workloads.SIZES_PX:
        render_s, sensor_s, setup_s = [], [], []
        for flight in bench_workloads.flights("road_standard", size_px):
            setup, pilot = bench_workloads.prepare(flight, bundle)
            assert isinstance(setup.camera, CameraConfig)
            captures: list[Any] = []
            with mock.patch.object(link, "Capture", _kept(Capture, captures)):
                fly(setup, pilot)
            setup_s.append(_median_s(partial(Raster, setup.course.scene, setup.camera), 3))
            raster = Raster(setup.course.scene, setup.camera)
            sensor = Sensor(setup.camera, setup.seed)
            for capture in captures:
                start = time.perf_counter()
                radiance = raster.render(capture)
                middle = time.perf_counter()
                sensor.expose(radiance)
                render_s.append(middle - start)
                sensor_s.append(time.perf_counter() - middle)
        frames = len(render_s)
        total_s = statistics.median(r + s for r, s in zip(render_s, sensor_s, strict=True))
        size = f"{size_px} x {size_px}"
        results += [
            _result(
                f"camera.frames.{size_px}",
                1 / total_s,
                "frames/s",
                f"{size}, every effect on, median of {frames} frames of road_standard",
            ),
            _result(
                f"camera.render.{size_px}", statistics.median(render_s) * 1e6, "us/frame", "raster"
            ),
            _result(f"camera.sensor.{size_px}", statistics.median(sensor_s) * 1e6, "us/frame", ""),
            _result(
                f"camera.setup.{size_px}", statistics.median(setup_s) * 1000, "ms/flight", "raster"
            ),
        ]
    return results


def _kept(function: Callable[..., Any], kept: list[Any]) -> Callable[..., Any]:
    """Return the function with every result kept."""

    def keeping(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (stands in for any callable)
        kept.append(function(*args, **kwargs))
        return kept[-1]

    return keeping


def bench_firmware() -> list[Result]:
    """Measure the time of one frame in the compiled C, the reference and the emulator."""
    from bytewing.firmware_export.reference import Int8Network
    from bytewing.firmware_export.target import load_target
    from bytewing.firmware_export.verify.emulator import McuPolicy
    from bytewing.firmware_export.verify.host import CPolicy

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


def _timed(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    spent.setdefault(name, 0.0)

    def timed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (stands in for any method)
        within = sum(spent.values())
        start = time.perf_counter()
        result = function(*args, **kwargs)
        # What timed parts of it took has been counted as theirs.
        spent[name] += time.perf_counter() - start - (sum(spent.values()) - within)
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
