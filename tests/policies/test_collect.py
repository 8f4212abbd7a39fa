from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bytewing.foundation.errors import BadInputError
from bytewing.policies.collect import (
    CollectingPolicy,
    CollectJob,
    collect,
    collect_flight,
    collecting_pilot,
)
from bytewing.policies.dataset import MANIFEST, FlightFrames, read_dataset
from bytewing.policies.pilot import PolicyPilot
from bytewing.policies.splits import Split, SplitError
from bytewing.policies.tasks.gas.leak_map import CELLS
from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import load_camera
from bytewing.sim.courses.road.course import RoadCourseConfig, generate_road
from bytewing.sim.distribution import load_distribution
from bytewing.sim.fields.gas import GasRelease
from bytewing.sim.pilot import DroneState
from bytewing.sim.senses import read
from support.moments import moment

COURSE = RoadCourseConfig(length_m=5.0, obstacle_probability=0.5)
ROADS = load_distribution("road").model_copy(update={"course": COURSE})


def job(folder, **changes):
    values = {
        "task": "road",
        "folder": folder,
        "split": Split.TRAIN,
        "distribution": ROADS,
        "airframe": load_airframe("crazyflie21"),
        "camera": load_camera("hm01b0"),
        "course_seed": 7,
        "round": 0,
        "index": 0,
        "learner": b"",
        "teacher_share": 1.0,
        "time_limit_s": 1.0,
    }
    return CollectJob(**{**values, **changes})


def pilot(learner=None, share=1.0, seed=3):
    asked = job(Path(), course_seed=seed, teacher_share=share)
    course = generate_road(COURSE, 7)
    return collecting_pilot(CollectingPolicy(asked, course, learner), course.route, seed)


def flight(pilot, seconds=20.0):
    """Act at 25 Hz on a drone that stays at the start; return the commands."""
    course = generate_road(COURSE, 7)
    at_rest = np.zeros(3)
    level = np.array([0.0, 0.0, np.sin(course.start_yaw_rad / 2), np.cos(course.start_yaw_rad / 2)])
    state = DroneState(course.start_position_world_m, level, at_rest, at_rest)
    frame = np.zeros((64, 64), np.uint8)
    pilot.reset()
    return np.array(
        [pilot.act(moment(frame, state=state, t_s=0.04 * i)) for i in range(int(25 * seconds))]
    )


def hard_left(frames):
    return np.array([1.0, 0.0], np.float32)


def test_a_flight_is_labelled_frame_by_frame_and_the_same_every_time(tmp_path):
    entries = [collect([job(tmp_path / name)]).flights[0] for name in "ab"]
    assert entries[0] == entries[1]
    found = FlightFrames.load(tmp_path / "a" / entries[0].file)
    assert 20 <= len(found.frames) <= 26, "25 a second, but for what the link drops"
    assert len(np.unique(found.frames)) > 30, "the camera must have seen something"
    assert np.ptp(found.labels[:, 0]) > 0
    assert found.senses.shape == (len(found.frames), 14)
    assert found.meta["course"]["width_m"] > 0
    assert found.meta["course_seed"] == 7


def test_a_flight_that_is_there_is_not_flown_again(tmp_path):
    collect([job(tmp_path)])
    path = job(tmp_path).path
    before = path.stat().st_mtime_ns
    collect([job(tmp_path)])
    assert path.stat().st_mtime_ns == before


def test_a_flight_of_another_run_is_not_taken_for_ours(tmp_path):
    collect([job(tmp_path)])
    with pytest.raises(BadInputError, match="belongs to another run"):
        collect([job(tmp_path, time_limit_s=2.0)])


def test_an_edited_flight_is_found_out_when_collecting_goes_on(tmp_path):
    collect([job(tmp_path)])
    found = FlightFrames.load(job(tmp_path).path)
    replace(found, labels=-found.labels).save(job(tmp_path).path)
    with pytest.raises(BadInputError, match="SHA-256"):
        collect([job(tmp_path), job(tmp_path, index=1, course_seed=8)])


def test_what_was_kept_and_what_is_new_make_the_dataset(tmp_path):
    first = collect([job(tmp_path)])
    both = collect([job(tmp_path, round=1, course_seed=8)], first.flights)
    data = read_dataset(tmp_path, Split.TRAIN)
    assert data.manifest == both
    assert set(data.round.tolist()) == {0, 1}
    assert set(data.course_seed.tolist()) == {7, 8}
    # Coming back to the first part, as resuming does, must not forget the second.
    assert collect([job(tmp_path)]) == first
    assert (tmp_path / MANIFEST).read_bytes() == both.model_dump_json(indent=1).encode()


