"""Utilities of every room: errors, files, configuration, random streams, processes, progress."""
