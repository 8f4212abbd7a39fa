"""Constants of the road guidance; a policy bundle carries them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bytewing.foundation.config import Config


class RoadGuidance(Config):
    """Constants of the road guidance (``guidance`` beside this module); all become float32.

    Attributes:
        kind: tag of this guidance.
        speed_max_m_s: forward speed on a free road.
        yaw_rate_max_rad_s: yaw rate at a steering output of 1 (left is positive).
        steering_smoothing: low-pass factor a in ``y += a * (x - y)``, 1 for none.
        collision_smoothing: the same for the collision probability.
        collision_go: probability up to which the drone flies at full speed.
        collision_stop: probability from which it stands still.
    """

    kind: Literal["road"] = "road"
    speed_max_m_s: float = Field(gt=0, le=5)
    yaw_rate_max_rad_s: float = Field(gt=0, le=10)
    steering_smoothing: float = Field(gt=0, le=1)
    collision_smoothing: float = Field(gt=0, le=1)
    collision_go: float = Field(ge=0, lt=1)
    collision_stop: float = Field(gt=0, le=1)
