"""A habit: a pattern of a line, what it was meant to say, and how the language says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

READING = frozenset({"syntax", "bad-character", "unterminated-string", "reserved-name"})
"""Ids of what the parser stumbles over."""
MEANING = READING | frozenset(
    {
        "unknown-name", "unknown-layer", "unknown-function", "unknown-merge", "unknown-argument", "second-chain", "wrong-type",
        "bad-count", "not-callable", "label-without-layer", "missing-argument", "too-many-arguments", "tensor-in-the-middle",
        "wrong-rank", "unknown-attribute", "missing-input", "nothing-to-build", "used-before-definition", "nothing-arrives", "ambiguous-in", "other-order",
    }
)  # fmt: skip
"""Ids of what the passes find, too."""
MOST_LETTERS = 2_000
"""A longer line is not searched."""
MOST_LINES = 50
"""A body of more lines is not read."""


class Written(NamedTuple):
    """What takes the place of a match, and what is said of it."""

    mend: str | None
    help: str


class Habit(NamedTuple):
    """`pattern` is searched in the line of a diagnostic whose id is among `ids`, and must hold its place. `says` is the
    message; `write` the text that takes the match's place, from its groups or made of the match, or None where the
    line alone does not tell it; `help` what to do then, or before the text."""

    pattern: re.Pattern[str]
    says: str
    write: str | Written | Callable[[re.Match[str]], Written | str | None] | None
    help: str = ""
    ids: frozenset[str] = READING


class Meant(NamedTuple):
    """What a place of a text was meant to say: offsets in the text, the message, the help, and the text to put there."""

    start: int
    end: int
    message: str
    help: str
    mend: str | None


def habit(
    pattern: str,
    says: str,
    write: str | Written | Callable[[re.Match[str]], Written | str | None] | None = None,
    help: str = "",
    ids: frozenset[str] = READING,
) -> Habit:
    """A habit from a pattern in verbose form."""
    return Habit(re.compile(pattern, re.VERBOSE), says, write, help, ids)


def meant(habits: tuple[Habit, ...], text: str, offset: int, id: str) -> Meant | None:
    """The first habit that the line around an offset shows there."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)].rstrip("\r")
    if len(line) > MOST_LETTERS:
        return None
    below = indented(text, start, line)
    if below is not None:
        # A head with its body below is what it would be with the body behind it: only the place is larger.
        whole = f"{line} {below.chain}"
        found = _shown(habits, whole, start, offset, id)
        if found is not None and found.mend is not None and found.end == start + len(whole):
            return found._replace(end=below.end)
    return _shown(habits, line, start, offset, id)


def _shown(habits: tuple[Habit, ...], line: str, start: int, offset: int, id: str) -> Meant | None:
    for one in habits:
        if id not in one.ids:
            continue
        for match in one.pattern.finditer(line):
            if match.start() <= offset - start <= match.end() and (found := _told(one, match, start)):
                return found
    return None


def _told(one: Habit, match: re.Match[str], start: int) -> Meant | None:
    groups = {name: value or "" for name, value in match.groupdict().items()}
    mend, help = None, one.help.format_map(groups) if "{" in one.help and "… }" not in one.help else one.help
    if isinstance(one.write, str):
        mend = one.write.format_map(groups)
    elif isinstance(one.write, Written):
        mend, help = one.write.mend, one.write.help
    elif one.write is not None:
        made = one.write(match)
        if made is None:
            return None
        mend, help = (made, one.help) if isinstance(made, str) else (made.mend, made.help or one.help)
    if mend is not None and not help:
        help = f"write `{' '.join(mend.split())}`"
    # A group `at` is the guilty part of a match that needs more around it to be known.
    first, last = match.span("at") if "at" in match.re.groupindex else match.span()
    if "at" not in match.re.groupindex:
        first += len(match[0]) - len(match[0].lstrip())
        last -= len(match[0]) - len(match[0].rstrip())
        mend = mend if mend is None else mend.strip()
    if mend == match.string[first:last]:
        # The text is as it should be: something else is wrong with it.
        return None
    says = one.says.format_map({**groups, "found": " ".join(match[0].split())}) if "{" in one.says else one.says
    return Meant(start + first, start + max(first, last), says, help, mend)


class Below(NamedTuple):
    """The body that stands indented below a head, as one chain, and the offset at which it ends."""

    chain: str
    end: int


def indented(text: str, start: int, head: str) -> Below | None:
    """The elements that stand deeper than a head ending in `:`, one line each; None where there are none, where a line is
    something else, or where an `else` follows."""
    depth = len(head) - len(head.lstrip())
    if not head.rstrip().endswith(":"):
        return None
    end, elements = start + len(head), list[str]()
    for line in text[end + 1 :].split("\n")[:MOST_LINES]:
        if line.strip() and len(line) - len(line.lstrip()) <= depth:
            if re.match(r"\s*(?:else|elif)\b", line):
                return None
            break
        element = line.strip().removeprefix("→").removeprefix("->").strip()
        if element and not _ELEMENT.fullmatch(element):
            return None
        elements += [element] if element else []
        end += 1 + len(line)
    return Below(" → ".join(elements), min(end, len(text.rstrip()))) if elements else None


_ELEMENT = re.compile(r"(?!\w+\s*=)(?:[A-Z\[]|[a-z]+\s*\{)[^:;#]*")
"""A line that can be an element of a chain: a layer, a group, a merge."""


def closing(text: str, opened: int) -> int | None:
    """Where the bracket at an offset closes; None where it does not."""
    depth = 0
    for place in range(opened, len(text)):
        depth += text[place] in "([{"
        depth -= text[place] in ")]}"
        if depth == 0:
            return place
    return None


def parts(text: str) -> list[str]:
    """A text at its commas, those inside brackets aside."""
    found, depth, last = [], 0, 0
    for place, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            found.append(text[last:place].strip())
            last = place + 1
    return [*found, text[last:].strip()]
