"""Two operations that are one layer: a pad and what pads by itself, two convolutions, a table and a turn."""
