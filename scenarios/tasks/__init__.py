"""Metrics, limits and baselines of the tasks: one folder per task, and their common contract."""
