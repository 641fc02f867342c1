"""The typed graph: tensor types, windows, weights, ops, nodes. The whole IR reads on a page or two."""
