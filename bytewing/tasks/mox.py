"""The metal-oxide task."""

from __future__ import annotations

from bytewing.policies.tasks.mox.kind import MOX_GUIDANCE_KIND
from bytewing.policies.tasks.mox.learning import MOX as LEARNED
from bytewing.scenarios.tasks.mox.judging import MOX as FLOWN
from bytewing.sim.courses.mox.kind import MOX_COURSE
from bytewing.task import Task

MOX = Task(course=MOX_COURSE, guidance=MOX_GUIDANCE_KIND, learned=LEARNED, flown=FLOWN)
