"""Constants of the road guidance; a policy bundle carries them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bytewing.policies.guidance.constants import Derived, GuidanceConstants, constant

F32 = np.float32


class RoadGuidance(GuidanceConstants):
    """Constants of the road guidance (``road_guidance.h`` beside this module)."""

    kind: Literal["road"] = "road"
    speed_max_m_s: float = constant("Forward speed on a free road", "m/s", gt=0, le=5)
    yaw_rate_max_rad_s: float = constant(
        "Yaw rate at a steering output of 1, left positive", "rad/s", gt=0, le=10
    )
    steering_smoothing: float = constant(
        "Low-pass factor a of the steering, y += a (x - y); 1 for none", "1", gt=0, le=1
    )
    collision_smoothing: float = constant("The same of the collision probability", "1", gt=0, le=1)
    collision_go: float = constant(
        "Collision probability up to which the drone flies at full speed",
        "1", ge=0, lt=1, in_c=False,
    )  # fmt: skip
    collision_stop: float = constant(
        "Collision probability from which it stands still", "1", gt=0, le=1
    )


def speed_slope(constants: RoadGuidance) -> np.float32:
    """Return 1 / (collision_stop - collision_go), float32."""
    return F32(1) / (F32(constants.collision_stop) - F32(constants.collision_go))


DERIVED = (Derived("speed_slope", "1 / (`collision_stop` - `collision_go`)", "1", speed_slope),)
