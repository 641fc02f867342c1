"""Networks measured against other engines, and against what the machine can do."""
