"""Registry of the kinds of course, by the key ``kind`` of a ``[course]`` table."""

from __future__ import annotations

from typing import Any

from bytewing.foundation.config import Config, tagged
from bytewing.foundation.registry import Registry
from bytewing.sim.course import Course
from bytewing.sim.courses.kind import CourseKind

COURSES = Registry("course", CourseKind, "course kind")

CourseConfig = tagged(lambda: {name: kind.config for name, kind in COURSES.parts.items()})
"""What a ``[course]`` table holds: the model of its kind."""


def generate_course(config: Config, seed: int) -> Course:
    """Return the course that ``seed`` draws from ``config``."""
    table: Any = config
    return COURSES.find(table.kind).generate(config, seed)
