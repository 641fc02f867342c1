"""Training, evaluation and prediction with PyTorch Lightning: text → trained recogniser.

`train` is the page to read first. `data/` reads examples and makes batches, `loop/` learns from them, `trained/` uses what was
learnt. The other files check, before anything starts, that network, data, options and machine fit each other.
"""
