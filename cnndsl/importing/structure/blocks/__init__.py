"""From modules of one class to one block: alignment, what differs as expressions, names."""
