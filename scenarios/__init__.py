"""What is flown, measured and held to a baseline."""
