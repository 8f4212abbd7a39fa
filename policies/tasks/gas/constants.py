"""Constants of the gas guidance; a policy bundle carries them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bytewing.policies.guidance.constants import Derived, GuidanceConstants, constant, steps

F32 = np.float32
ALARMS_LIMIT = 16  # alarms_max at the most: what the C keeps room for


def seconds(description: str, default: float, **bounds: float) -> float:
    """Return the field of a time that the C takes in steps."""
    field: float = constant(description, "s", default, in_c=False, **bounds)
    return field


class GasGuidance(GuidanceConstants):
    """Constants of the gas guidance (``gas_guidance.h`` beside this module).

    What has no default depends on the camera. The others were tried on simulated flights; times
    count steps of the guidance, so a pilot that misses frames has slower timers.
    """

    kind: Literal["gas"] = "gas"
    tan_half_fov_left: float = constant(
        "Tangent of half the camera's horizontal field of view", "1", gt=0, le=2
    )
    tan_half_fov_up: float = constant(
        "Tangent of half the camera's vertical field of view", "1", gt=0, le=2
    )
    pitch_cos: float = constant(
        "Cosine of the angle by which the camera looks down", "1", gt=0, le=1
    )
    pitch_sin: float = constant("Its sine", "1", ge=-1, le=1)
    mount_forward_m: float = constant("Camera, body frame: forward", "m", ge=-1, le=1)
    mount_left_m: float = constant("Camera, body frame: left", "m", ge=-1, le=1)
    mount_up_m: float = constant("Camera, body frame: up", "m", ge=-1, le=1)
    distance_full_m: float = constant(
        "Distance that a distance output of 1 means", "m", 8.0, gt=0, le=100
    )
    step_s: float = constant(
        "Time between steps: the camera's period", "s", 0.04, gt=0, le=1, in_c=False
    )
    speed_m_s: float = constant("Speed on patrol", "m/s", 0.5, gt=0, le=2)
    approach_speed_m_s: float = constant("Speed towards a leak", "m/s", 0.8, gt=0, le=2)
    climb_max_m_s: float = constant("Speed up or down at the most", "m/s", 0.2, gt=0, le=1)
    yaw_rate_max_rad_s: float = constant("Fastest turn", "rad/s", 1.2, gt=0, le=5)
    position_gain: float = constant("Speed per distance to go", "1/s", 1.0, gt=0, le=5)
    yaw_gain: float = constant("Yaw rate per sine of the angle to turn", "rad/s", 2.0, gt=0, le=10)
    reached_m: float = constant("A waypoint counts as reached this near", "m", 0.25, gt=0, le=2)
    facing_cos: float = constant(
        "A waypoint counts as reached with its yaw this near: cosine of the angle",
        "1",
        0.97,
        gt=0,
        lt=1,
    )
    waypoint_limit_s: float = seconds(
        "A waypoint that cannot be reached is given up after this time", 25.0, gt=0, le=600
    )
    last_look_s: float = seconds(
        "How long it stands and looks where the route ends", 3.0, ge=0, le=60
    )
    patrol_smoothing: float = constant(
        "Low-pass factor a of the evidence on patrol, y += a (x - y)", "1", 0.25, gt=0, le=1
    )
    confirm_smoothing: float = constant("The same in later phases", "1", 0.08, gt=0, le=1)
    confirm_at: float = constant(
        "Evidence from which a patrol stops to look", "1", 0.45, gt=0, lt=1
    )
    last_at: float = constant(
        "Evidence from which it stops to look where the route ends", "1", 0.3, gt=0, lt=1
    )
    approach_at: float = constant(
        "Evidence from which it approaches what it looks at", "1", 0.3, gt=0, lt=1
    )
    approach_frames: int = constant(
        "Frames in a row for which that evidence must last", "frames", 10, ge=1, le=1000
    )
    confirm_limit_s: float = seconds("How long it looks", 4.0, gt=0, le=60)
    ignore_s: float = seconds(
        "How long evidence then does not count, once it is back on its route", 3.0, ge=0, le=60
    )
    alarms_max: int = constant(
        "Approaches in vain after which evidence does not count any more",
        "1", 4, ge=1, le=ALARMS_LIMIT,
    )  # fmt: skip
    same_place_m: float = constant(
        "This near, level, to where two approaches in vain have ended, there is no third",
        "m",
        1.0,
        ge=0,
        le=10,
    )
    lost_at: float = constant("Evidence below which an approach is in doubt", "1", 0.2, ge=0, lt=1)
    lost_s: float = seconds("An approach in doubt is given up after this time", 3.0, gt=0, le=60)
    approach_share: float = constant(
        "How much the gas seen on the approach counts, beside that of the hover: from close by a "
        "plume may fill the picture, and what misleads looks its best",
        "1", 0.75, ge=0, le=1,
    )  # fmt: skip
    report_at: float = constant(
        "Mean gas of both from which a hover ends in a report", "1", 0.47, gt=0, lt=1
    )
    ray_at: float = constant("Gas in a frame from which its bearing counts", "1", 0.3, gt=0, lt=1)
    edge_weight: float = constant(
        "Weight of a bearing to the picture's edge, beside others: the leak may be beyond it",
        "1", 0.05, gt=0, le=1,
    )  # fmt: skip
    forgetting: float = constant(
        "Factor by which earlier bearings weigh less at each new one", "1", 0.99, gt=0, le=1
    )
    range_floor_m: float = constant(
        "A bearing weighs as 1 / (`range_floor_m`^2 + distance^2)", "m", 0.7, ge=0.1, le=10
    )
    distance_weight: float = constant(
        "Weight of the distance beside that of the bearing: the square of their errors' ratio",
        "1", 0.005, ge=0.001, le=1,
    )  # fmt: skip
    standoff_m: float = constant(
        "Horizontal distance to the leak at which it hovers", "m", 1.3, gt=0, le=10
    )
    approach_min_s: float = seconds(
        "Time of an approach at the least, for bearings from several places", 4.0, ge=0, le=600
    )
    approach_limit_s: float = seconds("Time of an approach at the most", 35.0, gt=0, le=600)
    hover_s: float = seconds("How long it hovers and takes bearings", 3.0, gt=0, le=60)
    doubt_m: float = constant(
        "If the network's mean distance in a hover is greater than the estimate's by more than "
        "this, a further approach takes more bearings",
        "m", 1.0, gt=0, le=10,
    )  # fmt: skip
    doubts_max: int = constant(
        "How many further approaches it takes at the most", "1", 1, ge=0, le=100
    )
    weave_m_s: float = constant(
        "Speed across the line of sight, for parallax, by turns with going ahead",
        "m/s", 0.6, ge=0, le=1,
    )  # fmt: skip
    weave_s: float = seconds("Time of each turn", 2.0, gt=0, le=60)
    margin_m: float = constant("Free distance kept on every side", "m", 0.45, ge=0, le=3)
    margin_gain: float = constant(
        "Speed towards a side per distance beyond the margin", "1/s", 1.0, gt=0, le=5
    )
    remember_m: float = constant(
        "What is seen nearer than this is kept away from when it is out of view, too",
        "m", 1.5, ge=0, le=4,
    )  # fmt: skip
    slide_m_s: float = constant(
        "Sideways speed where the way ahead is blocked", "m/s", 0.3, gt=0, le=1
    )
    blocked_m: float = constant(
        "Free distance ahead below which the way is blocked", "m", 0.7, gt=0, le=3
    )
    clear_m: float = constant("And above which it is free again", "m", 1.2, gt=0, le=4)
    height_low_m: float = constant("Lowest height of an approach", "m", 0.6, gt=0, le=10)
    height_high_m: float = constant("Highest height of an approach", "m", 1.6, gt=0, le=10)
    height_above_m: float = constant(
        "Height above the leak, within these bounds", "m", 0.2, ge=-2, le=2
    )


def fastest_m_s(constants: GasGuidance) -> np.float32:
    """Return the highest speed that is flown, forwards or sideways, float32."""
    return max(F32(constants.speed_m_s), F32(constants.approach_speed_m_s))


def obstacle_reach_m(constants: GasGuidance) -> np.float32:
    """Return the distance from which on an obstacle limits no speed, float32."""
    return F32(constants.margin_m) + fastest_m_s(constants) / F32(constants.margin_gain)


DERIVED = (
    steps("waypoint_limit_s"),
    steps("last_look_s"),
    steps("confirm_limit_s"),
    steps("ignore_s"),
    steps("lost_s"),
    steps("approach_min_s"),
    steps("approach_limit_s"),
    steps("hover_s"),
    steps("weave_s"),
    Derived("fastest_m_s", "The greater of both speeds", "m/s", fastest_m_s),
    Derived(
        "obstacle_reach_m", "Distance from which on an obstacle limits no speed", "m",
        obstacle_reach_m,
    ),
)  # fmt: skip
