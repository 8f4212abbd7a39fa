"""What can be flown and judged: one module a task, listed here."""

from __future__ import annotations

from bytewing.foundation.errors import BadInputError, did_you_mean
from bytewing.scenarios.tasks.gas import GAS
from bytewing.scenarios.tasks.mox import MOX
from bytewing.scenarios.tasks.road import ROAD
from bytewing.scenarios.tasks.task import FlownTask

TASKS: dict[str, FlownTask] = {task.name: task for task in (ROAD, GAS, MOX)}


def find_task(name: str) -> FlownTask:
    """Return a task by its name; BadInputError, with the nearest valid name, for any other."""
    if name not in TASKS:
        raise BadInputError(f"task {name!r} is not known{did_you_mean(name, TASKS)}")
    return TASKS[name]
