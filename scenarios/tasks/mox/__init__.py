"""Metrics, limits and baselines of the metal-oxide task."""
