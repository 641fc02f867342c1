"""The page docs/importing/coverage.md: tables of what was measured, and whether it still holds; and tests/importing/timm_smallest.json."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "importing" / "coverage.md"
SMALLEST = Path(__file__).resolve().parent / "timm_smallest.json"
"""The smallest networks of each family of timm, whose outputs a test compares."""
_OF_EACH = 2
Rows = list[dict[str, Any]]
CONVOLUTIONAL = frozenset(
    [
        "byobnet",
        "convmixer",
        "convnext",
        "cspnet",
        "cspnext",
        "densenet",
        "dla",
        "dpn",
        "efficientnet",
        "fasternet",
        "ghostnet",
        "hardcorenas",
        "hgnet",
        "hrnet",
        "inception_next",
        "inception_resnet_v2",
        "inception_v3",
        "inception_v4",
        "lcnetv2",
        "mambaout",
        "nasnet",
        "nfnet",
        "pnasnet",
        "rdnet",
        "regnet",
        "repghost",
        "repvit",
        "res2net",
        "resnest",
        "resnet",
        "resnetv2",
        "rexnet",
        "selecsls",
        "senet",
        "sknet",
        "starnet",
        "tresnet",
        "vgg",
        "vovnet",
        "xception",
        "xception_aligned",
    ]
)
"""Families of timm that are convolutional networks, all of them; a pool of attention at an end, as CLIP's, is let pass."""
HEADINGS = {"onnx": "ONNX, operator by operator"}
"""Of the sets whose section is not called as they are."""


