"""From a graph to a text that a person would have written: chains, labels, repeats, blocks."""
