"""Flights as jobs: what is flown is plain data, so it does not matter which process flies it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bytewing.firmware_export.target import Target
from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import PolicyBundle
from bytewing.scenarios.metrics import flight_metrics
from bytewing.scenarios.pilots import int8_reference, make_pilot
from bytewing.scenarios.replay import Comparison, replay
from bytewing.scenarios.schema import Scenario
from bytewing.scenarios.stats import wilson_interval
from bytewing.scenarios.tasks.registry import FLOWN_TASKS
from bytewing.scenarios.tasks.task import FlightMetrics
from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import load_camera
from bytewing.sim.courses.registry import generate_course
from bytewing.sim.flight import FlightSetup, Watch, fly
from bytewing.sim.flight_log import FlightLog
from bytewing.sim.plant import SimulationError

DIVERGED_LOGS = Path("out") / "diverged"
"""Where the log of a flight that diverged goes when no folder for logs was named."""


@dataclass(frozen=True)
class FlightJob:
    """One flight to be flown; with the code it decides every byte of the log.

    Attributes:
        scenario: what is flown.
        seed: which instance of it.
        runtime: who flies (see ``bytewing.scenarios.pilots``).
        bundle: the policy; None for pilots without a network.
        target: the microcontroller of runtime ``mcu``.
        log_folder: where the log goes; None keeps none.
        compare: replay the flight's frames through the int8 reference.
    """

    scenario: Scenario
    seed: int
    runtime: str
    bundle: PolicyBundle | None = None
    target: Target | None = None
    log_folder: Path | None = None
    compare: bool = False

    @property
    def log_name(self) -> str:
        """Name of the log's file."""
        return f"{self.scenario.name}_{self.seed}_{self.runtime}.flight"

    @property
    def log_path(self) -> Path | None:
        """Where the log goes, if it is kept."""
        return None if self.log_folder is None else self.log_folder / self.log_name


@dataclass(frozen=True)
class FlightResult:
    """What is left of a flown job; small enough to be sent between processes.

    Attributes:
        scenario: name.
        seed: of the flight.
        runtime: who flew.
        log_sha256: hash of the flight log.
        metrics: of the flight.
        comparison: with the int8 reference, where asked for.
        log_path: where the log was written, if it was.
    """

    scenario: str
    seed: int
    runtime: str
    log_sha256: str
    metrics: FlightMetrics
    comparison: Comparison | None = None
    log_path: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the flight as ``fly --json`` lists it."""
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "runtime": self.runtime,
            "completed": self.metrics.completed,
            "outcome": self.metrics.outcome,
            "log_sha256": self.log_sha256,
            "metrics": self.metrics.as_json(),
        }


@dataclass(frozen=True)
class FlyReport:
    """Several flights of one task together.

    Attributes:
        task: theirs.
        flights: what came of each.
        unseen: what the scenario draws and the policy's training never did, a line a key
            (``bytewing.scenarios.seen``).
    """

    task: str
    flights: tuple[FlightResult, ...]
    unseen: tuple[str, ...] = ()

    @property
    def all_completed(self) -> bool:
        """Whether every flight was completed."""
        return all(flight.metrics.completed for flight in self.flights)

    def as_json(self) -> dict[str, Any]:
        """Return the document of ``fly --json``."""
        figures = FLOWN_TASKS.find(self.task).figures([flight.metrics for flight in self.flights])
        return {
            "flights": [flight.as_json() for flight in self.flights],
            "summary": {**summary(self.flights), **figures},
            "unseen": list(self.unseen),
        }


def summary(flights: Sequence[FlightResult]) -> dict[str, Any]:
    """Return how many flights there were, and how they ended."""
    metrics = [flight.metrics for flight in flights]
    completed = sum(m.completed for m in metrics)
    low, high = wilson_interval(completed, len(metrics))
    return {
        "flights": len(metrics),
        "completed": completed,
        "completed_fraction_low": low,
        "completed_fraction_high": high,
        "collisions": sum(m.collision for m in metrics),
    }


def fly_log(job: FlightJob, watch: Watch | None = None, gui: bool = False) -> FlightLog:
    """Fly a job here and return its whole log.

    Args:
        job: the flight.
        watch: called once a camera tick, for windows and videos.
        gui: open PyBullet's window.

    Raises:
        BadInputError: something the scenario names cannot be used.
        SimulationError: the simulation diverged; the error names the log of the flight up to there.
    """
    scenario = job.scenario
    with _naming(job):
        course = generate_course(scenario.course, job.seed)
        camera, airframe = load_camera(scenario.camera), load_airframe(scenario.airframe)
    pilot = make_pilot(
        job.runtime,
        scenario.task,
        course,
        camera,
        job.bundle,
        job.target,
        scenario.latency_s,
    )
    setup = FlightSetup(
        course=course,
        airframe=airframe,
        camera=camera,
        seed=job.seed,
        time_limit_s=scenario.time_limit_s,
        conditions=scenario,
        labels={
            "scenario": scenario.name,
            "task": scenario.task,
            "runtime": job.runtime,
            "policy_sha256": job.bundle.sha256 if job.bundle else "",
            "target": job.target.name if job.target and job.runtime == "mcu" else "",
        },
        gui=gui,
    )
    try:
        with _naming(job):
            return fly(setup, pilot, watch)
    except SimulationError as error:
        if error.log is None:
            raise
        path = job.log_path or DIVERGED_LOGS / job.log_name
        error.log.save(path)
        raise SimulationError(f"{error}; its log up to there: {path}") from error


@contextmanager
def _naming(job: FlightJob) -> Iterator[None]:
    """Say of what the rooms below refuse which scenario file it comes from, and on which seed."""
    try:
        yield
    except BadInputError as error:
        raise BadInputError(f"{job.scenario.source}: seed {job.seed}: {error}") from error


def finish(job: FlightJob, log: FlightLog) -> FlightResult:
    """Measure, compare and store a flown log as the job asks."""
    comparison = None
    if job.compare and job.bundle is not None:
        comparison = replay(log, int8_reference(job.bundle), job.bundle.spec.input.source)
    if job.log_path is not None:
        log.save(job.log_path)
    return FlightResult(
        scenario=job.scenario.name,
        seed=job.seed,
        runtime=job.runtime,
        log_sha256=log.sha256,
        metrics=flight_metrics(log),
        comparison=comparison,
        log_path=job.log_path,
    )


def fly_job(job: FlightJob) -> FlightResult:
    """Fly a job and keep what is asked for; what a worker process runs."""
    return finish(job, fly_log(job))
