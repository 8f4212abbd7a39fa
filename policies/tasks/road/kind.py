"""The kind of guidance of the road task."""

from __future__ import annotations

from bytewing.policies.guidance.kind import GuidanceKind
from bytewing.policies.tasks.road.constants import RoadGuidance
from bytewing.policies.tasks.road.guidance import RoadGuide

ROAD_GUIDANCE_KIND = GuidanceKind(name="road", constants=RoadGuidance, make=RoadGuide)
