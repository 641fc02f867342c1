"""Training, evaluation and prediction with PyTorch Lightning: text → trained recogniser."""
