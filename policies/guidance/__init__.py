"""Guidance: network outputs and senses into a velocity command (``answer`` says what that is)."""
