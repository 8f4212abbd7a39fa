import json
from dataclasses import replace

import numpy as np
import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.policies.bundle import InputSpec
from bytewing.policies.dataset import (
    MANIFEST,
    FlightFrames,
    read_dataset,
    read_manifest,
    stack,
    write_manifest,
)
from bytewing.policies.network_inputs import FrameHistory
from bytewing.policies.splits import Split, SplitError, require, seed_of
from bytewing.sim.senses import SENSES_SIZE


def test_what_was_written_is_read(dataset_folder):
    data = read_dataset(dataset_folder, Split.TRAIN)
    assert data.frames.shape == (120, 64, 64)
    assert data.frames.dtype == np.uint8
    assert data.course_seed.tolist() == [0] * 40 + [1] * 40 + [2] * 40
    assert data.flight.tolist() == [0] * 40 + [1] * 40 + [2] * 40
    first = FlightFrames.load(dataset_folder / "round0_flight0000.npz")
    assert np.array_equal(data.frames[:40], first.frames)
    assert np.array_equal(data.labels[:40], first.labels)


def test_a_stack_holds_frames_of_one_flight_only_the_first_standing_in():
    frames = np.arange(10, dtype=np.uint8).reshape(10, 1, 1)
    first = np.array([0, 0, 0, 0, 4, 4, 4, 4, 4, 4])
    rows = np.array([0, 1, 3, 4, 5, 9])
    inputs = stack(frames, rows, first, channels=3, stride=2)
    assert inputs.shape == (6, 3, 1, 1)
    assert inputs[:, :, 0, 0].tolist() == [
        [0, 0, 0], [0, 0, 1], [0, 1, 3], [4, 4, 4], [4, 4, 5], [5, 7, 9],
    ]  # fmt: skip


def test_examples_are_what_a_pilot_gives_its_network(dataset_folder):
    size = InputSpec(height_px=64, width_px=64, channels=3, frame_stride=2)
    data = read_dataset(dataset_folder, Split.TRAIN)
    history, expected = FrameHistory(size), []
    for frame, start in zip(data.frames, np.diff(data.flight, prepend=-1), strict=True):
        if start:
            history.reset()
        expected.append(history.push(frame))
    rows = np.array([119, 0, 39, 40, 41, 45])
    assert np.array_equal(data.examples(size).inputs(rows), np.array(expected)[rows])


def test_labels_may_be_unknown_but_not_out_of_range(dataset_folder):
    path = dataset_folder / "round0_flight0000.npz"
    flight = FlightFrames.load(path)
    unknown = np.where(np.arange(40)[:, None] % 2, flight.labels, np.nan).astype(np.float32)
    replace(flight, labels=unknown).save(path)
    assert np.array_equal(FlightFrames.load(path).labels, unknown, equal_nan=True)


def test_equal_flights_are_equal_files(dataset_folder, tmp_path):
    source = dataset_folder / "round0_flight0001.npz"
    FlightFrames.load(source).save(tmp_path / "copy.npz")
    assert (tmp_path / "copy.npz").read_bytes() == source.read_bytes()


def test_part_of_a_dataset_has_another_hash(dataset_folder):
    manifest = read_manifest(dataset_folder)
    part = manifest.model_copy(update={"flights": manifest.flights[:2]})
    assert len(read_dataset(dataset_folder, Split.TRAIN, part)) == 80
    assert part.sha256 != manifest.sha256


def truncated(path):
    path.write_bytes(path.read_bytes()[:1000])


def edited(path):
    flight = FlightFrames.load(path)
    replace(flight, labels=-flight.labels).save(path)


def removed(path):
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "says"),
    [(truncated, "SHA-256"), (edited, "SHA-256"), (removed, "missing")],
)
def test_a_damaged_flight_is_refused_in_one_line(dataset_folder, damage, says):
    path = dataset_folder / "round0_flight0001.npz"
    damage(path)
    with pytest.raises(BadInputError, match=says) as caught:
        read_dataset(dataset_folder, Split.TRAIN)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_flight_without_a_manifest_is_refused(dataset_folder):
    path = dataset_folder / "round0_flight0001.npz"
    truncated(path)
    with pytest.raises(BadInputError, match="not a flight"):
        FlightFrames.load(path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"task": "road"}'])
def test_a_damaged_manifest_is_refused_in_one_line(dataset_folder, content):
    (dataset_folder / MANIFEST).write_text(content)
    with pytest.raises(BadInputError, match=r"manifest\.json") as caught:
        read_dataset(dataset_folder, Split.TRAIN)
    assert "\n" not in str(caught.value)


def test_a_manifest_cannot_lead_out_of_its_folder(dataset_folder):
    path = dataset_folder / MANIFEST
    data = json.loads(path.read_text())
    data["flights"][0]["file"] = "../../secret.npz"
    path.write_text(json.dumps(data))
    with pytest.raises(BadInputError, match="file"):
        read_dataset(dataset_folder, Split.TRAIN)


def test_no_dataset_here(tmp_path):
    with pytest.raises(BadInputError, match="no dataset here"):
        read_dataset(tmp_path, Split.TRAIN)


def test_labels_out_of_range_are_refused(tmp_path):
    frames = np.zeros((2, 4, 4), np.uint8)
    flight = FlightFrames(
        frames,
        np.array([[0, 0], [2.0, 0]], np.float32),
        np.zeros((2, SENSES_SIZE), np.float32),
        np.arange(2),
        {"course_seed": 0, "round": 0},
    )
    flight.save(tmp_path / "bad.npz")
    with pytest.raises(BadInputError, match="do not fit together"):
        FlightFrames.load(tmp_path / "bad.npz")


def test_a_pickle_in_a_flight_is_never_loaded(tmp_path):
    np.savez(tmp_path / "evil.npz", frames=np.array([object()], dtype=object))
    with pytest.raises(BadInputError, match="not a flight"):
        FlightFrames.load(tmp_path / "evil.npz")


def test_training_data_from_another_split_is_an_error(dataset_folder):
    with pytest.raises(SplitError, match="validation seeds"):
        read_dataset(dataset_folder, Split.VALIDATION)
    manifest = read_manifest(dataset_folder)
    test_flight = manifest.flights[0].model_copy(update={"course_seed": 2_000_000})
    with pytest.raises(SplitError, match="train seeds"):
        write_manifest(dataset_folder, manifest.model_copy(update={"flights": (test_flight,)}))


def test_the_splits_do_not_meet():
    for split in Split:
        others = [other for other in Split if other is not split]
        for seed in (split.value[0], split.value[1] - 1):
            require(split, seed)
            assert not any(seed in other for other in others)
    with pytest.raises(SplitError):
        seed_of(Split.TRAIN, 1_000_000)
