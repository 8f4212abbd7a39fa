"""How each task is flown, measured and judged: one folder a task."""
