"""Networks of installed libraries by name."""
