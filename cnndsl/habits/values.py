"""Habits of values: Python's and C's operators, constants, numbers and texts, arguments with colons."""

from __future__ import annotations

import re

from cnndsl.habits.habit import MEANING, Habit, Written, habit

CONSTANTS = {
    "True": "true", "TRUE": "true", "yes": "true", "on": "true", "False": "false", "FALSE": "false", "no": "false", "off": "false",
    "None": "none", "null": "none", "nil": "none", "NULL": "none", "undefined": "none",
}  # fmt: skip
"""What constants of other languages are called here."""

_UNITS = {
    "k": "K", "m": "M", "g": "G", "mil": "M", "million": "M", "MMACs": "M", "MACs": "", "MMac": "M", "GMACs": "G", "GFLOPs": "G", "GMac": "G",
    "MFLOPs": "M", "KB": "K", "MB": "M", "GB": "G", "B": "G",
}  # fmt: skip

VALUES: tuple[Habit, ...] = (
    habit(r"(?P<at> && )", "`and` joins conditions", lambda match: Written("and" if _spaced(match) else " and ", "write `and`")),
    habit(r"(?P<at> \|\| )", "`or` joins conditions", lambda match: Written("or" if _spaced(match) else " or ", "write `or`")),
    habit(r"(?P<at> ! ) (?= \s* [A-Za-z_(] )", "`not` turns a condition round", Written("not ", "write `not`")),
    habit(r"(?P<at> & ) (?! & )", "`and` joins conditions", Written("and", "write `and`")),
    habit(r"(?P<a> [\w.]+ ) \s+ is \s+ not \s+ (?P<b>\w+)", "`≠` or `!=` compares", lambda match: f"{match['a']} != {CONSTANTS.get(match['b'], match['b'])}"),
    habit(r"(?P<a> [\w.]+ ) \s+ is \s+ (?P<b>\w+)", "`==` compares", lambda match: f"{match['a']} == {CONSTANTS.get(match['b'], match['b'])}"),
    habit(r"(?P<at> === )", "`==` compares", "=="),
    habit(r"(?P<at> <> | =/= )", "`≠` or `!=` compares", "!="),
    habit(r"(?P<at> =< )", "`≤` or `<=` compares", "<="),
    habit(r"\b if \s+ [\w.]+ \s* (?P<at> = ) \s* [\w.\"]+", "`==` compares", "=="),
    habit(r"(?P<c> [\w.]+ (?: \s* (?:==|!=|<=|>=|<|>) \s* [\w.]+ )? ) \s* \? \s* (?P<a> [^:?(),]+ (?:\([^()]*\))? ) \s* : \s* (?P<b> [^,)\]→|}]+ (?:\([^()]*\))? )",
          "a choice is written `A if condition else B`", lambda match: f"{match['a'].strip()} if {match['c']} else {match['b'].strip()}"),
    habit(r"\b if \s+ (?P<c>[^→:]+?) \s+ then \s+ (?P<a>[^→]+?) \s+ else \s+ (?P<b>[^→)]+)", "a choice is written `A if condition else B`", "{a} if {c} else {b}", ids=MEANING),
    habit(r"[(,] \s* (?P<at> (?P<name>\w+) \s* [:=] \s* '(?P<v>\w*)' )", "words of arguments stand without quotes, and texts in double ones",
          lambda match: f"{match['name']}={match['v']}"),
    habit(r"'(?P<v>[^'\"]*)'", "a text stands in double quotes", '"{v}"'),
    habit(r"\( [^()]*? (?P<at> (?P<name>[a-z_]\w*) \s* : \s* ) (?= [^\s] )", "an argument has `=` behind its name", lambda match: f"{match['name']}="),
    habit(r"(?P<at> (?P<name>[a-z_]\w*) \s* := \s* )", "an argument has `=` behind its name", lambda match: f"{match['name']}="),
    habit(r"\( [^()]* (?P<at> ; )", "arguments are parted by `,`", ","),
    habit(r"(?<![\w.]) (?P<at> \. (?P<n>\d+) )", "a number begins with a digit", lambda match: f"0.{match['n']}"),
    habit(r"(?<![\w.]) (?P<at> (?P<n>\d+) \. ) (?! [\d.\w] )", "a number ends with a digit", lambda match: f"{match['n']}.0"),
    habit(r"(?<![\w.]) (?P<at> (?P<n>\d+) \s* % ) (?= \s* [,)] )", "a share is a number from 0 to 1", lambda match: f"{int(match['n']) / 100:g}"),
    habit(r"(?<![\w.]) (?P<at> 0x(?P<n>[0-9a-fA-F]+) ) (?! [\w] )", "numbers are decimal", lambda match: str(int(match["n"], 16)) if "assert" in match.string or "(" in match.string[: match.start()] else None),
    habit(r"(?<![\w.]) (?P<at> (?P<n>\d+(?:\.\d+)?) \s? (?P<unit>[kmg]|mil|million|M?MACs|MMac|GMACs|GFLOPs|GMac|MFLOPs|KB|MB|GB|B) ) \b", "a number may end in K, M or G, and has no unit",
          lambda match: match["n"] + _UNITS[match["unit"]], ids=MEANING),
    habit(r"(?P<at> (?P<n>\d{1,3} (?:,\d{3})+) ) (?! [\d] )", "digits may be grouped by `_`", lambda match: match["n"].replace(",", "_") if "assert" in match.string or "let" in match.string else None, ids=MEANING),
    habit(r"(?P<at> \^ )", "`**` is the sign of powers", Written("**", "write `**`")),
    habit(r"(?P<a>[\w.]+) (?P<at> \+\+ | -- )", "nothing is counted up: names keep their values", None, "set another name: `let n2 = n + 1`"),
    habit(r"(?P<x>\w+) \[ [^\[\]]* : [^\[\]]* \]", "a part of a tensor is a layer", None, "write `{x} → Slice(0, 16)`"),
    habit(r"(?P<x>\w+) \. (?:shape|size) \s* (?: \[ \s* (?P<i>-?\d) \s* \] | \( \s* (?P<j>-?\d) \s* \) )", "sizes have names, and the batch is not among them",
          lambda match: {"1": f"{match['x']}.channels", "2": f"{match['x']}.height", "3": f"{match['x']}.width", "-1": f"{match['x']}.width", "-2": f"{match['x']}.height"}.get(match["i"] or match["j"] or ""), ids=MEANING),
    habit(r"\b lambda \b .*", "nothing in a program runs", None, "write a `block`, or layers"),
    habit(r"\*\* (?P<x>[a-z]\w*) | (?<=[(,]) \s* \* (?P<y>[a-z]\w*)", "arguments are written one by one", None, "name each: `Conv3x3(64, stride=2)`"),
    habit(r"f (?P<t>\"[^\"]*\")", "texts hold no values; labels do: `layer{{i}}: …`", "{t}"),
    habit(r"(?P<at> \.\.\. | … ) ", "a range is written `1..6`", ".."),
)  # fmt: skip


def _spaced(match: re.Match[str]) -> bool:
    return match.string[match.start() - 1 : match.start()].isspace()
