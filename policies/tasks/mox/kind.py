"""The kind of guidance of the metal-oxide task."""

from __future__ import annotations

from bytewing.policies.guidance.kind import GuidanceKind
from bytewing.policies.tasks.mox.constants import MoxGuidance
from bytewing.policies.tasks.mox.guidance import MoxGuide

MOX_GUIDANCE_KIND = GuidanceKind(name="mox", constants=MoxGuidance, make=MoxGuide)
