"""All variants of a program: its parameters, input sizes and models in every combination, and their figures."""
