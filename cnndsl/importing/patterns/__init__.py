"""What PyTorch code writes in several operations and the language in one word: a file each.

Each has `TARGETS`, the operations that may be the last of the pattern, and `rewrite(web, node)`, which gives the one operation
that stands for all of them, or None.
"""
