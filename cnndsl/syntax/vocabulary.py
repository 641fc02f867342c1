"""The words that the language keeps for itself."""

from __future__ import annotations

STATEMENTS = frozenset(["use", "param", "let", "default", "block", "model", "input", "output", "share", "assert"])


RESERVED = STATEMENTS | frozenset(
    ["takes", "from", "as", "for", "in", "if", "else", "and", "or", "not", "true", "false", "id", "none"]
)

_SIGNS = ("PLUS", "MINUS", "TIMES", "SLASH", "SLASHES", "PERCENT", "POWER", "DOTS", "DOT")
OPERATORS = frozenset([*_SIGNS, "EQ", "NE", "LE", "GE", "LT", "GT", "AND", "OR"])
"""The grammar's names of what stands between two values."""
