"""What can be flown and judged: one module a task, listed here."""

from __future__ import annotations

from scenarios.tasks.gas import GAS
from scenarios.tasks.mox import MOX
from scenarios.tasks.road import ROAD
from scenarios.tasks.task import FlownTask
from sim.errors import BadInputError, did_you_mean

TASKS: dict[str, FlownTask] = {task.name: task for task in (ROAD, GAS, MOX)}


def find_task(name: str) -> FlownTask:
    """Return a task by its name; BadInputError, with the nearest valid name, for any other."""
    if name not in TASKS:
        raise BadInputError(f"task {name!r} is not known{did_you_mean(name, TASKS)}")
    return TASKS[name]
