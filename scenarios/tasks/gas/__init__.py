"""Metrics, limits and baselines of the gas task."""
