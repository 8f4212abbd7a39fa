"""The kind of guidance of the gas task."""

from __future__ import annotations

from pathlib import Path

from bytewing.policies.guidance.kind import SHARED_SOURCES, GuidanceKind
from bytewing.policies.inputs.transforms import MIRROR_TO_WIND
from bytewing.policies.tasks.gas.constants import DERIVED, GasGuidance
from bytewing.policies.tasks.gas.leak_map import CELLS

HERE = Path(__file__).parent
NAMES = (
    "gas_config.h",
    "gas_leak_map.h",
    "gas_leak_map.c",
    "gas_bearings.h",
    "gas_bearings.c",
    "gas_obstacles.h",
    "gas_obstacles.c",
    "gas_guidance.h",
    "gas_motion.h",
    "gas_motion.c",
    "gas_guidance.c",
)

GAS_GUIDANCE_KIND = GuidanceKind(
    name="gas",
    constants=GasGuidance,
    derived=DERIVED,
    sources=(*SHARED_SOURCES, *MIRROR_TO_WIND.sources, *(HERE / name for name in NAMES)),
    outputs={"leak": CELLS, "distance": 1},
    answer={"phase": 1, "leak_m": 3, "evidence": 1},
    position="leak_m",
    senses=("position_m", "quaternion_xyzw", "range_m", "wind_m_s"),
    takes_route=True,
    transform=MIRROR_TO_WIND.name,
)
