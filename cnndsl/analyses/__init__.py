"""Figures of a graph: parameters, arithmetic, memory, receptive fields. Each is a function of the graph alone."""
