"""A task for Bytewing in a package of its own: follow a line of lamps on dark ground."""
