"""Quantise the float network of a finished bundle again, by PTQ or QAT."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.foundation.files import require_writable_folder
from bytewing.foundation.fleet import default_jobs
from bytewing.foundation.progress import progress_bar
from bytewing.policies.assemble import save_quantised
from bytewing.policies.bundle import PolicyBundle
from bytewing.policies.collect import CollectJob, collect
from bytewing.policies.compress.qat import quantisation_aware
from bytewing.policies.compress.quantize import CALIBRATION_FRAMES, post_training
from bytewing.policies.dataset import MANIFEST, Dataset, read_dataset
from bytewing.policies.nets.convnet import fold, initialised, load_weights
from bytewing.policies.splits import Split, seed_of
from bytewing.policies.tasks.registry import LEARNED_TASKS
from bytewing.policies.train import TrainPlan
from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import load_camera
from bytewing.sim.distribution import load_distribution

METHODS = ("ptq", "qat")
# A bundle without its training data is calibrated on new flights of its own network. Their number
# suffices for the ranges of PTQ and a thousand steps of QAT; training runs do not use their seeds.
FRESH_FLIGHTS, FRESH_FLIGHT_S, FRESH_SEED_INDEX = 24, 12.0, 950_000
QAT_EPOCHS = 4


def requantize(bundle: PolicyBundle, method: str, *, jobs: int | None = None) -> PolicyBundle:
    """Replace the int8 network and the golden vectors of a bundle; return the new bundle.

    Calibration and, for "qat", training use the training data of the bundle if its folder has
    ``training/``, else new flights over training courses.

    Args:
        bundle: made by ``train_policy``; its files are replaced only at the end.
        method: "ptq" or "qat".
        jobs: number of processes that fly; None for all cores.

    Raises:
        BadInputError: unknown method, a folder that cannot be written, damaged training data.
    """
    if method not in METHODS:
        raise BadInputError(f"method {method!r} is not known{did_you_mean(method, METHODS)}")
    require_writable_folder(bundle.path)
    golden = bundle.golden()
    task = LEARNED_TASKS.find(bundle.spec.task)
    network = initialised(task, 0)
    load_weights(network, bundle.file("weights.safetensors"))
    with TemporaryDirectory() as folder:
        data = _training_data(bundle, Path(folder), jobs or default_jobs())
        examples = data.examples(task.input)
        sample = examples.inputs(examples.spread(CALIBRATION_FRAMES))
        quantised = post_training(fold(network), sample)
        if method == "qat":
            plan = TrainPlan(
                bundle.spec.provenance.seed,
                QAT_EPOCHS,
                task.fit,
                augmentation=task.augmentation,
            )
            with progress_bar("quantisation-aware training: epochs", QAT_EPOCHS) as advance:
                quantised = quantisation_aware(
                    quantised,
                    examples,
                    task.outputs,
                    plan,
                    Path(folder) / "qat.safetensors",
                    advance,
                )
    return save_quantised(
        bundle.path,
        bundle.spec,
        quantised,
        golden.frames,
        golden_senses=golden.senses,
        golden_route=golden.route,
    )


def _training_data(bundle: PolicyBundle, folder: Path, jobs: int) -> Dataset:
    own = bundle.path / "training" / "dataset"
    if (own / MANIFEST).exists():
        return read_dataset(own, Split.TRAIN)
    declared = load_distribution(LEARNED_TASKS.find(bundle.spec.task).distribution)
    camera = load_camera(bundle.spec.camera)
    flights = [
        CollectJob(
            task=bundle.spec.task,
            folder=folder,
            split=Split.TRAIN,
            distribution=declared,
            airframe=load_airframe(declared.airframe),
            camera=camera,
            course_seed=seed_of(Split.TRAIN, FRESH_SEED_INDEX + index),
            round=0,
            index=index,
            learner=bundle.file("float.onnx").read_bytes(),
            teacher_share=0.5,
            time_limit_s=FRESH_FLIGHT_S,
        )
        for index in range(FRESH_FLIGHTS)
    ]
    with progress_bar("calibration flights", len(flights)) as advance:
        return read_dataset(folder, Split.TRAIN, collect(flights, jobs=jobs, advance=advance))
