"""How a text is laid out: the canonical form, and signs as they are typed."""

from __future__ import annotations

from difflib import SequenceMatcher

from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source
from cnndsl.pipeline import format_text
from cnndsl.service.answers import Edit


def formatting(source: Source) -> tuple[Edit, ...]:
    """The edits that bring a text into canonical form, line by line, so that cursors stay; () where it cannot be parsed."""
    try:
        canonical = format_text(source)
    except CnnError:
        return ()
    old, new = source.text.splitlines(keepends=True), canonical.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        Edit(starts[a], starts[b], "".join(new[c:d])) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"
    )


def typed(source: Source, offset: int, sign: str) -> tuple[Edit, ...]:
    """What to do when a sign has just been typed before an offset: `->` becomes `→`, and a line after a comment goes on as
    one. Nothing inside of comments and texts in quotes."""
    text = source.text
    start = text.rfind("\n", 0, offset) + 1
    before = text[start:offset]
    if sign == ">" and before.endswith("->") and not _quoted(before):
        return (Edit(offset - 2, offset, "→"),)
    if sign == "\n" and start > 0 and not before.strip():
        above = text[text.rfind("\n", 0, start - 1) + 1 : start - 1]
        behind = text[offset : text.find("\n", offset) if text.find("\n", offset) >= 0 else len(text)]
        if above.lstrip().startswith("# ") and above.strip() != "#" and behind.strip():
            # The comment was broken in its middle.
            return (Edit(start, offset, f"{above[: len(above) - len(above.lstrip())]}# "),)
    return ()


def _quoted(line: str) -> bool:
    """Whether the end of a line's beginning lies in a comment or a text in quotes."""
    inside = False
    for sign in line:
        if sign == '"':
            inside = not inside
        elif sign == "#" and not inside:
            return True
    return inside
