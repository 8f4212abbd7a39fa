"""The kind of guidance: its constants, and the C files that compute with them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bytewing.policies.guidance.constants import GuidanceConstants, constant
from bytewing.policies.guidance.kind import SHARED_SOURCES, GuidanceKind

HERE = Path(__file__).parent


class LampGuidance(GuidanceConstants):
    """Constants of the lamp guidance (``lamps_guidance.h`` beside this module)."""

    kind: Literal["lamps"] = "lamps"
    speed_m_s: float = constant("Forward speed", "m/s", 0.5, gt=0, le=2)
    yaw_gain_1_s: float = constant("Yaw rate per steering output", "1/s", 2.0, gt=0, le=10)


LAMP_GUIDANCE = GuidanceKind(
    name="lamps",
    constants=LampGuidance,
    sources=(*SHARED_SOURCES, HERE / "lamps_guidance.h", HERE / "lamps_guidance.c"),
    outputs={"steering": 1},
)
