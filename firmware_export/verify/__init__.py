"""Compile, run and measure exported C on this computer and on an emulated core."""
