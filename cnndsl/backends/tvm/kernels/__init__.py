"""Kernels: each file is one computation in tensor expressions and the schedule that makes it fast.

Maps travel packed: `(batch, chunks, height, width, lanes)`, where a chunk is as many channels as a vector register
holds and the last one is filled up with channels of zeros (or of anything finite: their weights are zero).
"""
