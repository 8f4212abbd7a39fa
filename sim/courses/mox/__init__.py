"""Walled yards with a gas leak to be found upwind."""
