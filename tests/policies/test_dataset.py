import json

import numpy as np
import pytest

from policies.dataset import MANIFEST, FlightFrames, read_dataset, read_manifest, write_manifest
from policies.splits import Split, SplitError, require, seed_of
from sim.errors import BadInputError


def test_what_was_written_is_read(dataset_folder):
    data = read_dataset(dataset_folder, Split.TRAIN)
    assert data.frames.shape == (120, 64, 64)
    assert data.frames.dtype == np.uint8
    assert data.course_seed.tolist() == [0] * 40 + [1] * 40 + [2] * 40
    assert data.flight.tolist() == [0] * 40 + [1] * 40 + [2] * 40
    first = FlightFrames.load(dataset_folder / "round0_flight0000.npz")
    assert np.array_equal(data.frames[:40], first.frames)
    assert np.array_equal(data.steering[:40], first.steering)


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
    FlightFrames(flight.frames, -flight.steering, flight.collision, flight.tick, flight.meta).save(
        path
    )


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
        np.array([0, 2.0], np.float32),
        np.zeros(2, np.float32),
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
