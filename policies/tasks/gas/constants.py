"""Constants of the gas guidance; a policy bundle carries them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bytewing.foundation.config import Config


class GasGuidance(Config):
    """Constants of the gas guidance (``guidance`` beside this module); numbers become float32.

    What has no default depends on the camera. The others were tried on simulated flights; times
    count steps of the guidance, so a pilot that misses frames has slower timers.

    Attributes:
        kind: tag of this guidance.
        tan_half_fov_left: tangent of half the camera's horizontal field of view: bearing 1.
        tan_half_fov_up: the same for the vertical.
        pitch_cos: cosine of the angle by which the camera looks down.
        pitch_sin: its sine.
        mount_forward_m: where the camera sits, body frame.
        mount_left_m: left.
        mount_up_m: up.
        distance_full_m: distance that an output of 1 means.
        step_s: time between steps: the camera's period.
        speed_m_s: on patrol.
        approach_speed_m_s: towards a leak.
        climb_max_m_s: up or down.
        yaw_rate_max_rad_s: fastest turn.
        position_gain: speed per distance to go, 1/s.
        yaw_gain: yaw rate per sine of the angle to turn, rad/s.
        reached_m: a waypoint counts as reached this near.
        facing_cos: and with its yaw this near (cosine of the angle).
        waypoint_limit_s: one that cannot be reached is given up after this long.
        last_look_s: how long it stands and looks where the route ends.
        patrol_smoothing: low-pass factor a of the evidence on patrol, ``y += a * (x - y)``.
        confirm_smoothing: the same later.
        confirm_at: evidence from which a patrol stops to look,
        last_at: and where the route ends.
        approach_at: evidence from which it goes there,
        approach_frames: held for this many frames.
        confirm_limit_s: how long it looks.
        deaf_s: for how long it then does not listen, once it is back on its route.
        alarms_max: approaches in vain after which evidence is not listened to any more.
        same_place_m: this near, level, to where two of them ended, there is no third.
        lost_at: evidence below which an approach is in doubt,
        lost_s: and given up after this long.
        approach_share: how much what was seen on the approach counts, beside that of the hover:
            from close by a plume may fill the picture, and what misleads looks its best.
        report_at: the mean of both from which a hover ends in a report.
        ray_at: what the map's strongest cells add up to from which a frame's bearing counts.
        edge_weight: of a bearing to the picture's edge, beside others: the leak may be beyond it.
        forgetting: factor by which earlier bearings weigh less at each new one.
        range_floor_m: a bearing weighs as 1 / (range_floor_m^2 + distance^2).
        distance_weight: weight of the distance beside that of the bearing: the square of their
            errors' ratio.
        standoff_m: horizontal distance to the leak at which it hovers.
        approach_min_s: the least time of an approach, for bearings from several places.
        approach_limit_s: the most.
        hover_s: how long it goes on taking bearings there; given up too if all of it is in doubt.
        doubt_m: if the network says that the leak is farther away than the estimate by more than
            this, in the mean of a hover, it takes more bearings on a further approach,
        doubts_max: so many times.
        weave_m_s: speed across the line of sight, for parallax, by turns with going ahead.
        weave_s: time of each turn.
        margin_m: free distance kept on every side.
        margin_gain: speed towards a side per distance beyond the margin, 1/s.
        remember_m: what is seen nearer than this is kept away from when it is out of view, too.
        slide_m_s: sideways speed where the way ahead is blocked.
        blocked_m: free distance ahead below which it is,
        clear_m: and above which it is free again.
        height_low_m: lowest height at which it goes near,
        height_high_m: the highest,
        height_above_m: and how far above the leak it would like to be.
    """

    kind: Literal["gas"] = "gas"
    tan_half_fov_left: float = Field(gt=0, le=2)
    tan_half_fov_up: float = Field(gt=0, le=2)
    pitch_cos: float = Field(gt=0, le=1)
    pitch_sin: float = Field(ge=-1, le=1)
    mount_forward_m: float = Field(ge=-1, le=1)
    mount_left_m: float = Field(ge=-1, le=1)
    mount_up_m: float = Field(ge=-1, le=1)
    distance_full_m: float = Field(default=8.0, gt=0, le=100)
    step_s: float = Field(default=0.04, gt=0, le=1)
    speed_m_s: float = Field(default=0.5, gt=0, le=2)
    approach_speed_m_s: float = Field(default=0.8, gt=0, le=2)
    climb_max_m_s: float = Field(default=0.2, gt=0, le=1)
    yaw_rate_max_rad_s: float = Field(default=1.2, gt=0, le=5)
    position_gain: float = Field(default=1.0, gt=0, le=5)
    yaw_gain: float = Field(default=2.0, gt=0, le=10)
    reached_m: float = Field(default=0.25, gt=0, le=2)
    facing_cos: float = Field(default=0.97, gt=0, lt=1)
    waypoint_limit_s: float = Field(default=25.0, gt=0, le=600)
    last_look_s: float = Field(default=3.0, ge=0, le=60)
    patrol_smoothing: float = Field(default=0.25, gt=0, le=1)
    confirm_smoothing: float = Field(default=0.08, gt=0, le=1)
    confirm_at: float = Field(default=0.45, gt=0, lt=1)
    last_at: float = Field(default=0.3, gt=0, lt=1)
    approach_at: float = Field(default=0.3, gt=0, lt=1)
    approach_frames: int = Field(default=10, ge=1, le=1000)
    confirm_limit_s: float = Field(default=4.0, gt=0, le=60)
    deaf_s: float = Field(default=3.0, ge=0, le=60)
    alarms_max: int = Field(default=4, ge=1, le=100)
    same_place_m: float = Field(default=1.0, ge=0, le=10)
    lost_at: float = Field(default=0.2, ge=0, lt=1)
    lost_s: float = Field(default=3.0, gt=0, le=60)
    approach_share: float = Field(default=0.75, ge=0, le=1)
    report_at: float = Field(default=0.47, gt=0, lt=1)
    ray_at: float = Field(default=0.3, gt=0, lt=1)
    edge_weight: float = Field(default=0.05, gt=0, le=1)
    forgetting: float = Field(default=0.99, gt=0, le=1)
    range_floor_m: float = Field(default=0.7, ge=0.1, le=10)
    distance_weight: float = Field(default=0.005, ge=0.001, le=1)
    standoff_m: float = Field(default=1.3, gt=0, le=10)
    approach_min_s: float = Field(default=4.0, ge=0, le=600)
    approach_limit_s: float = Field(default=35.0, gt=0, le=600)
    hover_s: float = Field(default=3.0, gt=0, le=60)
    doubt_m: float = Field(default=1.0, gt=0, le=10)
    doubts_max: int = Field(default=1, ge=0, le=100)
    weave_m_s: float = Field(default=0.6, ge=0, le=1)
    weave_s: float = Field(default=2.0, gt=0, le=60)
    margin_m: float = Field(default=0.45, ge=0, le=3)
    margin_gain: float = Field(default=1.0, gt=0, le=5)
    remember_m: float = Field(default=1.5, ge=0, le=4)
    slide_m_s: float = Field(default=0.3, gt=0, le=1)
    blocked_m: float = Field(default=0.7, gt=0, le=3)
    clear_m: float = Field(default=1.2, gt=0, le=4)
    height_low_m: float = Field(default=0.6, gt=0, le=10)
    height_high_m: float = Field(default=1.6, gt=0, le=10)
    height_above_m: float = Field(default=0.2, ge=-2, le=2)
