"""Graph → PyTorch: a live module, or the text of a Python file that needs torch and nothing of ours.

`expression` records what ops do with `torch`. `live/` runs the recorded expressions in a module, and asks PyTorch about it;
`writing/` makes them the text of classes.
"""
