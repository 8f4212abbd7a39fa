"""Define ``Task``, which combines the parts of a task that the packages need."""

from __future__ import annotations

from dataclasses import dataclass

from bytewing.policies.guidance.kind import GuidanceKind
from bytewing.policies.tasks.task import LearnedTask
from bytewing.scenarios.tasks.task import AnyFlownTask
from bytewing.sim.courses.kind import CourseKind


@dataclass(frozen=True)
class Task:
    """A task of a small drone that can be learned, exported, flown and judged.

    An entry point of the group ``bytewing.tasks`` that loads a ``Task`` registers it for all
    commands (``docs/adding-a-task.md``).

    Attributes:
        course: kind of course of its flights.
        guidance: kind of guidance, which computes velocity commands from network outputs.
        learned: network, teacher and training.
        flown: metrics, limits, baselines and pictures.
    """

    course: CourseKind
    guidance: GuidanceKind
    learned: LearnedTask
    flown: AnyFlownTask
