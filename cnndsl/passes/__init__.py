"""Tree to graph: values are worked out, words become ops, repeats unroll, and every shape is inferred on the way.

The three steps of the house go hand in hand, because a program may ask for `in.channels` anywhere:
`expand` walks statements and chains, `resolve` turns a word and its arguments into an op, `infer` gives the
tensors their types, and `name` closes the graph with the names of its weights.
"""
