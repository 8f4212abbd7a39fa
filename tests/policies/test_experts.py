import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

from bytewing.policies.experts import expert_pilot
from bytewing.policies.tasks.road.learning import ROAD, ROAD_GUIDANCE, RoadTeacher
from bytewing.scenarios.tasks.road.baselines import brightest_side_pilot, constant_pilot
from bytewing.sim.airframe import load_airframe
from bytewing.sim.camera.config import load_camera
from bytewing.sim.courses.road.centreline import Centreline
from bytewing.sim.courses.road.course import RoadCourseConfig, generate_road
from bytewing.sim.flight import FlightSetup, fly
from bytewing.sim.frames import quaternion_from_euler
from bytewing.sim.pilot import DroneState
from bytewing.sim.randomise import uniform
from support.moments import moment


def course(xy, obstacle_s_m=None, crossing=()):
    obstacle = None if obstacle_s_m is None else SimpleNamespace(s_m=obstacle_s_m)
    route = np.zeros((0, 5), np.float32)
    return SimpleNamespace(
        centreline=Centreline(xy), obstacle=obstacle, crossing=crossing, route=route
    )


def straight(**kwargs):
    return course([(x, 0.0) for x in np.linspace(0, 10, 501)], **kwargs)


def left_bend(radius_m):
    angle = np.linspace(0, math.pi, 2000)
    return course(np.stack([radius_m * np.sin(angle), radius_m * (1 - np.cos(angle))], axis=1))


def state(x=2.0, y=0.0, yaw=0.0):
    at_rest = np.zeros(3)
    return DroneState(np.array([x, y, 0.5]), quaternion_from_euler(0.0, 0.0, yaw), at_rest, at_rest)


def labels(teacher, pose, t_s=0.0):
    """Return what the teacher says of a pose, by name."""
    steering, collision = teacher.labels(moment(state=pose, t_s=t_s))
    return SimpleNamespace(steering=float(steering), collision=float(collision))


def label(road, **pose):
    return labels(RoadTeacher(road), state(**pose))


def expert(road):
    return expert_pilot(ROAD, road, load_camera("hm01b0"))


def test_on_the_line_and_along_it_there_is_nothing_to_steer():
    assert label(straight()).steering == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("pose", "side"),
    [({"y": 0.1}, -1), ({"y": -0.1}, 1), ({"yaw": 0.3}, -1), ({"yaw": -0.3}, 1)],
)
def test_it_steers_back_left_positive(pose, side):
    assert math.copysign(1, label(straight(), **pose).steering) == side


