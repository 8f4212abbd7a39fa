"""Roads to follow."""
