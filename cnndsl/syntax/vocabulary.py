"""The words that the language keeps for itself."""

from __future__ import annotations

STATEMENTS = frozenset(["use", "param", "let", "default", "block", "model", "input", "output", "share", "assert"])


RESERVED = STATEMENTS | frozenset(
    ["takes", "from", "as", "for", "in", "if", "else", "and", "or", "not", "true", "false", "id", "none"]
)
