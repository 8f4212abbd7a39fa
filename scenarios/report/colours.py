"""Colours of runtimes and baselines, the same in all pictures."""

from __future__ import annotations

from bytewing.scenarios.tasks.task import AnyFlownTask

# Okabe and Ito's palette, which colour-blind readers can tell apart (jfly.uni-koeln.de/color).
LADDER_COLOURS = {
    "float": "#0072b2",
    "onnx": "#56b4e9",
    "int8": "#009e73",
    "c": "#e69f00",
    "mcu": "#d55e00",
}
UNKNOWN = "#7f7f7f"
"""For a runtime that this version of the task does not have."""


def runtime_colours(task: AnyFlownTask) -> dict[str, str]:
    """Return the colour of each rung and of each baseline of a task, by name."""
    baselines = {name: baseline.colour for name, baseline in task.baselines.items()}
    return {**LADDER_COLOURS, **baselines}
