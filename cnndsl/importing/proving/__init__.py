"""That an imported program is its source."""
