"""Studies that need several rooms."""
