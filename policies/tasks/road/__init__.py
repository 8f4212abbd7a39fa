"""Learning and guidance of the road task."""
