"""Writes `tables.py`, the parser's tables: `python -m cnndsl.syntax.generate` after a change of the grammar."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from pprint import pformat
from typing import Any

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from cnndsl.shelf import read_data
from cnndsl.syntax.parser import OPTIONS


def tables() -> str:
    """The text of `tables.py` for the present grammar; the same for the same grammar."""
    grammar = read_data("grammars", "cnn.lark")
    data, memo = Lark(grammar, **OPTIONS, strict=True).memo_serialize([TerminalDef, Rule])
    parts = {"GRAMMAR": sha256(grammar.encode()).hexdigest(), "DATA": plain(data), "MEMO": plain(memo)}
    lines = [f"{name}: Any = {pformat(part, width=4000, compact=True)}" for name, part in parts.items()]
    head = '"""The parser\'s tables, generated from grammars/cnn.lark by `cnndsl.syntax.generate`."""'
    return "\n".join([head, "", "from typing import Any", "", *lines, ""])


def plain(value: Any) -> Any:
    """Nested data with sets in a fixed order, so that the file does not depend on the hash seed."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return type(value)(plain(item) for item in value)
    return value


if __name__ == "__main__":
    Path(__file__).with_name("tables.py").write_text(tables(), encoding="utf-8")
