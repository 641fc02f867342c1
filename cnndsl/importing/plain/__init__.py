"""One plain way to say what a trace says in many: aliases, the batch, constants, and what no layer recognises."""
