"""Graph → PyTorch: a live module, or the text of a Python file that needs torch and nothing of ours."""
