"""What can be learned: one module a task, listed here. Nothing in it needs torch."""

from __future__ import annotations

from policies.tasks.gas import GAS
from policies.tasks.mox import MOX
from policies.tasks.road import ROAD
from policies.tasks.task import Task
from sim.errors import BadInputError, did_you_mean

TASKS: dict[str, Task] = {task.name: task for task in (ROAD, GAS, MOX)}


def find_task(name: str) -> Task:
    """Return a task by its name; BadInputError, with the nearest name, where there is none."""
    if name not in TASKS:
        raise BadInputError(f"task {name!r} is not known{did_you_mean(name, TASKS)}")
    return TASKS[name]
