"""The kind of course of the mox task."""

from __future__ import annotations

from bytewing.sim.courses.kind import DISTRIBUTIONS, CourseKind
from bytewing.sim.courses.mox.config import GasFieldConfig
from bytewing.sim.courses.mox.course import generate_gas_field

MOX_COURSE = CourseKind(
    name="gas_field",
    config=GasFieldConfig,
    generate=generate_gas_field,
    distributions=DISTRIBUTIONS / "mox",
)
