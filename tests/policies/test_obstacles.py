import numpy as np
import pytest

from support.c_struct import struct_type
from support.gas_parts import F32, HEADERS, Obstacles
from support.gas_world import GUIDANCE

EAST = (F32(1), F32(0))
NORTH = (F32(0), F32(1))
NOTHING = (F32(4),) * 4
CONSTANTS = GUIDANCE.model_copy(
    update={
        "margin_m": 0.45,
        "margin_gain": 1.0,
        "speed_m_s": 0.5,
        "approach_speed_m_s": 0.4,
        "remember_m": 1.5,
    }
)
PLACES = struct_type(HEADERS, "bw_gas_obstacles_t")["places_m"].shape[0]


def place(x: float, y: float) -> tuple[np.float32, ...]:
    return F32(x), F32(y), F32(1)


def free(**metres: float) -> tuple[np.float32, ...]:
    return tuple(F32(metres.get(side, 4.0)) for side in ("front", "left", "back", "right"))


@pytest.fixture
def obstacles() -> Obstacles:
    return Obstacles(CONSTANTS)


def held_back(obstacles, position, heading, forward, left):
    return obstacles.hold_back(position, heading, F32(forward), F32(left))


def test_nobody_is_held_back_by_nothing(obstacles):
    obstacles.see(place(0, 0), EAST, NOTHING)
    assert held_back(obstacles, place(0, 0), EAST, 0.5, -0.25) == (F32(0.5), F32(-0.25))


@pytest.mark.parametrize(
    ("side", "heading", "velocity"),
    [
        ("front", EAST, (0.5, 0)),
        ("left", EAST, (0, 0.5)),
        ("back", EAST, (-0.5, 0)),
        ("right", NORTH, (0, -0.5)),
        ("front", NORTH, (0.5, 0)),
    ],
)
def test_what_was_seen_is_kept_away_from_when_it_is_out_of_view(side, heading, velocity, obstacles):
    obstacles.see(place(3, -2), heading, free(**{side: 0.6}))
    obstacles.see(place(3, -2), heading, NOTHING)
    # 0.6 m away: 0.15 m beyond the margin, at 1/s.
    speeds = held_back(obstacles, place(3, -2), heading, *velocity)
    assert np.array(speeds) == pytest.approx(0.3 * np.array(velocity), abs=1e-6)


def test_a_pole_between_two_views_is_flown_past_not_into(obstacles):
    """Seen to the left, then 0.2 m beside the way and 0.4 m ahead, where no sensor looks."""
    obstacles.see(place(0, 0), NORTH, free(right=1.0))
    position = np.array([0.5, -0.3])
    nearest = 1.0
    for _ in range(100):
        at = place(*position)
        obstacles.see(at, EAST, NOTHING)
        forward, left = held_back(obstacles, at, EAST, 0.3, 0.1)
        position += 0.04 * np.array([forward, left])
        nearest = min(nearest, float(np.hypot(*(position - [1.0, 0.0]))))
    assert 0.4 < nearest < 0.5
    assert position[0] > 1.0, "past it, not stuck before it"


def test_too_near_it_pushes_back_and_off_is_always_free(obstacles):
    obstacles.see(place(0, 0), EAST, free(front=0.2))
    assert held_back(obstacles, place(0, 0), EAST, 0.0, 0.0)[0] == pytest.approx(-0.25)
    assert held_back(obstacles, place(0, 0), EAST, -0.5, 0.0)[0] == -0.5


def test_what_is_far_is_not_remembered(obstacles):
    obstacles.see(place(0, 0), EAST, free(front=1.6))
    assert held_back(obstacles, place(1.3, 0), EAST, 0.5, 0.0)[0] == 0.5


def test_one_thing_takes_one_place_and_the_oldest_is_forgotten(obstacles):
    for _ in range(10 * PLACES):
        obstacles.see(place(0, 0), EAST, free(front=1.0))
    for i in range(PLACES - 1):
        obstacles.see(place(0, 5 + i), EAST, free(front=1.0))
    assert held_back(obstacles, place(0.5, 0), EAST, 0.5, 0.0)[0] < 0.1, "all fit beside it"
    obstacles.see(place(0, 100), EAST, free(front=1.0))
    assert held_back(obstacles, place(0.5, 0), EAST, 0.5, 0.0)[0] == 0.5


def test_a_thing_that_moves_is_where_it_was_seen_last(obstacles):
    obstacles.see(place(0, 0), EAST, free(front=1.0))
    obstacles.see(place(0, 0), EAST, free(front=0.9))
    speed = held_back(obstacles, place(0.3, 0), EAST, 0.5, 0.0)[0]
    assert speed == pytest.approx(0.6 - 0.45, abs=1e-6)


def test_no_velocity_is_faster_than_asked(obstacles):
    rng = np.random.default_rng(0)
    for _ in range(200):
        at = place(*rng.uniform(-0.5, 0.5, 2))
        obstacles.see(at, EAST, tuple(rng.uniform(0, 1, 4).astype(np.float32)))
        assert max(np.abs(held_back(obstacles, at, NORTH, *rng.uniform(-0.5, 0.5, 2)))) <= 0.5
