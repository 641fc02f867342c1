"""The grammar's rules as tree nodes: called by the parser as it reads, so that no depth of text nests calls."""

from __future__ import annotations

from cnndsl.syntax.build.chains import Chains
from cnndsl.syntax.build.statements import Statements
from cnndsl.syntax.build.values import Values

__all__ = ["Builder"]


class Builder(Statements, Chains, Values):
    """Callbacks named after the grammar's rules; each thread has its own text to read."""
