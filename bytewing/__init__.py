"""Studies that need several rooms, and the command line."""
