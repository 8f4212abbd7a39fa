"""Learning and guidance of the gas task."""
