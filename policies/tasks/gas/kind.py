"""The kind of guidance of the gas task."""

from __future__ import annotations

from bytewing.policies.guidance.kind import GuidanceKind
from bytewing.policies.tasks.gas.constants import GasGuidance
from bytewing.policies.tasks.gas.guidance import GasGuide

GAS_GUIDANCE_KIND = GuidanceKind(name="gas", constants=GasGuidance, make=GasGuide)
