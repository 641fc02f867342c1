"""Attention: heads as an axis, the layouts that it takes, and tables by relative position."""
