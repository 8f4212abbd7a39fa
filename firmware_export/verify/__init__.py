"""Compilers, this computer and the emulated core: where exported C is run and measured."""
