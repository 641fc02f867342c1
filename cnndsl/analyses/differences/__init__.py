"""What changed between two graphs, by meaning: layers matched, weights carried over, figures before and after."""
