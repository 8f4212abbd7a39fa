"""Compute velocity commands from network outputs and sensor readings."""
