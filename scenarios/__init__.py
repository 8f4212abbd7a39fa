"""Scenario files, flights, metrics, checks and reports."""