@pytest.mark.parametrize("seed", [1_000_000, 2_000_000])
def test_no_flight_teaches_on_a_course_of_another_split(tmp_path, seed):
    with pytest.raises(SplitError, match="train seeds"):
        collect_flight(job(tmp_path, course_seed=seed))
    assert not any(tmp_path.iterdir())


def test_labels_come_from_the_teacher_whoever_flies():
    by_teacher, by_learner = pilot(), pilot(hard_left, share=0.0)
    flight(by_teacher, 2.0)
    turned = flight(by_learner, 2.0)
    assert np.array_equal(by_teacher.policy.labels, by_learner.policy.labels)
    assert len(by_teacher.policy.labels) == 50
    assert turned[-1, 3] > 1.0, "the learner must be at the controls"


def test_teacher_and_learner_take_turns():
    mixed = pilot(hard_left, share=0.5)
    outputs = []
    original = mixed.act
    mixed.act = lambda seen: (original(seen), outputs.append(tuple(mixed.outputs)))[0]
    flight(mixed, 30.0)
    learner_share = np.mean([output == (1.0, 0.0) for output in outputs])
    assert 0.2 < learner_share < 0.8


def test_bursts_push_the_drone_some_of_the_time():
    pushed, again, other = flight(pilot()), flight(pilot()), flight(pilot(seed=4))
    assert np.array_equal(pushed, again)
    assert not np.array_equal(pushed, other)
    sideways = np.abs(pushed[:, 1]) > 0  # guidance itself never asks for it
    assert 0.05 < sideways.mean() < 0.6
    assert np.abs(pushed[:, 1]).max() <= 0.4


def gas_job(**changes):
    gas = load_distribution("gas")
    values = {"task": "gas", "distribution": gas, "camera": load_camera(gas.camera)}
    return job(**{"folder": Path(), **values, **changes})


def test_a_task_s_own_teacher_and_history_are_used():
    """The gas learner sees two frames, two apart; what the teacher does not know stays unknown."""
    given = []

    def learner(frames):
        given.append(frames[:, 0, 0].tolist())
        return np.zeros(CELLS + 1, np.float32)

    course = SimpleNamespace(
        leak=GasRelease("methane", 100.0, (3.0, 0.0, 1.0)), route=np.zeros((1, 5), np.float32)
    )
    level = np.array([0.0, 0.0, 0.0, 1.0])
    state = DroneState(np.array([0.0, 0.0, 1.0]), level, np.zeros(3), np.zeros(3))
    policy = CollectingPolicy(gas_job(teacher_share=0.0), course, learner)
    pilot = PolicyPilot(policy, route=course.route)
    pilot.reset()
    for index, contrast in enumerate((0.0, 0.0, 5.0, 0.0)):
        frame = np.full((64, 64), index, np.uint8)
        pilot.act(moment(frame, state=state, t_s=0.04 * index, gas_contrast=contrast))
    assert given == [[0, 0], [0, 1], [0, 2], [1, 3]]
    known = np.isfinite(policy.labels)
    assert known[:, :CELLS].all()
    assert known[:, CELLS].tolist() == [False, False, True, False]
    assert len(policy.senses) == 4


def test_guidance_is_given_numbers_where_the_teacher_has_none():
    course = SimpleNamespace(leak=None, route=np.zeros((1, 5), np.float32))
    level = np.array([0.0, 0.0, 0.0, 1.0])
    state = DroneState(np.array([0.0, 0.0, 1.0]), level, np.zeros(3), np.zeros(3))
    policy = CollectingPolicy(gas_job(), course, None)
    pilot = PolicyPilot(policy, route=course.route)
    pilot.reset()
    command = pilot.act(moment(np.zeros((64, 64), np.uint8), state=state))
    assert np.isfinite(command).all()
    assert pilot.outputs.tolist() == [0] * (CELLS + 1)
    assert np.isnan(policy.labels[0][CELLS])


def test_a_gas_flight_is_labelled_with_what_can_be_seen(tmp_path):
    manifest = collect([gas_job(folder=tmp_path, time_limit_s=2.0)])
    assert (manifest.outputs[0], manifest.outputs[-1]) == ("leak_0_0", "distance")
    found = FlightFrames.load(tmp_path / manifest.flights[0].file)
    assert 40 <= len(found.frames) <= 51
    assert len(np.unique(found.frames)) > 30, "the camera must have seen something"
    assert found.labels.shape[1] == CELLS + 1
    whole = np.isfinite(found.labels[:, :CELLS])
    assert (whole == whole[:, :1]).all(), "a map is known whole or not at all"
    assert np.isnan(found.labels[(found.labels[:, :CELLS] == 0).all(axis=1), CELLS]).all()
    # Estimated heights over the ground: the senses came with the frames.
    heights_m = read(found.senses, "position_m")[:, 2]
    assert 0.3 < heights_m.min() <= heights_m.max() < 3.0
