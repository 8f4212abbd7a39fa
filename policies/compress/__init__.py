"""Making a network smaller: quantisation."""
