"""Networks: as numbers that anything can write (``folded``), and as what torch trains."""
