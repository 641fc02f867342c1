"""Attention, in the ways in which it is written out."""
