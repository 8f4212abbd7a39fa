"""What can be learned: one module a task, listed here. Nothing in it needs torch."""

from __future__ import annotations

from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.policies.tasks.gas import GAS
from bytewing.policies.tasks.mox import MOX
from bytewing.policies.tasks.road import ROAD
from bytewing.policies.tasks.task import Task

TASKS: dict[str, Task] = {task.name: task for task in (ROAD, GAS, MOX)}


def find_task(name: str) -> Task:
    """Return a task by its name; BadInputError, with the nearest name, where there is none."""
    if name not in TASKS:
        raise BadInputError(f"task {name!r} is not known{did_you_mean(name, TASKS)}")
    return TASKS[name]
