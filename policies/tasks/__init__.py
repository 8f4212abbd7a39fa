"""Learning definitions of the tasks, one folder per task; they do not need torch."""
