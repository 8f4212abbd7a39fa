"""Registry of the tasks that can be learned, by name."""

from __future__ import annotations

from bytewing.foundation.registry import Registry
from bytewing.policies.tasks.task import LearnedTask

LEARNED_TASKS = Registry("learned", LearnedTask, "task")