def write(rows: Rows, known: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    """The page of tables; sets that are not among the results keep theirs. `known` are the families and names of all networks of
    some sets."""
    measured = {HEADINGS.get(row["kind"], row["kind"]) for row in rows}
    kept = {title: text for title, text in _sections(PAGE.read_text()).items() if title not in measured}
    parts = [
        "# What `import` takes",
        "Written by `tests/importing/coverage.py`. A network counts as imported where its program has the same keys, shapes,"
        " parameters and MACs; none is written that has not.",
    ]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        if kind == "onnx":
            parts += _operators(own)
            continue
        left = _not_measured(own, known.get(kind, ()))
        parts += [f"## {kind}", _totals(own, left), _families(own, left)]
        refused = _reasons(own)
        if refused:
            parts += ["What the refused ones hold, by the number of networks:", refused]
    parts += [f"## {title}\n\n{text}" for title, text in kept.items()]
    PAGE.write_text("\n\n".join(parts) + "\n")
    if smallest := _smallest([row for row in rows if row["kind"] == "timm"]):
        SMALLEST.write_text(json.dumps(smallest, indent=1) + "\n")


def _smallest(rows: Rows) -> dict[str, dict[str, int]]:
    """The lines of the two smallest networks of each family that come in, by name."""
    found: dict[str, dict[str, int]] = {}
    for row in sorted(
        (row for row in rows if "form" in row), key=lambda row: (row["family"], row["params"], row["name"])
    ):
        own = found.setdefault(row["family"], {})
        if len(own) < _OF_EACH:
            own[row["name"]] = row["lines"]
    return found


def _sections(page: str) -> dict[str, str]:
    """What stands under each heading of the page."""
    _, *sections = page.split("\n## ")
    return {section.partition("\n")[0]: section.partition("\n")[2].strip() for section in sections}


def check(rows: Rows) -> list[str]:
    """The families of which fewer networks come in than the page says, in words."""
    found = []
    for kind, text in _sections(PAGE.read_text()).items():
        own = [row for row in rows if row["kind"] == kind]
        for line in text.splitlines() if own else ():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if len(cells) in (4, 5) and cells[1].isdigit():
                count = sum(row["family"] == cells[0] and "form" in row for row in own)
                if count < int(cells[1]):
                    found.append(f"{kind} {cells[0]}: {count} of {cells[1]} that the page says")
    return found


def _operators(rows: Rows) -> list[str]:
    """How many of ONNX's tests are right, and how many refused by name, for each operator that is taken."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[row["family"]][row["verdict"]] += 1
    total = Counter(row["verdict"] for row in rows)
    lines = ["| operator | right | refused by name | wrong |", "|---|---:|---:|---:|"]
    for family in sorted(counts, key=lambda name: (name.islower(), name)):
        found = counts[family]
        lines.append(f"| {family} | {found['right']} | {found['refused']} | {found['wrong']} |")
    said = (
        f"{len(rows)} of ONNX's own tests, each with its weights as constants: outputs of {total['right']} are as expected,"
        f" {total['refused']} are refused by name, {total['wrong']} are wrong. Most tests refused are of numbers other than"
        " float32, of axes that the batch is on, and of operators that no layer has."
    )
    return [f"## {HEADINGS['onnx']}", said, "\n".join(lines)]


def _not_measured(rows: Rows, known: Sequence[tuple[str, str]]) -> Counter[str]:
    """How many networks of each family have no outcome: those that were given up, and those without a line."""
    names = {row["name"] for row in rows}
    left = Counter(row["family"] for row in rows if "longer" in row)
    left.update(family for family, name in known if name not in names)
    return left


def _totals(rows: Rows, left: Counter[str]) -> str:
    """The sums of a set, in words."""
    taken = [row for row in rows if "form" in row]
    forms = Counter(row["form"] for row in taken)
    said = ", ".join(f"{count} with {form}" if form != "flat" else f"{count} flat" for form, count in forms.items())
    refused = sum("form" not in row and "longer" not in row for row in rows)
    families = {row["family"] for row in rows} | set(left)
    text = f"{len(taken)} of {len(taken) + refused + left.total()} networks ({said})"
    if left:
        text += f"; {refused} are refused and {left.total()} were not measured"
    if len(families & CONVOLUTIONAL) < len(CONVOLUTIONAL):
        return f"{text}."
    lacking = {row["family"] for row in rows if "form" not in row} | set(left)
    some = len({row["family"] for row in taken})
    return (
        f"{text}. Of {some} of the {len(families)} families at least one is imported. Of {len(CONVOLUTIONAL)} families that are"
        f" convolutional networks {len(CONVOLUTIONAL - lacking)} are imported whole; of"
        f" {len(CONVOLUTIONAL - {row['family'] for row in rows if 'form' not in row and 'longer' not in row})} none is refused."
    )


def _families(rows: Rows, left: Counter[str]) -> str:
    head, rule = "| family | imported | of |", "|---|---:|---:|"
    more = left.total() > 0
    lines = [f"{head}{' not measured |' * more} lines, smallest to largest |", f"{rule}{'---:|' * more}---|"]
    families: dict[str, Rows] = defaultdict(list)
    for row in rows:
        families[row["family"]].append(row)
    for family in sorted({*families, *left}):
        own = [row for row in families[family] if "longer" not in row]
        lengths = sorted(row["lines"] for row in own if "form" in row)
        span = f"{lengths[0]} to {lengths[-1]}" if lengths else ""
        away = f" {left[family] or ''} |" if more else ""
        lines.append(f"| {family} | {len(lengths)} | {len(own) + left[family]} |{away} {span} |")
    return "\n".join(lines)


def _reasons(rows: Rows) -> str:
    counts: Counter[str] = Counter()
    for row in rows:
        kinds = {note.partition(" (")[0] for note in row.get("notes", ())} or (
            {row.get("refused", row.get("failed", ""))} if "form" not in row and "longer" not in row else set()
        )
        counts.update({kind.partition(" of ")[0][:80] for kind in kinds})
    lines = ["| operation | networks |", "|---|---:|"]
    lines += [f"| {kind} | {count} |" for kind, count in counts.most_common(25) if kind]
    return "\n".join(lines) if len(lines) > 2 else ""
