"""Every task that can be flown and judged, by name."""

from __future__ import annotations

from bytewing.foundation.registry import Registry
from bytewing.scenarios.tasks.task import FlownTask

FLOWN_TASKS = Registry("flown", FlownTask, "task")
