"""Fitting a network to labelled frames: repeatable for a seed, resumable after a kill.

Everything random of an epoch (order, augmentation) comes from the seed and the epoch's
number, so a checkpoint needs no generator state: weights, optimiser moments and the epoch are all
there is to know, and a run that was killed ends in the same bytes as one that was not.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from policies.dataset import Dataset
from sim.errors import BadInputError
from sim.files import write_atomic
from sim.progress import Advance
from sim.rng import stream

# Sums over a batch depend on how many threads share it, so their number is fixed. One: on a network
# this small a second one gains a third on an idle machine and loses half on a busy one.
THREADS = 1
# A steering error of 0.1 costs as much as 0.075 nat of collision doubt: chosen so that the
# two terms are alike on a trained network.
STEERING_WEIGHT = 15.0
# Errors beyond this grow linearly: near the ends of the range the label is clipped and noisy.
STEERING_KNEE = 0.2


@dataclass(frozen=True)
class TrainPlan:
    """How to fit.

    Attributes:
        seed: of order and augmentation.
        epochs: passes over the data.
        batch: frames a step.
        learning_rate: peak; warmed up over the first step fraction, then cosine to zero.
        augment: vary brightness, contrast, noise and side.
    """

    seed: int
    epochs: int
    batch: int = 128
    learning_rate: float = 3e-3
    augment: bool = True


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
    data: Dataset,
    plan: TrainPlan,
    checkpoint: Path,
    advance: Advance | None = None,
) -> None:
    """Fit ``network`` in place; goes on from ``checkpoint`` where it belongs to this very run.

    Args:
        network: maps frames (N, 1, H, W) in [0, 1] to steering (N,) and a collision logit (N,).
        data: what to learn.
        plan: how.
        checkpoint: written after each epoch; a finished one makes this call return at once.
        advance: called once an epoch with the mean loss.
    """
    start = _identity(network, data, plan)
    optimizer = torch.optim.Adam(network.parameters(), lr=plan.learning_rate)
    done = _restore(checkpoint, network, optimizer, start)
    if advance and done:
        advance(done)
    for epoch in range(done, plan.epochs):
        loss = _epoch(network, optimizer, data, plan, epoch)
        _save(checkpoint, network, optimizer, {**start, "epoch": epoch + 1})
        if advance:
            advance(1, f"loss {loss:.4f}")


def _epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Dataset,
    plan: TrainPlan,
    epoch: int,
) -> float:
    rng = stream(plan.seed, f"train/epoch{epoch}")
    order = rng.permutation(len(data))
    # The last, smaller batch is dropped: batch normalisation over a few frames is noise.
    batch = min(plan.batch, len(data))
    n_steps = len(data) // batch
    total = 0.0
    network.train()
    with repeatable(int(rng.integers(2**31))):
        for step in range(n_steps):
            rate = learning_rate(plan, epoch * n_steps + step, plan.epochs * n_steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            rows = np.sort(order[step * batch : (step + 1) * batch])
            frames, steering, collision = tensors(data, rows)
            if plan.augment:
                frames, steering = augmented(frames, steering, rng)
            optimizer.zero_grad(set_to_none=True)
            predicted, logit = network(frames)
            loss = loss_of(predicted, logit, steering, collision)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total += loss.item()
    if not math.isfinite(total):
        raise BadInputError("training diverged (the loss is not finite); lower the learning rate")
    return total / n_steps


def learning_rate(plan: TrainPlan, step: int, n_steps: int) -> float:
    """Return the rate at a step: a linear warm-up over the first 5 %, then a half cosine."""
    warm_up = max(1, n_steps // 20)
    if step < warm_up:
        return plan.learning_rate * (step + 1) / warm_up
    progress = (step - warm_up) / max(1, n_steps - warm_up)
    return plan.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def loss_of(steering: Tensor, logit: Tensor, steering_label: Tensor, label: Tensor) -> Tensor:
    """Return the loss: smooth L1 on steering, cross-entropy with soft labels on collision."""
    error = functional.smooth_l1_loss(steering, steering_label, beta=STEERING_KNEE)
    doubt = functional.binary_cross_entropy_with_logits(logit, label)
    return STEERING_WEIGHT * STEERING_KNEE * error + doubt


def loss_of_outputs(outputs: NDArray[np.float32], data: Dataset) -> float:
    """Return the same loss of real-valued outputs (N, 2), to compare float and int8 networks."""
    probability = np.clip(outputs[:, 1], 1 / 512, 1 - 1 / 512)  # half a step of the int8 output
    logit = torch.from_numpy(np.log(probability / (1 - probability)))
    steering = torch.from_numpy(np.clip(outputs[:, 0], -1, 1))
    labels = torch.from_numpy(data.steering), torch.from_numpy(data.collision)
    return float(loss_of(steering, logit, labels[0], labels[1]))


def tensors(data: Dataset, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
    """Return frames (N, 1, H, W) in [0, 1] and the two labels of some rows."""
    frames = torch.from_numpy(data.frames[rows]).unsqueeze(1).float() / 255
    return frames, torch.from_numpy(data.steering[rows]), torch.from_numpy(data.collision[rows])


def augmented(frames: Tensor, steering: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return frames as another camera, light and side of the road would give them.

    Contrast about the mean, brightness, shading across the image (a light source), sensor noise;
    half of the frames are mirrored, and their steering with them.
    """
    n, _, height, width = frames.shape

    def draw(low: float, high: float) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (n, 1, 1, 1)).astype(np.float32))

    mirrored = torch.from_numpy(rng.random(n) < 0.5)
    frames = torch.where(mirrored[:, None, None, None], frames.flip(3), frames)
    steering = torch.where(mirrored, -steering, steering)
    mean = frames.mean(dim=(2, 3), keepdim=True)
    frames = (frames - mean) * draw(0.6, 1.4) + mean + draw(-0.2, 0.2)
    across = torch.linspace(-1, 1, width).reshape(1, 1, 1, width)
    down = torch.linspace(-1, 1, height).reshape(1, 1, height, 1)
    frames = frames * (1 + draw(-0.15, 0.15) * across + draw(-0.15, 0.15) * down)
    frames = frames + draw(0.0, 0.04) * _noise(frames.shape, rng)
    return frames.clamp(0, 1), steering


def _noise(shape: torch.Size, rng: np.random.Generator) -> Tensor:
    """Return normal noise; frames share one long strip of it, since drawing it all is slow."""
    size = shape[1:].numel()
    strip = torch.from_numpy(rng.standard_normal(16 * size, dtype=np.float32))
    starts = torch.from_numpy(rng.integers(0, 15 * size, (shape[0], 1)))
    return strip[starts + torch.arange(size)].reshape(shape)


def _identity(network: nn.Module, data: Dataset, plan: TrainPlan) -> dict[str, Any]:
    """Return what tells this run from any other: plan, data and the weights it starts from."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.numpy().tobytes())
    return {"plan": asdict(plan), "data": data.manifest.sha256, "start": digest.hexdigest()}


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
