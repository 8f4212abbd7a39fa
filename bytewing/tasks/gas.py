"""The gas task."""

from __future__ import annotations

from bytewing.policies.tasks.gas.kind import GAS_GUIDANCE_KIND
from bytewing.policies.tasks.gas.learning import GAS as LEARNED
from bytewing.scenarios.tasks.gas.judging import GAS as FLOWN
from bytewing.sim.courses.gas.kind import GAS_COURSE
from bytewing.task import Task

GAS = Task(course=GAS_COURSE, guidance=GAS_GUIDANCE_KIND, learned=LEARNED, flown=FLOWN)
