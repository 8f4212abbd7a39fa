"""Every kind of course there is, told apart by the key ``kind`` of a ``[course]`` table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.courses.road import generate_road
from sim.courses.road_config import RoadCourseConfig
from sim.flight import Course

CourseConfig = RoadCourseConfig
"""What a ``[course]`` table holds."""

_GENERATORS: dict[str, Callable[[Any, int], Course]] = {"road": generate_road}


def generate_course(config: CourseConfig, seed: int) -> Course:
    """Return the course that ``seed`` draws from ``config``."""
    return _GENERATORS[config.kind](config, seed)
