"""Graph → picture.

`diagram/` makes boxes, clusters and arrows of a graph. `colours/` says what they are coloured by, `words/` what is written
in them. `formats/` writes a diagram as DOT or Mermaid, and has Graphviz paint it. `figures/` lays out and paints the figures
that need no Graphviz. `draw` writes any of them to a file, in the format that the file's ending asks for.
"""
