from types import SimpleNamespace

import numpy as np
import pytest

from bytewing.policies.bundle import InputSpec
from bytewing.policies.dataset import Dataset, Manifest
from bytewing.policies.inputs.mirror_to_wind import blows_left, mirrored
from bytewing.policies.network_inputs import FrameHistory, network_inputs
from bytewing.policies.tasks.gas.learning import GAS, GasTeacher
from bytewing.scenarios.tasks.gas.baselines import Differences
from bytewing.sim.camera.config import load_camera
from bytewing.sim.pilot import DroneState
from bytewing.sim.senses import SENSES_SIZE, pack, read
from support.gas_parts import heading_of
from support.moments import moment

SIZE = InputSpec(height_px=4, width_px=6, channels=2, frame_stride=2, transform="mirror_to_wind")


def senses(yaw_deg: float, wind_east: float, wind_north: float) -> np.ndarray:
    half = np.radians(yaw_deg) / 2
    quaternion = (0, 0, np.sin(half), np.cos(half))
    return pack({"quaternion_xyzw": quaternion, "wind_m_s": (wind_east, wind_north)})


def flight(seed: int, steps: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Return frames and senses in a wind that turns round and round."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (steps, 4, 6), dtype=np.uint8)
    told = [senses(*rng.uniform([-180, -1, -1], [180, 1, 1])) for _ in range(steps)]
    return frames, np.array(told)


@pytest.mark.parametrize(
    ("yaw_deg", "east", "north", "left"),
    [
        (0, 0, 1, True),  # facing east, wind to the north
        (0, 0, -1, False),
        (0, 1, 0, False),  # away from the drone: to neither side
        (90, 1, 0, False),
        (90, -1, 0, True),
        (180, 0, -1, True),
        (-135, 0.7, -0.6, True),
        (0, 0, 0, False),
    ],
)
def test_the_wind_blows_to_the_left_of_where_the_drone_faces(yaw_deg, east, north, left):
    assert blows_left(senses(yaw_deg, east, north)) == left


def test_many_rows_at_once_say_what_each_says_alone():
    _, told = flight(0, 500)
    assert blows_left(told).tolist() == [bool(blows_left(row)) for row in told]
    assert 0.4 < blows_left(told).mean() < 0.6
    for row in told[:50]:
        ahead = heading_of(read(row, "quaternion_xyzw"))
        east, north = read(row, "wind_m_s")
        assert blows_left(row) == (ahead[0] * north - ahead[1] * east > 0)


def test_senses_beyond_all_bounds_have_a_side_too():
    odd = np.array([np.nan, np.inf, -np.inf, 1e38, -1e38, 0], np.float32)
    rows = odd[np.random.default_rng(1).integers(0, len(odd), (500, SENSES_SIZE))]
    with np.errstate(all="raise", under="ignore"):
        sides = blows_left(rows)
    assert 0 < sides.sum() < len(rows)


def test_the_plume_drifts_to_the_right_in_what_the_network_is_given():
    """A bright column at the leak, a dim one downwind of it, in all winds."""
    for yaw_deg in range(0, 360, 30):
        for to_left in (True, False):
            aside = np.radians(yaw_deg + (90 if to_left else -90))
            row = senses(yaw_deg, 0.5 * np.cos(aside), 0.5 * np.sin(aside))
            frame = np.zeros((4, 6), np.uint8)
            frame[:, 3] = 200
            frame[:, 2 if to_left else 4] = 100
            seen = network_inputs(frame[None], row[None], SIZE)[0, -1]
            assert seen[0].argmax() + 1 == int(np.flatnonzero(seen[0] == 100)[0])


def test_turning_twice_gives_the_pictures_back_and_past_frames_turn_with_the_present():
    frames, told = flight(2)
    inputs = network_inputs(frames, told, SIZE)
    assert (inputs != frames[:, None]).any()
    back = mirrored(inputs, told)
    assert np.array_equal(back[:, 1], frames)
    assert np.array_equal(back[2:, 0], frames[:-2])


def test_a_pilot_turns_its_frames_as_training_and_replay_do():
    frames, told = flight(3)
    look = FrameHistory(SIZE)
    given = [look.push(*pair) for pair in zip(frames, told, strict=True)]
    assert np.array_equal(given, network_inputs(frames, told, SIZE))


@pytest.mark.parametrize("keys", [{"channels": 1}, {"channels": 2, "source": "scent"}])
def test_only_frames_that_are_copied_can_be_mirrored(keys):
    with pytest.raises(
        ValueError, match="transform 'mirror_to_wind' needs the camera and at least 2 channels"
    ):
        InputSpec(height_px=4, width_px=4, transform="mirror_to_wind", **keys)


def test_training_is_given_what_a_pilot_gives_its_network():
    frames, told = flight(4)
    labels, zeros = np.zeros((len(frames), 1), np.float32), np.zeros(len(frames), np.int64)
    manifest = Manifest(task="gas", outputs=("gas",), camera="c", split="train")
    data = Dataset(manifest, frames, labels, told, zeros, zeros, zeros)
    inputs = data.examples(SIZE).inputs(np.arange(len(frames)))
    assert np.array_equal(inputs, network_inputs(frames, told, SIZE))


def test_teacher_and_baseline_mean_the_picture_that_the_network_is_given():
    """In a wind to the left all they say is that of the mirrored picture."""
    camera = load_camera("cooled_mid_wave")
    leaking = SimpleNamespace(leak=SimpleNamespace(position_world_m=(3.0, 0.7, 1.2)))
    teacher = GasTeacher(leaking, camera)
    truth = DroneState(np.array([0, 0, 1.0]), np.array([0, 0, 0, 1.0]), np.zeros(3), np.zeros(3))
    still = np.random.default_rng(5).integers(60, 140, (64, 64), dtype=np.uint8)
    moved = still.copy()
    moved[10:20, 8:16] = 255
    said = {}
    for north in (1.0, -1.0):
        views = [
            moment(frame, state=truth, senses=senses(0, 0, north), gas_contrast=10.0)
            for frame in (still, moved)
        ]
        differences = Differences()
        differences.labels(views[0])
        said[north] = teacher.labels(views[1]), differences.labels(views[1])
    for left, right in zip(said[1.0], said[-1.0], strict=True):
        maps = [labels[:64].reshape(8, 8) for labels in (left, right)]
        assert maps[0].sum() > 0.5
        assert not np.array_equal(*maps)
        assert np.allclose(maps[0], maps[1][:, ::-1], atol=1e-6)
        assert left[64] == right[64]


def test_gas_training_mirrors_nothing_by_itself():
    """The wind has turned the pictures already."""
    assert GAS.input.transform == "mirror_to_wind"
    assert not GAS.augmentation.mirrors
