"""The judging contracts of all installed tasks, by name."""

from __future__ import annotations

from bytewing.foundation.registry import Registry
from bytewing.scenarios.tasks.task import AnyFlownTask, FlownTask

FLOWN_TASKS: Registry[AnyFlownTask] = Registry("flown", FlownTask, "task")