@pytest.mark.parametrize("y", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("yaw", [0.0, 0.4, -1.0])
def test_mirrored_poses_get_mirrored_labels(y, yaw):
    here = label(straight(), y=y, yaw=yaw).steering
    assert label(straight(), y=-y, yaw=-yaw).steering == pytest.approx(-here, abs=1e-9)


def test_in_a_steady_bend_it_asks_for_the_yaw_rate_of_that_bend():
    radius = 1.2
    s = 1.0
    pose = {
        "x": radius * math.sin(s / radius),
        "y": radius * (1 - math.cos(s / radius)),
        "yaw": s / radius,
    }
    yaw_rate = label(left_bend(radius), **pose).steering * ROAD_GUIDANCE.yaw_rate_max_rad_s
    assert yaw_rate == pytest.approx(ROAD_GUIDANCE.speed_max_m_s / radius, rel=0.05)


def test_facing_away_it_turns_as_fast_as_sideways():
    sideways = label(straight(), yaw=math.pi / 2).steering
    backwards = label(straight(), yaw=math.pi * 0.9).steering
    assert sideways < 0
    assert backwards <= sideways + 1e-9


def test_collision_rises_steadily_before_an_obstacle_and_stays():
    teacher = RoadTeacher(straight(obstacle_s_m=5.0))
    values = [labels(teacher, state(x=x)).collision for x in np.arange(1.0, 5.0, 0.05)]
    assert values[0] == 0
    assert values[-1] == 1
    assert all(b >= a for a, b in itertools.pairwise(values))


def test_the_ramp_leaves_room_to_stop():
    """Where guidance commands no speed, 0.3 m must remain after the stopping distance of 0.5 m."""
    teacher = RoadTeacher(straight(obstacle_s_m=5.0))
    stop_x = next(
        x
        for x in np.arange(1.0, 5.0, 0.01)
        if labels(teacher, state(x=x)).collision >= ROAD_GUIDANCE.collision_stop
    )
    assert 5.0 - stop_x >= 0.3 + 0.5


def test_a_free_road_has_no_collision():
    assert label(straight()).collision == 0


def walker(beside_m):
    """Return somebody at 5 m whose near side is that far from the road's middle."""
    return SimpleNamespace(s_m=5.0, keep_away_m=0.6, beside_m=beside_m)


@pytest.mark.parametrize(
    ("x", "beside_m", "waits"),
    [
        (3.9, -0.2, True),  # across the road
        (3.9, 0.5, True),  # near it
        (3.9, 0.7, False),  # well beside it
        (4.5, 0.4, False),  # near it, but one is nearly past
        (4.5, 0.1, True),  # right in the way
        (5.1, 0.1, False),  # behind
        (3.0, -0.2, False),  # far ahead
    ],
)
def test_it_waits_for_who_crosses(x, beside_m, waits):
    road = straight(crossing=[walker(lambda _: beside_m)])
    collision = label(road, x=x).collision
    assert (collision >= ROAD_GUIDANCE.collision_stop) == waits


def test_it_goes_on_when_the_road_is_free_again():
    """The label hangs on where somebody is at that time, not on where they were or will be."""
    teacher = RoadTeacher(straight(crossing=[walker(lambda t_s: abs(t_s - 4.0) * 0.3 - 0.2)]))
    collision = [labels(teacher, state(x=3.9), t_s).collision for t_s in (0.0, 2.0, 4.0, 6.0, 8.0)]
    assert [value > 0 for value in collision] == [False, True, True, True, False]


def test_the_nearest_of_several_decides():
    road = straight(obstacle_s_m=5.5, crossing=[walker(lambda _: 0.0)])
    free = straight(obstacle_s_m=5.5, crossing=[walker(lambda _: 2.0)])
    pose = state(x=4.0)
    both, one = (labels(RoadTeacher(r), pose).collision for r in (road, free))
    assert both == 1.0
    assert 0 < one < 1


CROSSED = RoadCourseConfig(length_m=uniform(5.0, 6.0), crossing_count=uniform(1, 2))


@pytest.fixture(scope="module")
def crossed():
    """Some roads that are crossed, without anything else to see or to hit."""
    family = CROSSED.model_copy(update={"thing_count": uniform(0, 0)})
    return [generate_road(family, seed) for seed in range(10)]


def flown(road, seen):
    """Return how a flight along the road ends whose expert knows the course ``seen``."""
    setup = FlightSetup(road, load_airframe("crazyflie21"), load_camera("hm01b0"), 0, 60.0)
    return fly(setup, expert(seen)).meta["outcome"]


def test_the_expert_passes_who_crosses_and_touches_nobody(crossed):
    assert sum(len(road.crossing) for road in crossed) >= 10
    assert [flown(road, road) for road in crossed] == ["finished"] * len(crossed)


def test_who_does_not_wait_gets_hit(crossed):
    def ignorant(road):
        return course(road.centreline.xy_world_m)

    assert "collision" in [flown(road, ignorant(road)) for road in crossed]


def test_the_expert_flies_by_its_labels_through_guidance():
    pilot = expert(straight(obstacle_s_m=3.0))
    pilot.reset()
    for _ in range(20):
        command = pilot.act(moment(state=state(x=2.9, y=0.1)))
    assert command.forward_m_s == 0
    assert command.yaw_rate_rad_s < 0
    pilot.reset()
    assert pilot.act(moment(state=state(x=0.1))).forward_m_s == pytest.approx(0.7)


def test_the_constant_pilot_never_changes_course():
    pilot = constant_pilot(0.25)
    pilot.reset()
    rates = [pilot.act(moment(state=state())).yaw_rate_rad_s for _ in range(40)]
    assert rates[-1] == pytest.approx(0.25 * ROAD_GUIDANCE.yaw_rate_max_rad_s, rel=1e-3)


def test_the_brightest_side_pilot_turns_to_the_light():
    frame = np.full((64, 64), 60, np.uint8)
    frame[:, :32] = 200
    for picture, side in ((frame, 1), (frame[:, ::-1], -1)):
        pilot = brightest_side_pilot()
        pilot.reset()
        command = pilot.act(moment(picture, state=state()))
        assert math.copysign(1, command.yaw_rate_rad_s) == side
        assert command.forward_m_s == pytest.approx(ROAD_GUIDANCE.speed_max_m_s)
