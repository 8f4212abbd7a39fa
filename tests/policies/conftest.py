"""Synthetic roads with exact labels (a renderer in thirty lines), for tests without flights."""

import numpy as np
import pytest

from bytewing.policies.dataset import FlightFrames, Manifest, entry_of, read_dataset, write_manifest
from bytewing.policies.nets.convnet import initialised
from bytewing.policies.splits import Split, seed_of
from bytewing.policies.tasks.road.learning import ROAD
from bytewing.policies.tasks.task import Fit
from bytewing.policies.train import TrainPlan, fit
from bytewing.sim.senses import SENSES_SIZE

HEIGHT_M, PITCH_RAD, FOCAL_PX, SIZE = 0.5, 0.45, 32.0, 64


def frame_and_labels(rng, obstacle_probability=0.4):
    """Return a (64, 64) uint8 frame, the steering label and the collision label."""
    offset, heading, curvature = rng.uniform(-0.2, 0.2), rng.uniform(-0.5, 0.5), rng.uniform(-1, 1)
    width, row, column = rng.uniform(0.3, 0.6), *np.mgrid[0:SIZE, 0:SIZE]
    across, down = (column + 0.5 - SIZE / 2) / FOCAL_PX, (row + 0.5 - SIZE / 2) / FOCAL_PX
    depression = np.sin(PITCH_RAD) + down * np.cos(PITCH_RAD)
    ground = depression > 0.05
    distance = HEIGHT_M / np.where(ground, depression, 1)
    forward = distance * (np.cos(PITCH_RAD) - down * np.sin(PITCH_RAD))
    left = -across * distance

    def lateral(x, y):
        return y + offset - np.tan(-heading) * x - curvature * x**2 / 2

    dark, light = sorted(rng.uniform(30, 220, 2))
    image = np.where(np.abs(lateral(forward, left)) < width / 2, light, dark)
    image = np.where(ground, image, rng.uniform(100, 250))
    collision = 0.0
    if rng.random() < obstacle_probability:
        near = rng.uniform(0.4, 2.0)
        collision = float(np.clip((1.3 - near) / 0.6, 0, 1))
        y = -offset + np.tan(-heading) * near + curvature * near**2 / 2
        box = (
            (np.abs(-across * near - y) < 0.2)
            & (forward > near)
            & (HEIGHT_M - near * (np.tan(PITCH_RAD) + down) < 0.35)
        )
        image = np.where(box, 255 * (row % 8 < 4), image)  # stripes, as nothing else has
    image = np.clip(image + rng.normal(0, 4, image.shape), 0, 255)
    look_ahead = 0.5
    y = -offset + np.tan(-heading) * look_ahead + curvature * look_ahead**2 / 2
    steering = 2 * y / (look_ahead**2 + y**2) * 0.7 / 1.8
    return image.astype(np.uint8), float(np.clip(steering, -1, 1)), collision


def frames_and_labels(count, seed):
    """Return (N, 64, 64) uint8 frames and (N, 2) float32 labels."""
    rng = np.random.default_rng(seed)
    rows = [frame_and_labels(rng) for _ in range(count)]
    frames, steering, collision = zip(*rows, strict=True)
    return np.array(frames), np.stack([steering, collision], axis=1).astype(np.float32)


def write_flights(folder, flights, frames_each, seed=0):
    """Write a training dataset of synthetic flights and return its manifest."""
    entries = []
    for index in range(flights):
        frames, labels = frames_and_labels(frames_each, seed + index)
        course_seed = seed_of(Split.TRAIN, seed + index)
        meta = {"course_seed": course_seed, "round": 0, "flight": index}
        path = folder / f"round0_flight{index:04d}.npz"
        ticks = np.arange(frames_each) * 40
        senses = np.zeros((frames_each, SENSES_SIZE), np.float32)
        FlightFrames(frames, labels, senses, ticks, meta).save(path)
        entries.append(entry_of(path))
    manifest = Manifest(
        task="road",
        outputs=("steering", "collision"),
        camera="hm01b0",
        split="train",
        flights=tuple(entries),
    )
    write_manifest(folder, manifest)
    return manifest


@pytest.fixture
def dataset_folder(tmp_path):
    """A small synthetic dataset on disk."""
    folder = tmp_path / "dataset"
    write_flights(folder, flights=3, frames_each=40)
    return folder


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory):
    """Training frames, 1,500 of them."""
    folder = tmp_path_factory.mktemp("synthetic")
    write_flights(folder, flights=5, frames_each=300)
    return read_dataset(folder, Split.TRAIN)


@pytest.fixture(scope="session")
def unseen(tmp_path_factory):
    """Frames of other synthetic roads, 300 of them."""
    folder = tmp_path_factory.mktemp("unseen")
    write_flights(folder, flights=1, frames_each=300, seed=900)
    return read_dataset(folder, Split.TRAIN)


@pytest.fixture(scope="session")
def trained_network(synthetic, tmp_path_factory):
    """A network fitted to synthetic roads."""
    network = initialised(ROAD, 1)
    checkpoint = tmp_path_factory.mktemp("trained") / "checkpoint"
    plan = TrainPlan(seed=0, epochs=10, fit=Fit(batch=32), augmentation=ROAD.augmentation)
    fit(network, synthetic.examples(ROAD.input), ROAD.outputs, plan, checkpoint)
    return network.eval()
