"""Flights that make training data: the teacher labels every frame, whoever is flying.

DAgger (Ross, Gordon and Bagnell 2011, arXiv 1011.0686): a network trained on the teacher's flights
alone never sees its own mistakes, so in later rounds the learner is at the controls, taking turns
with the teacher, and the teacher says what it should have answered. In all rounds bursts of
foreign motion push the drone off its way, so that recovering is part of the data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.dataset import (
    MANIFEST,
    FlightEntry,
    FlightFrames,
    Manifest,
    check_entry,
    entry_of,
    read_manifest,
    write_manifest,
)
from policies.experts import ROAD_GUIDANCE, RoadTeacher
from policies.guidance import NO_ROUTE, as_command, make_guide
from policies.runtimes import Infer, float_inference
from policies.splits import Split, require
from sim.airframe import Airframe
from sim.camera.config import CameraConfig
from sim.courses.registry import generate_course
from sim.distribution import Distribution
from sim.errors import BadInputError
from sim.fleet import run
from sim.flight import FlightSetup, fly
from sim.pilot import Commanding, Observation, VelocityCommand
from sim.progress import Advance
from sim.rng import stream

# Teacher and learner take turns of this length: long enough for the learner to get into trouble
# of its own making, short enough for several turns a flight.
TURN_S = 1.5
# Foreign motion: a burst of up to these speeds for up to BURST_S, with pauses up to PAUSE_S.
BURST_FORWARD_M_S, BURST_LEFT_M_S, BURST_YAW_RATE_RAD_S = 0.3, 0.4, 1.8
BURST_S, PAUSE_S = (0.2, 0.7), (0.5, 3.0)
# Latencies to train under: none, and what a microcontroller's link and computing take.
LATENCIES_S = (0.0, 0.02, 0.04)


@dataclass(frozen=True)
class CollectJob:
    """One flight to collect; picklable, and all that decides the flight.

    Attributes:
        folder: of the dataset.
        split: that the course must belong to.
        distribution: what roads and conditions.
        airframe: with what drone.
        camera: seen through what.
        course_seed: which of them; also the seed of the flight.
        round: of DAgger, 0 for teacher flights.
        index: of the flight within the round.
        learner: content of a float ONNX model; empty for teacher flights.
        teacher_share: probability of a turn being the teacher's.
        time_limit_s: of the flight.
    """

    folder: Path
    split: Split
    distribution: Distribution
    airframe: Airframe
    camera: CameraConfig
    course_seed: int
    round: int
    index: int
    learner: bytes
    teacher_share: float
    time_limit_s: float

    @property
    def path(self) -> Path:
        """Where its frames go."""
        return self.folder / f"round{self.round}_flight{self.index:04d}.npz"

    def facts(self) -> dict[str, Any]:
        """Return what decides the flight, as JSON values."""
        return {
            "course_seed": self.course_seed,
            "round": self.round,
            "flight": self.index,
            "learner_sha256": hashlib.sha256(self.learner).hexdigest() if self.learner else "",
            "teacher_share": self.teacher_share,
            "time_limit_s": self.time_limit_s,
            "distribution": self.distribution.name,
            "distribution_sha256": self.distribution.sha256,
            "airframe": self.airframe.model_dump(mode="json"),
            "camera": self.camera.model_dump(mode="json"),
        }


class CollectingPilot(Commanding):
    """Flies by teacher and learner in turns, pushed about, and keeps the teacher's labels."""

    needs_frames = True

    def __init__(
        self, teacher: RoadTeacher, learner: Infer | None, teacher_share: float, seed: int
    ) -> None:
        self.latency_s = float(stream(seed, "collect.latency").choice(LATENCIES_S))
        self.outputs: NDArray[np.generic] = np.zeros(2, np.float32)
        self.labels: list[tuple[float, float]] = []
        self._teacher = teacher
        self._learner = learner
        self._teacher_share = teacher_share if learner is not None else 1.0
        self._seed = seed
        self._guide = make_guide(ROAD_GUIDANCE)
        self.reset()

    def reset(self) -> None:
        """Start a flight."""
        self.labels.clear()
        self._teacher.reset()
        self._guide.reset(NO_ROUTE)
        self._turns = stream(self._seed, "collect.turns")
        self._bursts = stream(self._seed, "collect.bursts")
        self._turn_ends_s = 0.0
        self._teacher_flies = True
        self._burst = np.zeros(4)
        self._burst_ends_s = 0.0
        self._next_burst_s = float(self._bursts.uniform(*PAUSE_S))

    def act(self, observation: Observation) -> VelocityCommand:
        """Label the frame and return the command of whoever's turn it is, plus the burst."""
        assert observation.frame is not None
        label = self._teacher.labels(observation.truth, observation.t_s)
        self.labels.append((label.steering, label.collision))
        if observation.t_s >= self._turn_ends_s:
            self._teacher_flies = self._turns.random() < self._teacher_share
            self._turn_ends_s = observation.t_s + TURN_S
        if self._learner is None or self._teacher_flies:
            self.outputs = np.array(label, np.float32)
        else:
            self.outputs = self._learner(observation.frame[np.newaxis])
        command = self._guide.step(self.outputs.astype(np.float32), observation.senses)
        pushed = command + self._push(observation.t_s)
        return as_command(pushed.astype(np.float32))

    def _push(self, t_s: float) -> NDArray[np.float64]:
        rng = self._bursts
        if t_s >= self._next_burst_s:
            peak = (BURST_FORWARD_M_S, BURST_LEFT_M_S, 0.0, BURST_YAW_RATE_RAD_S)
            self._burst = rng.uniform(-1, 1, 4) * np.array(peak)
            self._burst_ends_s = t_s + rng.uniform(*BURST_S)
            self._next_burst_s = self._burst_ends_s + rng.uniform(*PAUSE_S)
        return self._burst if t_s < self._burst_ends_s else np.zeros(4)


