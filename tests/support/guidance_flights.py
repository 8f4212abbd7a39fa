"""Random flights for every kind of guidance: constants, a route, outputs and senses, some absurd.

Times are short, so that a flight of a few steps comes through everything; constants are numbers
that no float32 is.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bytewing.policies.guidance.guide import Guide
from bytewing.policies.guidance.kind import ROUTE_MAX
from bytewing.policies.guidance.registry import make_guide
from bytewing.policies.tasks.gas.constants import GasGuidance
from bytewing.policies.tasks.gas.leak_map import spread
from bytewing.policies.tasks.mox.constants import MoxGuidance
from bytewing.policies.tasks.road.constants import RoadGuidance
from bytewing.sim.senses import CHANNELS, SENSES_SIZE, pack, read

PITCH_RAD = 0.23
CONSTANTS = {
    "road": RoadGuidance(
        speed_max_m_s=0.8,
        yaw_rate_max_rad_s=2.3,
        steering_smoothing=0.7,
        collision_smoothing=0.3,
        collision_go=0.15,
        collision_stop=0.6,
    ),
    "gas": GasGuidance(
        tan_half_fov_left=0.47,
        tan_half_fov_up=0.53,
        pitch_cos=math.cos(PITCH_RAD),
        pitch_sin=math.sin(PITCH_RAD),
        mount_forward_m=0.031,
        mount_left_m=-0.007,
        mount_up_m=0.013,
        patrol_smoothing=0.6,
        confirm_smoothing=0.3,
        approach_frames=4,
        confirm_limit_s=0.7,
        ignore_s=0.17,
        lost_s=0.3,
        approach_min_s=0.3,
        approach_limit_s=1.1,
        hover_s=0.4,
        waypoint_limit_s=1.3,
        last_look_s=0.2,
        last_at=0.4,
        weave_s=0.1,
        alarms_max=3,
        same_place_m=4.0,
        doubts_max=2,
        report_at=0.5,
    ),
    "mox": MoxGuidance(
        surge_s=0.23,
        leg_first_m=0.11,
        leg_growth_m=0.07,
        leg_longest_m=0.31,
        leg_least_m=0.05,
        gas_at=0.37,
    ),
}
ODD = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1e30, -1e30, 1e-40, 2e-7], np.float32)
STEPS = 80


class GuidedFlight(NamedTuple):
    """What a guidance is given: (N, 5) route, (M, K) outputs, (M, SENSES_SIZE) senses."""

    route: np.ndarray
    outputs: np.ndarray
    senses: np.ndarray


def answers_to(guide: Guide, flight: GuidedFlight) -> np.ndarray:
    """Return the answers (M, 4 + A) from a reset on."""
    guide.reset(flight.route)
    return np.array([guide.step(*row) for row in zip(flight.outputs, flight.senses, strict=True)])


def guide_of(kind: str) -> Guide:
    return make_guide(CONSTANTS[kind])


def random_flight(kind: str, seed: int, *, odd: bool = True) -> GuidedFlight:
    """Return a flight; every fifth has absurd senses and every seventh absurd outputs too.

    Args:
        kind: of guidance.
        seed: of the flight.
        odd: False for a flight without absurd numbers.
    """
    rng = np.random.default_rng([seed, *kind.encode()])
    route, outputs = _MAKERS[kind](rng, seed)
    senses = _senses(rng, seed, route)
    if odd and seed % 5 == 0:
        senses = _absurd(rng, senses, 0.05)
    if odd and seed % 7 == 0:
        outputs = _absurd(rng, outputs, 0.05)
    return GuidedFlight(route.astype(np.float32), outputs.astype(np.float32), senses)


def in_a_mirror(flight: GuidedFlight) -> tuple[np.ndarray, np.ndarray]:
    """Return route and senses of the same flight in a world with north and south exchanged."""
    north = np.array([1, -1, 1])
    route = flight.route * np.array([1, -1, 1, 1, -1], np.float32)
    rows = [
        pack(
            {
                "position_m": read(row, "position_m") * north,
                "quaternion_xyzw": read(row, "quaternion_xyzw") * [-1, 1, -1, 1],
                "range_m": read(row, "range_m")[[0, 3, 2, 1]],
                "gas_resistance": read(row, "gas_resistance"),
                "wind_m_s": read(row, "wind_m_s") * north[:2],
            }
        )
        for row in flight.senses
    ]
    return route, np.array(rows)


def _absurd(rng: np.random.Generator, values: np.ndarray, share: float) -> np.ndarray:
    odd = rng.choice(ODD, values.shape)
    return np.where(rng.random(values.shape) < share, odd, values).astype(np.float32)


def _senses(rng: np.random.Generator, seed: int, route: np.ndarray) -> np.ndarray:
    walk = rng.normal(0, 0.05, (STEPS, 3)).cumsum(axis=0) + rng.uniform(-3, 3, 3)
    if len(route) and seed % 4 == 0:
        walk[: STEPS // 2] = route[0, :3]
    quaternions = rng.normal(0, [0.1, 0.1, 1, 1], (STEPS, 4))
    quaternions[:, 2:] = quaternions[seed % STEPS, 2:] + 0.05 * quaternions[:, 2:]
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    ranges = rng.choice([0.0, 0.3, 0.6, 0.9, 4.0], (STEPS, 4)) + rng.uniform(0, 0.1, (STEPS, 4))
    wind = rng.uniform(-1, 1, 2) + rng.normal(0, 0.2, (STEPS, 2))
    if seed % 6 == 0:
        wind[:] = 0
    sensed = {
        "position_m": walk,
        "quaternion_xyzw": quaternions,
        "range_m": ranges,
        "gas_resistance": rng.uniform(0, 1, (STEPS, 1)),
        "wind_m_s": wind,
    }
    assert list(sensed) == [channel.name for channel in CHANNELS]
    senses = np.zeros((STEPS, SENSES_SIZE), np.float32)
    for name, values in sensed.items():
        read(senses, name)[:] = values
    return senses


def _road(rng: np.random.Generator, seed: int) -> tuple[np.ndarray, np.ndarray]:
    collision = rng.choice([0.0, 0.2, 0.5, 1.0], STEPS // 8).repeat(8)
    noise = rng.normal(0, 0.1, (STEPS, 2))
    steering = np.sin(np.arange(STEPS) / 9 + seed) * 1.2
    return np.zeros((0, 5)), np.column_stack([steering, collision]) + noise


def _gas(rng: np.random.Generator, seed: int) -> tuple[np.ndarray, np.ndarray]:
    waypoints = int(rng.choice([0, 1, 2, 5, ROUTE_MAX]))
    yaws = rng.uniform(-math.pi, math.pi, waypoints)
    places = rng.uniform(-6, 6, (waypoints, 3))
    route = np.column_stack([places, np.cos(yaws), np.sin(yaws)])
    # Gas comes and goes in stretches, or evidence would hover in the middle.
    gas = rng.choice([0.0, 0.15, 0.45, 1.0], STEPS // 8 + 1, p=[0.25, 0.1, 0.2, 0.45]).repeat(8)
    if seed % 6 == 5:  # false alarms, one after the other, as a rule from about the same place
        gas = np.tile([1.0] * 9 + [0.0] * 13, STEPS // 22 + 1)
    maps = [_leak_map(rng, share) for share in gas[:STEPS]]
    # A leak that is near now and then, so that the stand-off is reached.
    distance = rng.uniform(*((0.08, 0.27) if seed % 3 == 0 else (0, 1)), (STEPS, 1))
    return route, np.column_stack([maps, distance])


def _leak_map(rng: np.random.Generator, gas: float) -> np.ndarray:
    """Return a map (64,) of so much gas, somewhere in the picture or at its edges."""
    kind = rng.choice(["plume", "plume", "plume", "twins", "one", "all"])
    cells = np.zeros((8, 8))
    if kind == "plume":
        cells = spread(1.0, *rng.uniform(-1.1, 1.1, 2)).reshape(8, 8)
    elif kind == "twins":  # as strong as each other, near and far
        cells.ravel()[rng.choice(64, 2, replace=False)] = rng.choice([0.3, 0.5, 1.0])
    elif kind == "one":  # corners and edges more often than they are
        cells[tuple(rng.choice([0, 0, 3, 4, 7, 7], 2))] = 1.0
    else:
        cells[:] = rng.choice([0.1, 1.0])
    # Half the time other cells say a little too, or less than none.
    noise = rng.integers(-25, 6, (8, 8)) * rng.integers(2) / 255
    return np.clip(gas * cells + noise, -0.1, 1).ravel()


def _mox(rng: np.random.Generator, seed: int) -> tuple[np.ndarray, np.ndarray]:
    route = np.array([[-4.0, -3.0, 1.03, 1, 0], [4.0, 3.0, 1.03, 1, 0]])
    gas = rng.choice([0.1, 0.9], STEPS // 10, p=[0.7, 0.3]).repeat(10)
    side = rng.uniform(-1.2, 1.2, STEPS // 5).repeat(5)
    return route[:0] if seed % 11 == 10 else route, np.column_stack([gas, side])


_MAKERS = {"road": _road, "gas": _gas, "mox": _mox}
