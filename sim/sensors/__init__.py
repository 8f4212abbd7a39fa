"""Models of the drone's sensors."""
