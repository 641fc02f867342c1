"""Activations and norms that are written out as the arithmetic that they are."""
