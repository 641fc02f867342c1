"""Layouts: tensors spread, turned, cut in windows and laid out as tokens, or along fewer axes."""
