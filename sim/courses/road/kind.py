"""The kind of course of the road task."""

from __future__ import annotations

from bytewing.sim.courses.kind import DISTRIBUTIONS, CourseKind
from bytewing.sim.courses.road.config import RoadCourseConfig
from bytewing.sim.courses.road.course import generate_road

ROAD_COURSE = CourseKind(
    name="road",
    config=RoadCourseConfig,
    generate=generate_road,
    distributions=DISTRIBUTIONS / "road",
)
