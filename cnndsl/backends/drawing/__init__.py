"""Graph → picture. Diagrams: `structure` makes a tree of boxes, `emit` writes it as DOT, `mermaid` as Mermaid, `render` paints it.
Numbers of our own: `volumes` and `fields` lay out a `Figure`, which `figure` writes as SVG and `figure_paint` as PNG and PDF."""
