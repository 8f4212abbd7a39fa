"""Faults of the camera's link: what arrives, and that one fault leaves the others as they were."""

import numpy as np
import pytest

from bytewing.foundation.config import parse
from bytewing.foundation.errors import BadInputError
from bytewing.sim.camera.faults import Faults, FaultsConfig

COUNT = 2000


def sent(count=COUNT):
    """Frames that tell their number and row: each (8, 4), rows of frame k hold k."""
    return [np.full((8, 4), k % 251, np.uint8) for k in range(count)]


def delivered(seed=1, **config):
    faults = Faults(parse(FaultsConfig, config, "test"), seed)
    return [faults.deliver(frame) for frame in sent()]


def dropped(arrived):
    return np.array([frame is None for frame in arrived])


def torn(arrived):
    return np.array([frame is not None and np.ptp(frame) > 0 for frame in arrived])


def repeated(arrived):
    """Whether each frame is another than was sent, and whole."""
    return np.array(
        [
            frame is not None and np.ptp(frame) == 0 and frame[0, 0] != k % 251
            for k, frame in enumerate(arrived)
        ]
    )


def bounds(probability):
    """Four standard deviations of a binomial share."""
    return pytest.approx(probability, abs=4 * (probability * (1 - probability) / COUNT) ** 0.5)


def test_without_faults_every_frame_arrives_untouched():
    faults = Faults(FaultsConfig(), 1)
    for frame in sent(50):
        assert faults.deliver(frame) is frame


def test_frames_drop():
    arrived = delivered(drop_probability=0.1)
    assert dropped(arrived).mean() == bounds(0.1)
    assert not torn(arrived).any()
    assert not repeated(arrived).any()
    assert dropped(delivered(drop_probability=1.0)).all()


def test_frames_stick_for_as_long_as_declared():
    arrived = delivered(stuck_probability=0.02, stuck_frames=[3, 6])
    stuck = repeated(arrived)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], stuck, [0]])))
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    # Two in a row join into one longer run, which is rare.
    assert lengths.min() == 3
    assert set(lengths) >= {3, 4, 5, 6}
    assert (lengths <= 6).mean() > 0.8
    # One chance in each frame at which it does not stick: 0.02 / (1 + 0.02 * 4.5) begin.
    assert len(starts) / COUNT == bounds(0.0183)
    for start, end in zip(starts, ends, strict=True):
        shown = {int(arrived[k][0, 0]) for k in range(start, end)}
        if end - start <= 6:
            assert shown == {(start - 1) % 251}


def test_torn_frames_are_new_above_and_old_below():
    arrived = delivered(torn_probability=0.1)
    cut = torn(arrived)
    assert cut.mean() == bounds(0.1)
    rows = set()
    for k in np.flatnonzero(cut):
        row = int(np.argmax(arrived[k][:, 0] != k % 251))
        rows.add(row)
        assert (arrived[k][:row] == k % 251).all()
        if not cut[k - 1]:
            assert (arrived[k][row:] == (k - 1) % 251).all()
    assert rows == set(range(1, 8))


def test_the_sensors_own_frame_is_not_written_to():
    faults = Faults(FaultsConfig(torn_probability=1.0), 1)
    frames = sent(3)
    for frame in frames:
        faults.deliver(frame)
    for frame, fresh in zip(frames, sent(3), strict=True):
        np.testing.assert_array_equal(frame, fresh)


def test_one_fault_leaves_the_others_times_as_they_were():
    one = {"drop_probability": 0.1}
    other = {"torn_probability": 0.1}
    both = delivered(**one, **other)
    np.testing.assert_array_equal(dropped(both), dropped(delivered(**one)))
    shown = ~dropped(both)
    np.testing.assert_array_equal(torn(both)[shown], torn(delivered(**other))[shown])


def test_times_belong_to_the_seed():
    config = {"drop_probability": 0.1}
    first = dropped(delivered(1, **config))
    np.testing.assert_array_equal(first, dropped(delivered(1, **config)))
    assert (first != dropped(delivered(2, **config))).any()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("drop_probability", 1.5),
        ("torn_probability", -0.1),
        ("stuck_probability", float("nan")),
        ("stuck_frames", 0),
        ("stuck_frames", [5, 2]),
        ("droped_probability", 0.1),
    ],
)
def test_impossible_faults_are_refused(key, value):
    with pytest.raises(BadInputError, match=rf"^faults\.toml: .*{key}") as caught:
        parse(FaultsConfig, {key: value}, "faults.toml")
    assert "\n" not in str(caught.value)
