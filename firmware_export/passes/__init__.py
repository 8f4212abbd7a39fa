"""Rewrites of the integer graph that change no result."""
