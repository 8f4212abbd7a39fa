"""Sizes of people on courses."""

PERSON_RADIUS_M = (0.15, 0.25)
PERSON_HEIGHT_M = (1.6, 1.9)
"""From and to: adults, 0.3 to 0.5 m wide with their arms."""
