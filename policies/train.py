"""Train a network on labelled frames, reproducibly for a seed and with checkpoints.

All randomness of an epoch (order, augmentation) derives from the seed and the epoch number. A
checkpoint therefore holds only weights, optimiser moments and the epoch, and a resumed run gives
the same bytes as an uninterrupted one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bytewing.foundation.errors import BadInputError
from bytewing.foundation.files import write_atomic
from bytewing.foundation.progress import Advance
from bytewing.foundation.rng import stream
from bytewing.policies.dataset import Examples
from bytewing.policies.tasks.task import Augmentation, Fit, Output

# Sums over a batch depend on how many threads share it, so their number is fixed. One: on a network
# this small a second one gains a third on an idle machine and loses half on a busy one.
THREADS = 1
# Processors without it do such products in software, which is slower than float32.
BFLOAT16 = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))

T = TypeVar("T")


@dataclass(frozen=True)
class TrainPlan:
    """Plan of a training run.

    Attributes:
        seed: seed of order and augmentation.
        epochs: number of epochs.
        fit: parameters of the optimiser.
        augmentation: variation of the frames; None for no variation.
        epoch_frames: number of frames in an epoch, drawn anew for each; None for all frames.
    """

    seed: int
    epochs: int
    fit: Fit = field(default_factory=Fit)
    augmentation: Augmentation | None = None
    epoch_frames: int | None = None


@contextlib.contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Run the block with deterministic algorithms, fixed threads and a seeded torch generator."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.use_deterministic_algorithms(deterministic)
        torch.set_num_threads(threads)


def fit(
    network: nn.Module,
    data: Examples,
    outputs: Sequence[Output],
    plan: TrainPlan,
    checkpoint: Path,
    advance: Advance | None = None,
) -> None:
    """Train ``network`` in place; continue from ``checkpoint`` if this run wrote it.

    Args:
        network: maps inputs (N, C, H, W) in [0, 1] to (N, K): values, and logits of probabilities.
        data: training examples.
        outputs: the outputs that the K columns belong to, in order.
        plan: training plan.
        checkpoint: file written after each epoch; if it is complete, the call only loads it.
        advance: called once per epoch with the mean loss.
    """
    start = _identity(network, data, plan)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=plan.fit.learning_rate, weight_decay=plan.fit.weight_decay
    )
    done = _restore(checkpoint, network, optimizer, start)
    if advance and done:
        advance(done)
    for epoch in range(done, plan.epochs):
        loss = _epoch(network, optimizer, data, outputs, plan, epoch)
        _save(checkpoint, network, optimizer, {**start, "epoch": epoch + 1})
        if advance:
            advance(1, f"loss {loss:.4f}")


def _epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Examples,
    outputs: Sequence[Output],
    plan: TrainPlan,
    epoch: int,
) -> float:
    rng = stream(plan.seed, f"train/epoch{epoch}")
    order = rng.permutation(len(data))[: plan.epoch_frames]
    # The last, smaller batch is dropped: batch normalisation over a few frames is noise.
    batch = min(plan.fit.batch, len(order))
    n_steps = len(order) // batch
    total = 0.0
    network.train()
    torch_seed = int(rng.integers(2**31))
    batches = _ahead(_batches(data, outputs, plan, order[: n_steps * batch], batch, rng))
    with repeatable(torch_seed), contextlib.closing(batches):
        for step in range(n_steps):
            rate = learning_rate(plan, epoch * n_steps + step, plan.epochs * n_steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            frames, labels = next(batches)
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=plan.fit.bfloat16 and BFLOAT16):
                predicted = network(frames)
            loss = loss_of(predicted.float(), labels, outputs)
            loss.backward()
            optimizer.step()
            total += loss.item()
    if not math.isfinite(total):
        raise BadInputError("training diverged (the loss is not finite); lower the learning rate")
    return total / n_steps


def _batches(
    data: Examples,
    outputs: Sequence[Output],
    plan: TrainPlan,
    order: NDArray[np.int64],
    batch: int,
    rng: np.random.Generator,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield frames and labels, batch by batch."""
    for first in range(0, len(order), batch):
        rows = np.sort(order[first : first + batch])
        frames = torch.from_numpy(data.inputs(rows)).float() / 255
        labels = torch.from_numpy(data.labels[rows])
        if plan.augmentation is not None:
            if plan.augmentation.mirrors:
                frames, labels = mirrored(frames, labels, outputs, rng)
            frames = augmented(frames, plan.augmentation, rng)
        yield frames, labels


