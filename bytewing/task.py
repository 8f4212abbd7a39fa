"""A task: the parts that each room needs of it, tied together."""

from __future__ import annotations

from dataclasses import dataclass

from bytewing.policies.guidance.kind import GuidanceKind
from bytewing.policies.tasks.task import LearnedTask
from bytewing.scenarios.tasks.task import AnyFlownTask
from bytewing.sim.courses.kind import CourseKind


@dataclass(frozen=True)
class Task:
    """A job for a small drone, ready to be learned, exported, flown and judged.

    An entry point of the group ``bytewing.tasks`` that loads one makes it known to every command,
    whichever package it comes from (``docs/adding-a-task.md``).

    Attributes:
        course: the world it is flown in.
        guidance: what turns network outputs into velocity commands.
        learned: network, teacher and training.
        flown: metrics, limits, baselines and pictures.
    """

    course: CourseKind
    guidance: GuidanceKind
    learned: LearnedTask
    flown: AnyFlownTask
