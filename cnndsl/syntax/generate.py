"""Writes `tables.py`, the parser's tables: `python -m cnndsl.syntax.generate` after a change of the grammar."""

from __future__ import annotations

from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from pprint import pformat
from typing import Any

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from cnndsl.disk.shelf import read_data
from cnndsl.syntax.parser import OPTIONS


def tables() -> str:
    """The text of `tables.py` for the present grammar; the same for the same grammar."""
    grammar = read_data("grammars", "cnn.lark")
    data, memo = Lark(grammar, **OPTIONS, strict=True).memo_serialize([TerminalDef, Rule])
    data["parser"]["parser"] = renumbered(data["parser"]["parser"])
    parts = {"GRAMMAR": sha256(grammar.encode()).hexdigest(), "DATA": plain(data), "MEMO": plain(memo)}
    lines = [f"{name}: Any = {pformat(part, width=4000, compact=True)}" for name, part in parts.items()]
    head = '"""The parser\'s tables, generated from grammars/cnn.lark by `cnndsl.syntax.generate`."""'
    return "\n".join([head, "", "from typing import Any", "", *lines, ""])


def renumbered(table: dict[str, Any]) -> dict[str, Any]:
    """The LALR table with symbols in order of their names, and states in the order in which those reach them."""
    names = table["tokens"]
    symbols = {name: number for number, name in enumerate(sorted(names.values()))}
    found = [state for _, state in sorted(table["start_states"].items())]
    numbers = {state: number for number, state in enumerate(found)}
    actions = {}
    for state in found:
        row = sorted(
            ((symbols[names[token]], action) for token, action in table["states"][state].items()), key=itemgetter(0)
        )
        for _, (reduces, target) in row:
            if not reduces and target not in numbers:
                numbers[target] = len(found)
                found.append(target)
        actions[numbers[state]] = {token: (r, target if r else numbers[target]) for token, (r, target) in row}
    return {
        "tokens": {number: name for name, number in symbols.items()},
        "states": actions,
        "start_states": {rule: numbers[state] for rule, state in sorted(table["start_states"].items())},
        "end_states": {rule: numbers[state] for rule, state in sorted(table["end_states"].items())},
    }


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
