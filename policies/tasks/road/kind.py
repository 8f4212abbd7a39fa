"""The kind of guidance of the road task."""

from __future__ import annotations

from pathlib import Path

from bytewing.policies.guidance.kind import SHARED_SOURCES, GuidanceKind
from bytewing.policies.tasks.road.constants import DERIVED, RoadGuidance

HERE = Path(__file__).parent

ROAD_GUIDANCE_KIND = GuidanceKind(
    name="road",
    constants=RoadGuidance,
    derived=DERIVED,
    sources=(*SHARED_SOURCES, HERE / "road_guidance.h", HERE / "road_guidance.c"),
    outputs={"steering": 1, "collision": 1},
)
