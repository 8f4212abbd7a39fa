"""A task for Bytewing in a package of its own: fly along a line of lamps on dark ground."""
