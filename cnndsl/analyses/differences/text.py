"""A difference as text for a terminal, and as Markdown for a pull request."""

from __future__ import annotations

from cnndsl.analyses.differences import words
from cnndsl.analyses.differences.document import Difference, KeyDifference
from cnndsl.analyses.differences.figures import Figure, figures
from cnndsl.analyses.differences.gathered import Change, changes
from cnndsl.analyses.differences.keys import key_lines

MARKS = {"added": "+", "removed": "-", "moved": ">", "renamed": "=", "changed": "~", "rewired": "~", "resized": " "}
"""What stands before a line: as in a text's diff for what came and went."""
MOST_KEYS = 12
"""Lines of keys that a list has at the most, of each kind."""


def to_text(difference: Difference) -> str:
    """The account for people: figures, then layers, then weights. One line where nothing differs."""
    if difference.equal:
        return words.same(difference)
    lines = [words.title(difference), "", *_table(figures(difference))]
    if difference.ports:
        lines.append("")
        lines += [f"  {mark} {port}  {told}" for mark, port, told in ports(difference)]
    lines += ["", f"layers   {words.layers(difference)}"]
    lines += _columns(
        [(MARKS[change.kinds[0]], change.what, change.words, grown(change)) for change in changes(difference)]
    )
    lines += ["", f"weights  {words.weights(difference)}"]
    for title, lists in key_lists(difference):
        lines.append(f"  {title}")
        lines += [f"    {line}" for line in lists]
    return "\n".join(line.rstrip() for line in lines)


def to_markdown(difference: Difference) -> str:
    """The account as Markdown: a table of figures, lists of layers and keys, long ones folded away."""
    if difference.equal:
        return f"{_escaped(words.same(difference))}."
    title = f"**{_escaped(words.title(difference))}**"
    rows = [
        "| | old | new | change |",
        "| :-- | --: | --: | --: |",
        *(f"| {f.name} | {f.old} | {f.new} | {f.change or 'same'} |" for f in figures(difference)),
    ]
    lines = [title, "", *rows, ""]
    lines += [f"- {mark} {port} {_code(told)}" for mark, port, told in ports(difference)]
    lines += [*([""] if difference.ports else []), f"Layers: {words.layers(difference)}.", ""]
    found = changes(difference)
    listed = [_item(change) for change in found]
    lines += _folded(f"{len(listed)} changes", listed) if len(listed) > MOST_KEYS else listed
    lines += ["", f"Weights: {words.weights(difference)}."]
    for name, keyed in key_lists(difference):
        lines += ["", *_folded(name, [f"- {_code(line)}" for line in keyed])]
    return "\n".join(lines)


def ports(difference: Difference) -> list[tuple[str, str, str]]:
    """Inputs and outputs that differ: a mark, `input` or `output`, and what it was and is."""
    found: list[tuple[str, str, str]] = []
    for port in difference.ports:
        mark = "~" if port.old and port.new else "+" if port.new else "-"
        found.append((mark, port.port, " → ".join(filter(None, (port.old, port.new)))))
    return found


def grown(change: Change) -> str:
    """By how much parameters and multiply-adds grew: `+1,180,672 parameters, +231,211,008 MACs`."""
    told = [f"{n:+,} {what}" for n, what in ((change.params, "parameters"), (change.macs, "MACs")) if n]
    return ", ".join(told)


def key_lists(difference: Difference) -> list[tuple[str, list[str]]]:
    """Lists of keys, each with its heading, alike ones as one line and long lists cut."""
    told = difference.weights
    lists: list[tuple[str, tuple[KeyDifference, ...]]] = [
        ("another key", told.renamed),
        ("another shape", told.reshaped),
        ("missing in the old checkpoint", told.missing),
        ("left over in the old checkpoint", told.left_over),
    ]
    found = []
    for title, entries in lists:
        if entries:
            lines = key_lines(entries)
            rest = len(lines) - MOST_KEYS
            shown = lines if rest <= 1 else [*lines[:MOST_KEYS], f"… and {rest} lines more; --format json has all"]
            found.append((f"{title} ({len(entries)})", shown))
    return found


def _table(rows: list[Figure]) -> list[str]:
    cells = [("", "old", "new", ""), *(row if row.change else row._replace(change="same") for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    return [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}" for row in cells
    ]


def _columns(rows: list[tuple[str, str, str, str]]) -> list[str]:
    wide = max((len(row[1]) for row in rows), default=0)
    said = max((len(row[2]) for row in rows), default=0)
    return [f"  {mark} {what:<{wide}}  {told:<{said}}  {more}" for mark, what, told, more in rows]


def _item(change: Change) -> str:
    more = f" ({grown(change)})" if grown(change) else ""
    mark = {"+": "added", "-": "removed"}.get(MARKS[change.kinds[0]], "")
    return f"- {mark + ' ' if mark else ''}{_code(change.what)}: {_escaped(change.words)}{more}"


def _folded(title: str, lines: list[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>"]


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_<>|[]#&" else c for c in text)
