"""Text to tree and tree to text. Knows no layer."""
