"""Train a policy: collect and label flights, train, quantise, and write a bundle.

    OUT/policy.toml, …           the bundle, written last
    OUT/training/run.json        arguments of the run; a resumed run must have the same
    OUT/training/dataset/        labelled training flights
    OUT/training/validation/     the same from validation courses
    OUT/training/*.safetensors   a checkpoint for each stage

Every step stores its result there. A resumed run repeats the steps and loads the stored results.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.foundation.files import require_writable_folder, write_atomic
from bytewing.foundation.fleet import default_jobs, process_pool
from bytewing.foundation.progress import progress_bar
from bytewing.foundation.rng import stream
from bytewing.policies.assemble import float_files, save_quantised
from bytewing.policies.bundle import PolicyBundle, PolicySpec, Provenance
from bytewing.policies.collect import CollectJob, collect
from bytewing.policies.compress.qat import quantisation_aware
from bytewing.policies.compress.quantize import (
    CALIBRATION_FRAMES,
    QuantisedNetwork,
    post_training,
    run_batched,
)
from bytewing.policies.dataset import Dataset, FlightEntry, read_dataset
from bytewing.policies.nets.convnet import ConvNet, fold, initialised, load_weights, weights_of
from bytewing.policies.nets.folded import FoldedNetwork, float_model, model_bytes
from bytewing.policies.network_inputs import network_inputs
from bytewing.policies.splits import Split, seed_of
from bytewing.policies.tasks.registry import LEARNED_TASKS
from bytewing.policies.tasks.task import Budget, LearnedTask
from bytewing.policies.train import TrainPlan, fit, loss_of_outputs
from bytewing.sim.airframe import Airframe, load_airframe
from bytewing.sim.camera.config import AnyCamera, load_camera
from bytewing.sim.courses.registry import generate_course
from bytewing.sim.distribution import Distribution, load_distribution

# Largest number of validation frames on which losses are compared.
VALIDATION_FRAMES = 12_000
# Golden vectors come from this many frames of a flight, on test courses far from those of suites.
GOLDEN_FRAMES = 32
GOLDEN_SEED_INDEX = 900_000


@dataclass(frozen=True)
class _Run:
    """A training run: its arguments, and the executor of its flights."""

    task: LearnedTask
    out: Path
    seed: int
    budget: Budget
    distribution: Distribution
    executor: Executor | None

    @cached_property
    def airframe(self) -> Airframe:
        return load_airframe(self.distribution.airframe)

    @cached_property
    def camera(self) -> AnyCamera:
        return load_camera(self.distribution.camera)

    def plan(self, seed: int, epochs: int) -> TrainPlan:
        """Return the training plan for this number of epochs."""
        return TrainPlan(
            seed,
            epochs,
            self.task.fit,
            augmentation=self.task.augmentation,
            epoch_frames=self.budget.epoch_frames,
        )

    @property
    def folder(self) -> Path:
        return self.out / "training"

    def jobs(self, split: Split, round_index: int, learner: bytes) -> list[CollectJob]:
        """Return the flights of a round; their courses follow those of the rounds before."""
        if split is Split.TRAIN:
            counts = [item.flights for item in self.budget.rounds]
            plan, before = self.budget.rounds[round_index], sum(counts[:round_index])
            count, share, name = plan.flights, plan.teacher_share, "dataset"
            flight_s = plan.flight_s or self.budget.flight_s
        else:
            flight_s = self.budget.flight_s
            before, count, share, name = 0, self.budget.validation_flights, 1.0, "validation"
        # Runs with different seeds see different courses of the same split.
        first = int(stream(self.seed, "train.courses").integers(900_000)) + before
        return [
            CollectJob(
                task=self.task.name,
                folder=self.folder / name,
                split=split,
                distribution=self.distribution,
                airframe=self.airframe,
                camera=self.camera,
                course_seed=seed_of(split, first + index),
                round=round_index,
                index=index,
                learner=learner,
                teacher_share=share,
                time_limit_s=flight_s,
            )
            for index in range(count)
        ]

    def collected(
        self, split: Split, round_index: int, learner: bytes, kept: Sequence[FlightEntry]
    ) -> Dataset:
        """Fly a round and return all data up to it."""
        jobs = self.jobs(split, round_index, learner)
        label = f"round {round_index}: flights" if split is Split.TRAIN else "validation flights"
        with progress_bar(label, len(jobs)) as advance:
            manifest = collect(jobs, kept, advance=advance, executor=self.executor)
        return read_dataset(jobs[0].folder, split, manifest)


def train_policy(
    task: str,
    out_dir: Path,
    *,
    seed: int = 0,
    budget: str = "standard",
    resume: bool = False,
    init_from: PolicyBundle | None = None,
    distribution: str | None = None,
    jobs: int | None = None,
    executor: Executor | None = None,
) -> PolicyBundle:
    """Train a policy from random weights (or those of ``init_from``) and return its bundle.

    Args:
        task: a name of ``bytewing.policies.tasks``.
        out_dir: the bundle's folder; must not hold a policy or a training run yet, unless resuming.
        seed: seed of all random choices.
        budget: "quick", "standard" or "full".
        resume: whether to continue an interrupted run with the same arguments.
        init_from: start from this policy's weights.
        distribution: distribution of the training flights: a name of
            ``bytewing.sim.distribution`` or the path of a TOML file; None for that of the task.
        jobs: number of processes that fly; None for all cores.
        executor: runs the flights instead of local processes.

    Raises:
        BadInputError: unknown task or budget, a folder that cannot be used.
    """
    learned = LEARNED_TASKS.find(task)
    if budget not in learned.budgets:
        hint = did_you_mean(budget, learned.budgets)
        raise BadInputError(f"budget {budget!r} is not known{hint}")
    out = Path(out_dir)
    declared = load_distribution(distribution or learned.distribution)
    asked: dict[str, str | int] = {"task": task, "seed": seed, "budget": budget}
    asked |= {"distribution": f"{declared.name} {declared.sha256[:12]}", "init": _name(init_from)}
    _claim(out, asked, resume)
    with ExitStack() as stack:
        jobs = jobs or default_jobs()
        if executor is None and jobs > 1:
            executor = stack.enter_context(process_pool(jobs))
        run = _Run(learned, out, seed, learned.budgets[budget], declared, executor)
        validation = run.collected(Split.VALIDATION, 0, b"", ())
        network, data = _dagger(run, init_from)
        folded = fold(network)
        quantised, losses = _shrunk(run, folded, data, validation)
        spec = PolicySpec(
            name=task,
            task=task,
            camera=declared.camera,
            input=learned.input,
            outputs=(),
            guidance=learned.guidance(run.camera),
            provenance=Provenance(
                bytewing_version=version("bytewing"),
                seed=seed,
                budget=budget,
                dataset_sha256=data.manifest.sha256,
                distribution=declared.name,
                distribution_sha256=declared.sha256,
                train_courses=f"{len(data.manifest.flights)} of the {Split.TRAIN}",
                notes=f"validation loss: {losses}",
            ),
        )
        golden = _golden(run, model_bytes(float_model(folded)))
    files = float_files(folded, weights_of(network))
    return save_quantised(
        out,
        spec,
        quantised,
        golden.frames,
        files=files,
        golden_senses=golden.senses,
        golden_route=golden.route,
    )


def _claim(out: Path, asked: dict[str, str | int], resume: bool) -> None:
    """Claim the output folder; BadInputError if it holds other work, so that nothing is lost."""
    path = out / "training" / "run.json"
    if path.exists():
        if not resume:
            raise BadInputError(
                f"{out}: holds a training run already; go on with --resume or choose another folder"
            )
        try:
            found = json.loads(path.read_bytes())
        except ValueError as error:
            raise BadInputError(
                f"{path}: not valid JSON: {error}; choose another folder"
            ) from error
        if found != asked:
            raise BadInputError(
                f"{path}: was started with {_shown(found)}, not {_shown(asked)}; "
                "resume with the same or choose another folder"
            )
    elif resume:
        raise BadInputError(f"{out}: holds no training run to resume; leave out --resume")
    elif (out / "policy.toml").exists():
        raise BadInputError(f"{out}: holds a policy already; choose another folder")
    require_writable_folder(out / "training")
    write_atomic(path, json.dumps(asked, indent=1).encode())


def _shown(asked: dict[str, str | int]) -> str:
    return ", ".join(f"{key} {value}" for key, value in asked.items() if value != "")


def _name(bundle: PolicyBundle | None) -> str:
    return "" if bundle is None else f"{bundle.spec.name} {bundle.sha256[:12]}"


def _dagger(run: _Run, init_from: PolicyBundle | None) -> tuple[ConvNet, Dataset]:
    """Run the DAgger rounds; return the trained network and its training data."""
    network = initialised(run.task, run.seed)
    if init_from is not None:
        load_weights(network, init_from.file("weights.safetensors"))
    learner = b""
    kept: tuple[FlightEntry, ...] = ()
    for index, plan in enumerate(run.budget.rounds):
        data = run.collected(Split.TRAIN, index, learner, kept)
        kept = data.manifest.flights
        checkpoint = run.folder / f"round{index}.safetensors"
        with progress_bar(f"round {index}: epochs", plan.epochs) as advance:
            how = run.plan(run.seed + index, plan.epochs)
            fit(network, data.examples(run.task.input), run.task.outputs, how, checkpoint, advance)
        learner = model_bytes(float_model(fold(network)))
    return network, data


def _shrunk(
    run: _Run, network: FoldedNetwork, data: Dataset, validation: Dataset
) -> tuple[QuantisedNetwork, str]:
    """Return the PTQ or QAT network with the lower validation loss, and the losses as text."""
    outputs, examples = run.task.outputs, data.examples(run.task.input)
    sample = examples.inputs(examples.spread(CALIBRATION_FRAMES))
    candidates = [post_training(network, sample)]
    plan = run.plan(run.seed, run.budget.qat_epochs)
    with progress_bar("quantisation-aware training: epochs", plan.epochs) as advance:
        checkpoint = run.folder / "qat.safetensors"
        candidates.append(
            quantisation_aware(candidates[0], examples, outputs, plan, checkpoint, advance)
        )
    unseen = validation.examples(run.task.input)
    rows = unseen.spread(VALIDATION_FRAMES)
    frames, labels = unseen.inputs(rows), unseen.labels[rows]
    losses = [loss_of_outputs(c.run(frames), labels, outputs) for c in candidates]
    answers = run_batched(model_bytes(float_model(network, "N")), frames)
    shown = [f"{c.method} {loss:.4f}" for c, loss in zip(candidates, losses, strict=True)]
    exact = f"float {loss_of_outputs(answers, labels, outputs):.4f}"
    return candidates[int(np.argmin(losses))], ", ".join([exact, *shown])


@dataclass(frozen=True)
class _Golden:
    """Inputs of the golden vectors: network inputs, senses and a route."""

    frames: NDArray[np.uint8]
    senses: NDArray[np.float32]
    route: NDArray[np.float32]


def _golden(run: _Run, learner: bytes) -> _Golden:
    """Return a subsample of the learner's inputs on two test courses, as one short flight."""
    jobs = []
    for index, asked in enumerate(run.task.golden_courses):
        course = run.distribution.course.model_copy(update=asked)
        distribution = run.distribution.model_copy(update={"course": course})
        jobs.append(
            CollectJob(
                task=run.task.name,
                folder=run.folder / "golden",
                split=Split.TEST,
                distribution=distribution,
                airframe=run.airframe,
                camera=run.camera,
                course_seed=seed_of(Split.TEST, GOLDEN_SEED_INDEX + index),
                round=0,
                index=index,
                learner=learner,
                teacher_share=0.0,
                time_limit_s=run.budget.flight_s,
            )
        )
    data = read_dataset(jobs[0].folder, Split.TEST, collect(jobs, executor=run.executor))
    rows = np.concatenate(
        [
            seen[np.linspace(0, len(seen) - 1, GOLDEN_FRAMES).astype(int)]
            for seen in (np.flatnonzero(data.flight == flight) for flight in range(len(jobs)))
        ]
    )
    # History grows from the frames that are left, as it will in code that is stepped with them.
    frames = network_inputs(data.frames[rows], data.senses[rows], run.task.input)
    first = generate_course(jobs[0].distribution.course, jobs[0].course_seed)
    return _Golden(frames, data.senses[rows], first.route)
