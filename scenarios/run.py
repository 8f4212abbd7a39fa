"""Fly one job and return its flight log and result; a job is plain data, for any process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from bytewing.firmware_export.target import Target
from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import PolicyBundle
from bytewing.scenarios.metrics import flight_metrics
from bytewing.scenarios.pilots import int8_reference, make_pilot
from bytewing.scenarios.replay import replay
from bytewing.scenarios.results import FlightResult, Metrics
from bytewing.scenarios.schema import Scenario
from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import load_camera
from bytewing.sim.courses.registry import generate_course
from bytewing.sim.flight import FlightSetup, Watch, fly
from bytewing.sim.flight_log import FlightLog
from bytewing.sim.plant import SimulationError

DIVERGED_LOGS = Path("out") / "diverged"
"""Folder for the log of a diverged flight whose job names no log folder."""


@dataclass(frozen=True)
class FlightJob:
    """One flight to be flown; the job and the code determine every byte of the log.

    Attributes:
        scenario: the scenario.
        seed: seed of the flight, which selects an instance of the scenario.
        runtime: a rung of the ladder or a baseline (see ``bytewing.scenarios.pilots``).
        bundle: the policy; None for pilots without a network.
        target: the microcontroller of runtime ``mcu``.
        log_dir: folder for the flight log; None writes no log.
        compare: whether to replay the flight's frames through the int8 reference.
    """

    scenario: Scenario
    seed: int
    runtime: str
    bundle: PolicyBundle | None = None
    _: KW_ONLY
    target: Target | None = None
    log_dir: Path | None = None
    compare: bool = False

    @property
    def log_name(self) -> str:
        """File name of the flight log."""
        return f"{self.scenario.name}_{self.seed}_{self.runtime}.flight"

    @property
    def log_path(self) -> Path | None:
        """Path of the flight log; None if it is not written."""
        return None if self.log_dir is None else self.log_dir / self.log_name


def fly_log(job: FlightJob, *, watch: Watch | None = None, gui: bool = False) -> FlightLog:
    """Fly a job in this process and return its whole log.

    Args:
        job: the flight.
        watch: called once per camera tick, for windows and videos.
        gui: whether to open PyBullet's window.

    Raises:
        BadInputError: a file or value that the scenario names is invalid.
        SimulationError: the simulation diverged; the error names the log up to that point.
    """
    scenario = job.scenario
    with _source_in_errors(job):
        course = generate_course(scenario.course, job.seed)
        camera, airframe = load_camera(scenario.camera), load_airframe(scenario.airframe)
    pilot = make_pilot(
        job.runtime,
        scenario.task,
        course,
        camera,
        bundle=job.bundle,
        target=job.target,
        latency_s=scenario.latency_s,
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
        with _source_in_errors(job):
            return fly(setup, pilot, watch)
    except SimulationError as error:
        if error.log is None:
            raise
        path = job.log_path or DIVERGED_LOGS / job.log_name
        error.log.save(path)
        raise SimulationError(f"{error}; its log up to there: {path}") from error


@contextmanager
def _source_in_errors(job: FlightJob) -> Iterator[None]:
    """Prefix the message of a BadInputError with the file of the scenario and the seed."""
    try:
        yield
    except BadInputError as error:
        raise BadInputError(f"{job.scenario.source}: seed {job.seed}: {error}") from error


def finish(job: FlightJob, log: FlightLog) -> FlightResult[Metrics]:
    """Compute the metrics of a job's log; replay and write the log if the job requests it."""
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


def fly_job(job: FlightJob) -> FlightResult[Metrics]:
    """Fly a job and return its result; worker processes run this."""
    return finish(job, fly_log(job))
