"""Fields of the air, sampled at a position and a time: wind and gas."""
