"""The road task."""

from __future__ import annotations

from bytewing.policies.tasks.road.kind import ROAD_GUIDANCE_KIND
from bytewing.policies.tasks.road.learning import ROAD as LEARNED
from bytewing.scenarios.tasks.road.judging import ROAD as FLOWN
from bytewing.sim.courses.road.kind import ROAD_COURSE
from bytewing.task import Task

ROAD = Task(course=ROAD_COURSE, guidance=ROAD_GUIDANCE_KIND, learned=LEARNED, flown=FLOWN)
