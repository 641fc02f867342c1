"""Graph → picture: `structure` makes a tree of boxes, `emit` writes it as DOT, `mermaid` as Mermaid, `render` paints it."""