def _ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield the same items; a thread makes the next item while the caller uses the present one."""
    done = object()
    threads = partial(torch.set_num_threads, THREADS)
    with ThreadPoolExecutor(1, initializer=threads) as worker:
        coming = worker.submit(next, items, done)
        while (item := coming.result()) is not done:
            coming = worker.submit(next, items, done)
            yield cast(T, item)


def learning_rate(plan: TrainPlan, step: int, n_steps: int) -> float:
    """Return the rate at a step: a linear warm-up over the first 5 %, then a half cosine."""
    warm_up = max(1, n_steps // 20)
    if step < warm_up:
        return plan.fit.learning_rate * (step + 1) / warm_up
    progress = (step - warm_up) / max(1, n_steps - warm_up)
    return plan.fit.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def loss_of(predicted: Tensor, labels: Tensor, outputs: Sequence[Output]) -> Tensor:
    """Return the loss, summed over outputs and their cells; NaN labels do not contribute.

    Smooth L1 on values, cross-entropy with soft labels on probabilities.

    Args:
        predicted: (N, K) values, and logits of probabilities.
        labels: (N, K).
        outputs: the outputs that the K columns belong to, in order.
    """
    total = torch.zeros(())
    sizes = [output.size for output in outputs]
    parts = zip(outputs, predicted.split(sizes, 1), labels.split(sizes, 1), strict=True)
    for output, values, wanted in parts:
        known = ~torch.isnan(wanted)
        if not known.any():
            continue
        value, label = values[known], wanted[known]
        if output.kind == "probability":
            cost = functional.binary_cross_entropy_with_logits(value, label)
        else:
            cost = output.knee * functional.smooth_l1_loss(value, label, beta=output.knee)
        # A frame's cell counts alike in every batch, however many of its batch have a label.
        total = total + output.weight * output.size * cost * known.float().mean()
    return total


def loss_of_outputs(
    values: NDArray[np.float32], labels: NDArray[np.float32], outputs: Sequence[Output]
) -> float:
    """Return the same loss of real-valued outputs (N, K), to compare float and int8 networks."""
    predicted = values.copy()
    ends = np.cumsum([output.size for output in outputs])
    for output, part in zip(outputs, np.split(predicted, ends[:-1], axis=1), strict=True):
        if output.kind == "probability":  # half a step of the int8 output from certainty
            probability = np.clip(part, 1 / 512, 1 - 1 / 512)
            part[:] = np.log(probability / (1 - probability))
        else:
            part[:] = np.clip(part, *output.limits)
    return float(loss_of(torch.from_numpy(predicted), torch.from_numpy(labels), outputs))


def mirrored(
    frames: Tensor, labels: Tensor, outputs: Sequence[Output], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return frames and labels, half of them mirrored left-right."""
    turned = torch.from_numpy(rng.random(len(frames)) < 0.5)
    frames = torch.where(turned[:, None, None, None], frames.flip(3), frames)
    parts = labels.split([output.size for output in outputs], 1)
    mirror = torch.cat([_mirror(*pair) for pair in zip(parts, outputs, strict=True)], 1)
    return frames, torch.where(turned[:, None], mirror, labels)


def _mirror(labels: Tensor, output: Output) -> Tensor:
    """Return the labels (N, cells) of one output for mirrored frames."""
    flipped: Tensor = labels.unflatten(1, output.cells).flip(2).flatten(1)
    return -flipped if output.mirrors else flipped


def augmented(frames: Tensor, how: Augmentation, rng: np.random.Generator) -> Tensor:
    """Return frames (N, C, H, W) with random contrast, brightness, shading and noise.

    Contrast scales about the mean of the frame; shading is a gradient across the frame.
    """
    n, _, height, width = frames.shape

    def draw(low: float, high: float) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (n, 1, 1, 1)).astype(np.float32))

    mean = frames.mean(dim=(1, 2, 3), keepdim=True)
    frames = (frames - mean) * draw(*how.contrast) + mean + draw(-how.brightness, how.brightness)
    if how.shading > 0:
        across = torch.linspace(-1, 1, width).reshape(1, 1, 1, width)
        down = torch.linspace(-1, 1, height).reshape(1, 1, height, 1)
        slopes = draw(-how.shading, how.shading), draw(-how.shading, how.shading)
        frames = frames * (1 + slopes[0] * across + slopes[1] * down)
    if how.noise > 0:
        frames = frames + draw(0.0, how.noise) * _noise(frames.shape, rng)
    return frames.clamp(0, 1)


def _noise(shape: torch.Size, rng: np.random.Generator) -> Tensor:
    """Return normal noise; frames share one long strip of it, since drawing it all is slow."""
    size = shape[1:].numel()
    strip = torch.from_numpy(rng.standard_normal(16 * size, dtype=np.float32))
    starts = torch.from_numpy(rng.integers(0, 15 * size, (shape[0], 1)))
    return strip[starts + torch.arange(size)].reshape(shape)


def _identity(network: nn.Module, data: Examples, plan: TrainPlan) -> dict[str, Any]:
    """Return what identifies a training run: plan, data and initial weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.numpy().tobytes())
    text = json.dumps(asdict(plan))  # as a checkpoint keeps it, which knows no tuples
    return {"plan": json.loads(text), "data": data.sha256, "start": digest.hexdigest()}


def _save(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, facts: Mapping[str, Any]
) -> None:
    arrays = {f"network/{k}": v for k, v in network.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        arrays.update({f"optimizer/{index}/{k}": v for k, v in moments.items()})
    metadata = {"facts": json.dumps(facts, sort_keys=True)}
    write_atomic(path, safetensors.torch.save(arrays, metadata))


def _restore(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, start: Mapping[str, Any]
) -> int:
    """Load a checkpoint into network and optimiser; return the epochs done, 0 without one."""
    if not path.exists():
        return 0
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()["facts"])
            arrays = {key: file.get_tensor(key) for key in file.keys()}
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise BadInputError(
            f"{path}: not a checkpoint: {error}; delete it to train anew"
        ) from error
    if {key: facts.get(key) for key in start} != start:
        raise BadInputError(
            f"{path}: belongs to another run (other data, seed or budget); delete it to train anew"
        )
    prefix = "network/"
    network.load_state_dict(
        {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    )
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in arrays.items():
        if not key.startswith(prefix):
            _, index, name = key.split("/")
            moments.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return int(facts["epoch"])
