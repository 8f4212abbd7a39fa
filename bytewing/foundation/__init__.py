"""Utilities of all packages: errors, files, configuration, random streams, processes, progress."""
