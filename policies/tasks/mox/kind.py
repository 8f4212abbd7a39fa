"""The kind of guidance of the metal-oxide task."""

from __future__ import annotations

from pathlib import Path

from bytewing.policies.guidance.kind import GuidanceKind
from bytewing.policies.guidance.mean_wind import SOURCES as MEAN_WIND_SOURCES
from bytewing.policies.tasks.mox.constants import DERIVED, MoxGuidance

HERE = Path(__file__).parent

MOX_GUIDANCE_KIND = GuidanceKind(
    name="mox",
    constants=MoxGuidance,
    derived=DERIVED,
    sources=(*MEAN_WIND_SOURCES, HERE / "mox_guidance.h", HERE / "mox_guidance.c"),
    outputs={"gas": 1, "side": 1},
    senses=("position_m", "quaternion_xyzw", "range_m", "wind_m_s"),
    takes_route=True,
)
