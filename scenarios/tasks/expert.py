"""Make the baseline ``expert`` of a task: its teacher, which uses the simulator's true state."""

from __future__ import annotations

from functools import partial

from bytewing.policies.experts import expert_pilot
from bytewing.policies.tasks.task import LearnedTask
from bytewing.scenarios.tasks.task import Baseline

EXPERT = "expert"


def expert_baseline(task: LearnedTask) -> Baseline:
    """Return the baseline that flies with the teacher of a task."""
    return Baseline(partial(expert_pilot, task), colour="#999999")
