"""The kind of course of the gas task."""

from __future__ import annotations

from bytewing.sim.courses.gas.config import GasSiteConfig
from bytewing.sim.courses.gas.course import generate_gas_site
from bytewing.sim.courses.kind import DISTRIBUTIONS, CourseKind

GAS_COURSE = CourseKind(
    name="gas_site",
    config=GasSiteConfig,
    generate=generate_gas_site,
    distributions=DISTRIBUTIONS / "gas",
)
