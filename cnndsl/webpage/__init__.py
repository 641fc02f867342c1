"""A network as HTML: one page that holds everything it needs, and what a notebook shows."""
