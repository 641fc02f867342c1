"""What brings a network in: each reader gives a `Trace`."""
