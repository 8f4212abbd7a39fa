"""Run the demo of a task: train, export and verify a policy on this machine."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from bytewing import api
from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.foundation.files import require_writable_folder, write_atomic
from bytewing.scenarios.report.table import verify_text
from bytewing.scenarios.report.trajectories import trajectories_png
from bytewing.scenarios.report.video import write_video
from bytewing.scenarios.schema import Suite, load_suite, suite_flights, suites
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.sim.flight_log import FlightLog

TARGET = "stm32f405"
SEED = 0
DRAWN, FILMED = ("float", "c", "mcu"), "c"
"""Runtimes whose trajectories are drawn, and the one whose first flight becomes the video."""


def run_demo(task: str, out: Path, *, quick: bool = False) -> bool:
    """Train, quantise, export and verify a policy; leave all results in ``out``.

    Args:
        task: name of the task to learn; it must have a suite ``NAME_demo``.
        out: folder for ``policy/`` (the bundle), ``firmware/``, ``flights/`` (the logs),
            ``summary.json``, ``summary.txt``, ``trajectories.png`` and ``flight.mp4``.
        quick: use a small training budget and the suite ``NAME_smoke``, which shows the steps but
            not the quality.

    Returns:
        Whether the verification passed.

    Raises:
        BadInputError: the task is not known or has no demo.
    """
    suite = _suite_of(task, quick)
    console = Console(stderr=True, highlight=False)
    clock = _Stopwatch(console)
    require_writable_folder(out)

    clock.stage("1/4 collect flights, train, quantise")
    budget, policy = "quick" if quick else "standard", out / "policy"
    resume = (policy / "training").exists()
    bundle = api.train(task, policy, seed=SEED, budget=budget, resume=resume)
    clock.stage(f"2/4 export C for {TARGET}")
    firmware = api.export(bundle, target=TARGET, out=out / "firmware").as_json()
    clock.stage("3/4 fly unseen courses with every runtime and compare the rungs")
    verdict = api.verify(bundle, suite=suite.name, target=TARGET, log_dir=out / "flights")
    clock.stage("4/4 draw the trajectories, film a flight")
    logs = [
        FlightLog.load(flight.log_path)
        for row in verdict.rows
        if row.runtime in DRAWN
        for flight in row.flights
        if flight.log_path is not None
    ]
    trajectories_png(logs, out / "trajectories.png")
    _film(next(log for log in logs if log.meta["runtime"] == FILMED), suite, out / "flight.mp4")
    clock.stop()

    document: dict[str, Any] = {
        "verify": verdict.as_json(),
        "firmware": firmware,
        "seconds": clock.seconds,
    }
    write_atomic(out / "summary.json", json.dumps(document, indent=2).encode())
    text = verify_text(verdict, firmware)
    write_atomic(out / "summary.txt", text.encode())
    print(text)  # noqa: T201 (this is what the demo is for)
    print(f"Took {sum(clock.seconds.values()):.0f} s. Everything is in {out}/.")  # noqa: T201
    return verdict.passed


def _suite_of(task: str, quick: bool) -> Suite:
    demos = [name.removesuffix("_demo") for name in suites() if name.endswith("_demo")]
    if FLOWN_TASKS.find(task).name not in demos:
        raise BadInputError(f"--task {task}: there is no demo of it{did_you_mean(task, demos)}")
    return load_suite(f"{task}_{'smoke' if quick else 'demo'}")


def _film(log: FlightLog, suite: Suite, path: Path) -> None:
    scenario = next(
        scenario
        for scenario, seed in suite_flights(suite)
        if scenario.name == log.meta["scenario"] and seed == log.meta["seed"]
    )
    write_video(log, scenario, path)


class _Stopwatch:
    """Prints the name of each stage on stderr and measures its duration."""

    def __init__(self, console: Console) -> None:
        self.seconds: dict[str, float] = {}
        self._console = console
        self._name = ""
        self._start = 0.0

    def stage(self, name: str) -> None:
        """End the previous stage and begin this one."""
        self.stop()
        self._name, self._start = name, time.monotonic()
        self._console.print(f"[bold]{name}[/bold]")

    def stop(self) -> None:
        """End the current stage."""
        if self._name:
            self.seconds[self._name] = round(time.monotonic() - self._start, 1)
            self._name = ""