def collect_flight(job: CollectJob) -> FlightFrames:
    """Fly one job and return its frames; a worker runs it, perhaps on another machine."""
    require(job.split, job.course_seed)
    course = generate_course(job.distribution.course, job.course_seed)
    learner = float_inference(job.learner) if job.learner else None
    pilot = CollectingPilot(RoadTeacher(course), learner, job.teacher_share, job.course_seed)
    setup = FlightSetup(
        course=course,
        airframe=job.airframe,
        camera=job.camera,
        seed=job.course_seed,
        time_limit_s=job.time_limit_s,
        conditions=job.distribution,
    )
    log = fly(setup, pilot)
    labels = np.array(pilot.labels, np.float32).reshape(-1, 2)
    facts = {key: log.meta[key] for key in ("outcome", "latency_s", "tool_version", "course")}
    return FlightFrames(
        frames=log.arrays["camera.frames"],
        steering=labels[:, 0],
        collision=labels[:, 1],
        tick=log.arrays["camera.tick"],
        meta={**job.facts(), **facts},
    )


def _flown_before(job: CollectJob) -> FlightEntry | None:
    """Return the entry of a flight that is on disk already; BadInputError where it is another."""
    if not job.path.exists():
        return None
    found = FlightFrames.load(job.path)
    if {key: found.meta.get(key) for key in job.facts()} != job.facts():
        raise BadInputError(
            f"{job.path}: belongs to another run; choose another folder or delete it"
        )
    return entry_of(job.path)


def collect(
    jobs: Sequence[CollectJob],
    kept: Sequence[FlightEntry] = (),
    n_jobs: int = 1,
    advance: Advance | None = None,
    executor: Executor | None = None,
) -> Manifest:
    """Fly all jobs of one dataset and write its manifest: the flights ``kept`` and these.

    What an earlier, interrupted run has left is used; where its manifest vouched for a file, the
    file must still match.
    """
    folder, split, camera = jobs[0].folder, jobs[0].split, jobs[0].camera.name
    if (folder / MANIFEST).exists():
        for entry in read_manifest(folder).flights:
            check_entry(folder, entry)
    found = [_flown_before(job) for job in jobs]
    missing = [job for job, entry in zip(jobs, found, strict=True) if entry is None]
    if advance and len(missing) < len(jobs):
        advance(len(jobs) - len(missing))

    def keep(index: int, flight: FlightFrames) -> FlightEntry:
        flight.save(missing[index].path)
        return entry_of(missing[index].path)

    flown = iter(run(collect_flight, missing, n_jobs, advance, executor, keep))
    entries = [entry or next(flown) for entry in found]
    manifest = Manifest(task="road", camera=camera, split=split.label, flights=(*kept, *entries))
    if not (folder / MANIFEST).exists() or len(read_manifest(folder).flights) < len(
        manifest.flights
    ):
        write_manifest(folder, manifest)
    return manifest
