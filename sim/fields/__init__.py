"""What fills the air: anything that is sampled at a position and a time."""
