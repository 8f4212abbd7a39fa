"""Networks as torch modules for training, and as folded arrays for export (``folded``)."""
