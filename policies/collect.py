"""Collect training data with DAgger: rollouts in which the teacher labels every frame.

A network trained only on flights of the teacher never sees states that follow from its own errors
(Ross, Gordon and Bagnell 2011, arXiv 1011.0686). In later rounds, learner and teacher therefore fly
in turns, and the teacher labels all frames. In all rounds, velocity bursts push the drone off its
path, so that the data contains recoveries.
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

from bytewing.foundation.errors import BadInputError
from bytewing.foundation.fleet import run
from bytewing.foundation.progress import Advance
from bytewing.foundation.rng import stream
from bytewing.policies.dataset import (
    MANIFEST,
    FlightEntry,
    FlightFrames,
    Manifest,
    check_entry,
    entry_of,
    read_manifest,
    write_manifest,
)
from bytewing.policies.guidance.answer import COMMAND_SIZE, Step
from bytewing.policies.guidance.registry import make_guide
from bytewing.policies.network_inputs import make_look
from bytewing.policies.pilot import PolicyPilot
from bytewing.policies.runtimes import Infer, float_inference
from bytewing.policies.splits import Split, require
from bytewing.policies.tasks.registry import LEARNED_TASKS
from bytewing.sim.airframe import Airframe
from bytewing.sim.camera.config import AnyCamera
from bytewing.sim.course import Course
from bytewing.sim.courses.registry import generate_course
from bytewing.sim.distribution import Distribution
from bytewing.sim.flight import FlightSetup, fly
from bytewing.sim.pilot import PrivilegedObservation
from bytewing.sim.senses import SENSES_SIZE

# Teacher and learner fly turns of this length: long enough for the errors of the learner to grow,
# short enough for several turns in a flight.
TURN_S = 1.5
# Latencies of training flights: none, and that of a microcontroller with its link.
LATENCIES_S = (0.0, 0.02, 0.04)


@dataclass(frozen=True)
class CollectJob:
    """One flight to collect; picklable, and it determines the flight completely.

    Attributes:
        task: task to learn.
        folder: folder of the dataset.
        split: split that the course seed must belong to.
        distribution: distribution of courses and conditions.
        airframe: airframe of the drone.
        camera: camera of the drone.
        course_seed: seed of the course and of the flight.
        round: DAgger round, 0 for teacher flights.
        index: index of the flight within the round.
        learner: content of a float ONNX model; empty for teacher flights.
        teacher_share: probability that the teacher flies a turn.
        time_limit_s: simulated time limit of the flight.
    """

    task: str
    folder: Path
    split: Split
    distribution: Distribution
    airframe: Airframe
    camera: AnyCamera
    course_seed: int
    round: int
    index: int
    learner: bytes
    teacher_share: float
    time_limit_s: float

    @property
    def path(self) -> Path:
        """Path of the file with the frames of the flight."""
        return self.folder / f"round{self.round}_flight{self.index:04d}.npz"

    def facts(self) -> dict[str, Any]:
        """Return the fields that determine the flight, as JSON values."""
        return {
            "task": self.task,
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


class CollectingPolicy:
    """Fly teacher and learner in turns with velocity bursts, and store the teacher's labels.

    It is a ``bytewing.policies.pilot.Policy``; the command in its answer includes the burst.

    Attributes:
        frames: camera frames (H, W), or the last input channel if there is no camera frame.
        labels: labels (K,) of each frame, NaN if the teacher has none.
        senses: sensor readings of each frame.
    """

    view: type[PrivilegedObservation] = PrivilegedObservation

    def __init__(self, job: CollectJob, course: Course, learner: Infer | None) -> None:
        task = LEARNED_TASKS.find(job.task)
        self.frames: list[NDArray[np.uint8]] = []
        self.labels: list[NDArray[np.float32]] = []
        self.senses: list[NDArray[np.float32]] = []
        self._task, self._seed = task, job.course_seed
        self._teacher = task.teacher(course, job.camera)
        self._learner = learner
        self._teacher_share = job.teacher_share if learner is not None else 1.0
        self._look = make_look(task.input)
        self.needs_frames = self._look.needs_frames
        self._guide = make_guide(task.guidance(job.camera))

    def reset(self, route: NDArray[np.float32]) -> None:
        """Start a flight."""
        self.frames.clear()
        self.labels.clear()
        self.senses.clear()
        self._teacher.reset()
        self._look.reset()
        self._guide.reset(route)
        self._turns = stream(self._seed, "collect.turns")
        self._bursts = stream(self._seed, "collect.bursts")
        self._turn_ends_s = 0.0
        self._teacher_flies = True
        self._burst = np.zeros(COMMAND_SIZE)
        self._burst_ends_s = 0.0
        self._next_burst_s = float(self._bursts.uniform(*self._task.bursts.pause_s))

    def step(self, seen: PrivilegedObservation) -> Step:
        """Label the frame and return the answer of the policy in control, plus the burst."""
        inputs = self._look.push(seen.frame, seen.senses)
        # A network that reads the senses has no camera frames; its input is stored instead.
        self.frames.append(inputs[-1] if seen.frame is None else seen.frame)
        labels = self._teacher.labels(seen)
        self.labels.append(labels)
        self.senses.append(seen.senses)
        outputs = self._infer(inputs, labels, seen.t_s)
        answer = self._guide.step(outputs, seen.senses)
        pushed = answer[:COMMAND_SIZE] + self._push(seen.t_s)
        answer = np.concatenate([pushed.astype(np.float32), answer[COMMAND_SIZE:]])
        return Step(outputs, answer, self._guide.report)

    def _infer(
        self, inputs: NDArray[np.uint8], labels: NDArray[np.float32], t_s: float
    ) -> NDArray[np.float32]:
        """Return the outputs (K,) of the policy in control."""
        if t_s >= self._turn_ends_s:
            self._teacher_flies = self._turns.random() < self._teacher_share
            self._turn_ends_s = t_s + TURN_S
        if self._learner is None or self._teacher_flies:
            return np.nan_to_num(labels, nan=0.0)
        return self._learner(inputs).astype(np.float32)

    def _push(self, t_s: float) -> NDArray[np.float64]:
        rng, bursts = self._bursts, self._task.bursts
        if t_s >= self._next_burst_s:
            self._burst = rng.uniform(-1, 1, COMMAND_SIZE) * np.array(bursts.peak)
            self._burst_ends_s = t_s + rng.uniform(*bursts.burst_s)
            self._next_burst_s = self._burst_ends_s + rng.uniform(*bursts.pause_s)
        return self._burst if t_s < self._burst_ends_s else np.zeros(COMMAND_SIZE)


def collecting_pilot(
    policy: CollectingPolicy, route: NDArray[np.float32], seed: int
) -> PolicyPilot[PrivilegedObservation]:
    """Return the pilot that flies ``policy`` with a latency drawn from ``seed``."""
    latency_s = float(stream(seed, "collect.latency").choice(LATENCIES_S))
    return PolicyPilot(policy, route=route, latency_s=latency_s)


def collect_flight(job: CollectJob) -> FlightFrames:
    """Fly one job and return its frames; runs in a worker, which may be on another machine."""
    require(job.split, job.course_seed)
    task = LEARNED_TASKS.find(job.task)
    course = generate_course(job.distribution.course, job.course_seed)
    learner = float_inference(job.learner) if job.learner else None
    policy = CollectingPolicy(job, course, learner)
    pilot = collecting_pilot(policy, course.route, job.course_seed)
    setup = FlightSetup(
        course=course,
        airframe=job.airframe,
        camera=job.camera,
        seed=job.course_seed,
        time_limit_s=job.time_limit_s,
        conditions=job.distribution,
    )
    log = fly(setup, pilot)
    facts = {key: log.meta[key] for key in ("outcome", "latency_s", "tool_version", "course")}
    return FlightFrames(
        frames=np.stack(policy.frames),
        labels=np.array(policy.labels, np.float32).reshape(-1, task.output_size),
        senses=np.array(policy.senses, np.float32).reshape(-1, SENSES_SIZE),
        tick=log.arrays["camera.tick"],
        meta={**job.facts(), **facts},
    )


def _flown_before(job: CollectJob) -> FlightEntry | None:
    """Return the entry of a flight on disk; BadInputError if the file is of another run."""
    if not job.path.exists():
        return None
    found = FlightFrames.load(job.path)
    if {key: found.meta.get(key) for key in job.facts()} != job.facts():
        raise BadInputError(
            f"{job.path}: belongs to another run; choose another folder or delete it"
        )
    return entry_of(job.path)


def collect(
    flights: Sequence[CollectJob],
    kept: Sequence[FlightEntry] = (),
    *,
    jobs: int = 1,
    advance: Advance | None = None,
    executor: Executor | None = None,
) -> Manifest:
    """Fly all flights of a dataset and write its manifest, which begins with the flights ``kept``.

    Flights that an interrupted run left on disk are used again; a file that its manifest lists must
    match the hash there.
    """
    first = flights[0]
    folder, split, camera = first.folder, first.split, first.camera.name
    if (folder / MANIFEST).exists():
        for entry in read_manifest(folder).flights:
            check_entry(folder, entry)
    found = [_flown_before(job) for job in flights]
    missing = [job for job, entry in zip(flights, found, strict=True) if entry is None]
    if advance and len(missing) < len(flights):
        advance(len(flights) - len(missing))

    def keep(index: int, flight: FlightFrames) -> FlightEntry:
        flight.save(missing[index].path)
        return entry_of(missing[index].path)

    flown = iter(
        run(collect_flight, missing, jobs=jobs, advance=advance, executor=executor, each=keep)
    )
    entries = [entry or next(flown) for entry in found]
    task = LEARNED_TASKS.find(first.task)
    manifest = Manifest(
        task=task.name,
        outputs=task.label_names,
        camera=camera,
        split=split.label,
        flights=(*kept, *entries),
    )
    if not (folder / MANIFEST).exists() or len(read_manifest(folder).flights) < len(
        manifest.flights
    ):
        write_manifest(folder, manifest)
    return manifest
