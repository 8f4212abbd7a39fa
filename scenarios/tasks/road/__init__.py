"""Metrics, limits and baselines of the road task."""
