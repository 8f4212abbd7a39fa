"""The contract of a kind of course between a task and the simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bytewing.foundation.config import Config
from bytewing.sim.course import Course

DISTRIBUTIONS = Path(__file__).parents[1] / "distributions"
"""Distributions of the tasks that ship with Bytewing: a folder for each task."""


@dataclass(frozen=True)
class CourseKind:
    """A kind of world to fly through.

    Attributes:
        name: the key ``kind`` of a ``[course]`` table.
        config: model of that table; its field ``kind`` has the name as its only value.
        generate: draws a course from such a table and a seed; the same two give the same course.
        distributions: folder of TOML files that declare what such courses are drawn from
            (``bytewing.sim.distribution``), found by their names.
    """

    name: str
    config: type[Config]
    generate: Callable[[Any, int], Course]
    distributions: Path
