"""Learning and guidance of the metal-oxide task."""
