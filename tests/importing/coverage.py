"""What `import` takes and what it refuses, family by family: measures, and writes docs/importing/coverage.md.

    python -m tests.importing.coverage measure timm torchvision built-in onnx --into results.jsonl [--seconds 3600] [--limit 120] [--names FILE]
    python -m tests.importing.coverage write results.jsonl
    python -m tests.importing.coverage check results.jsonl

Measuring goes on where results.jsonl ends; a network's last line counts. `--names` gives the networks of timm in another order,
one a line, and measures them again where they have a line. A network that takes longer than `--limit` seconds of the processor is not measured.
`write` keeps the tables of sets that were not measured; `check` fails where fewer networks of a family come in than the page
says. No outputs of libraries' networks are computed: their keys, shapes, parameters and MACs are compared; outputs are compared
in the tests. So their weights keep whatever the memory held that they took, and nothing is drawn.
`onnx` are ONNX's own tests of its operators, whose outputs are.
"""

from __future__ import annotations

import argparse
import gc
import json
import signal
import sys
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "importing" / "coverage.md"
# `family` and `name` of every network of a set.
Names = Iterator[tuple[str, str]]


def timm_names() -> Names:
    """All of timm's networks, one of each family after the other, so that what is measured first is of all kinds; those by
    their former names last."""
    import timm
    from timm.models import _registry

    families: dict[str, list[str]] = defaultdict(list)
    today = timm.list_models()
    for name in (*today, *sorted(set(_registry._model_to_module) - set(today))):
        families[_registry._model_to_module[name]].append(name)
    turn = 0
    while any(turn < len(names) for names in families.values()):
        for family, names in sorted(families.items()):
            if turn < len(names):
                yield family, names[turn]
        turn += 1


def torchvision_names() -> Names:
    """torchvision's networks for classification, segmentation, videos and, up to their heads, detection."""
    from torchvision import models

    left_out = ("raft", "quantized")
    for name in models.list_models():
        if not any(word in name for word in left_out):
            yield name.rstrip("0123456789").partition("_")[0].rstrip("0123456789"), name


def built_in_names() -> Names:
    """The built-in networks, as PyTorch modules."""
    from cnndsl.disk import shelf

    for name in shelf.architectures():
        source = shelf.architecture(name)
        yield (Path(source.name).stem if source else name), name


def module_of(kind: str, name: str) -> tuple[Any, tuple[int, ...]]:
    """A network, whose constants have numbers, and the size of its input."""
    from cnndsl.importing.libraries.named import named

    with _undrawn():
        found = named(f"{kind}:{name}", {})
    return found.module, found.size


_DRAWING = (
    "normal_",
    "uniform_",
    "trunc_normal_",
    "erfinv_",
    "fill_",
    "zero_",
    "mul_",
    "add_",
    "div_",
    "clamp_",
    "copy_",
)


def _undrawn() -> Any:
    """While this is open, parameters of new modules get no numbers; constants do."""
    import torch
    from torch.overrides import TorchFunctionMode

    class Undrawn(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if getattr(function, "__name__", "") in _DRAWING and args and isinstance(args[0], torch.nn.Parameter):
                return args[0]
            return function(*args, **(kwargs or {}))

    return Undrawn()


HEADINGS = {"onnx": "ONNX, operator by operator"}
"""Of the sets whose section is not called as they are."""


class _TooLong(BaseException):
    """A network takes longer than the limit; nothing on the way may take this for an error of its own."""


def _given_up(*_: Any) -> None:
    raise _TooLong


def measured(kind: str, family: str, name: str, limit: int) -> dict[str, Any]:
    """One network's line of results."""
    from cnndsl.diagnostics.errors import CnnError
    from cnndsl.importing.from_torch import import_module

    row: dict[str, Any] = {"kind": kind, "family": family, "name": name}
    start = time.process_time()
    signal.signal(signal.SIGPROF, _given_up)
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        if kind == "built-in":
            from cnndsl.backends.pytorch.live.module import to_torch
            from cnndsl.pipeline import load

            graph = load(name).graph
            import torch

            with torch.device("meta"):
                module = to_torch(graph).eval()
            inputs = [(i.type.shape, i.type.dtype) for i in graph.inputs]
        else:
            module, size = module_of(kind, name)
            inputs = [(size, "float32")]
        report = import_module(module, inputs, name.replace(".", "_"), f"{kind}", compare=False).report
        row |= {"form": report.form, "lines": report.lines, "params": report.params, "macs": report.macs}
    except CnnError as error:
        diagnostic = error.diagnostics[0]
        row |= {"refused": diagnostic.message, "notes": list(diagnostic.notes)}
    except Exception as error:
        row |= {"failed": f"{type(error).__name__}: {error}"[:300]}
    except _TooLong:
        row |= {"longer": limit}
    signal.setitimer(signal.ITIMER_PROF, 0)
    # Networks are full of cycles; they are looked for once for each, and not while it is measured.
    gc.collect()
    return row | {"seconds": round(time.process_time() - start, 1)}


def operator_rows() -> Iterator[dict[str, Any]]:
    """A line for each of ONNX's tests of operators that are taken."""
    from tests.importing.conformance import TAKEN, file_cases, node_cases, tried

    for case in (*file_cases(), *node_cases()):
        outcome = tried(case)
        alone = case.operators - {"Constant"}
        family = next(iter(alone)) if len(alone) == 1 else "several operators"
        taken = family if family == "several operators" or family in TAKEN else "other operators"
        yield {"kind": "onnx", "family": taken, "name": case.name, "verdict": outcome.verdict, "why": outcome.why}


def measure(kinds: list[str], into: Path, seconds: float, limit: int, listed: Path | None) -> None:
    """Appends a line for each network that has none yet, until the time is up."""
    families = {name: family for family, name in timm_names()} if listed else {}
    names = {
        "timm": lambda: ((families[n], n) for n in listed.read_text().split()) if listed else timm_names(),
        "torchvision": torchvision_names,
        "built-in": built_in_names,
    }
    done = {(row["kind"], row["name"]) for row in results(into)} if into.exists() and not listed else set()
    end = time.monotonic() + seconds
    with into.open("a") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.disable()
        for kind in kinds:
            if kind == "onnx":
                for row in operator_rows():
                    if (kind, row["name"]) not in done:
                        print(json.dumps(row), file=file, flush=True)
                continue
            for family, name in names[kind]():
                if time.monotonic() > end:
                    return
                if (kind, name) not in done:
                    print(json.dumps(measured(kind, family, name, limit)), file=file, flush=True)


def results(path: Path) -> list[dict[str, Any]]:
    """The lines measured so far, the last one of each network."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return list({(row["kind"], row["name"]): row for row in rows}.values())


def write(path: Path) -> None:
    """The page of tables; sets that are not among the results keep theirs."""
    rows = results(path)
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
        taken = [row for row in own if "form" in row]
        forms = Counter(row["form"] for row in taken)
        said = ", ".join(f"{count} with {form}" if form != "flat" else f"{count} flat" for form, count in forms.items())
        parts += [f"## {kind}", f"{len(taken)} of {len(own)} networks ({said}).", _families(own)]
        refused = _reasons(own)
        if refused:
            parts += ["What the refused ones hold, by the number of networks:", refused]
    parts += [f"## {title}\n\n{text}" for title, text in kept.items()]
    PAGE.write_text("\n\n".join(parts) + "\n")


def _sections(page: str) -> dict[str, str]:
    """What stands under each heading of the page."""
    _, *sections = page.split("\n## ")
    return {section.partition("\n")[0]: section.partition("\n")[2].strip() for section in sections}


def check(path: Path) -> list[str]:
    """The families of which fewer networks come in than the page says, in words."""
    rows = results(path)
    found = []
    for kind, text in _sections(PAGE.read_text()).items():
        own = [row for row in rows if row["kind"] == kind]
        for line in text.splitlines() if own else ():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if len(cells) == 4 and cells[1].isdigit():
                count = sum(row["family"] == cells[0] and "form" in row for row in own)
                if count < int(cells[1]):
                    found.append(f"{kind} {cells[0]}: {count} of {cells[1]} that the page says")
    return found


def _operators(rows: list[dict[str, Any]]) -> list[str]:
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


def _families(rows: list[dict[str, Any]]) -> str:
    lines = ["| family | imported | of | lines, smallest to largest |", "|---|---:|---:|---|"]
    families: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        families[row["family"]].append(row)
    for family, own in sorted(families.items()):
        lengths = sorted(row["lines"] for row in own if "form" in row)
        span = f"{lengths[0]} to {lengths[-1]}" if lengths else ""
        lines.append(f"| {family} | {len(lengths)} | {len(own)} | {span} |")
    return "\n".join(lines)


def _reasons(rows: list[dict[str, Any]]) -> str:
    counts: Counter[str] = Counter()
    for row in rows:
        kinds = {note.partition(" (")[0] for note in row.get("notes", ())} or (
            {row.get("refused", row.get("failed", ""))} if "form" not in row else set()
        )
        counts.update({kind.partition(" of ")[0][:80] for kind in kinds})
    lines = ["| operation | networks |", "|---|---:|"]
    lines += [f"| {kind} | {count} |" for kind, count in counts.most_common(25) if kind]
    return "\n".join(lines) if len(lines) > 2 else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("measure")
    first.add_argument("kinds", nargs="+", choices=["timm", "torchvision", "built-in", "onnx"])
    first.add_argument("--names", type=Path)
    first.add_argument("--into", type=Path, required=True)
    first.add_argument("--seconds", type=float, default=1e9)
    first.add_argument("--limit", type=int, default=120)
    commands.add_parser("write").add_argument("results", type=Path)
    commands.add_parser("check").add_argument("results", type=Path)
    given = parser.parse_args()
    if given.command == "measure":
        try:
            from tests.oracle import torchvision_models

            torchvision_models()
            sys.path.append(str(Path(sys.prefix) / "trained"))
        except ImportError:
            pass
        measure(given.kinds, given.into, given.seconds, given.limit, given.names)
    elif given.command == "check":
        if fewer := check(given.results):
            raise SystemExit("\n".join(fewer))
    else:
        write(given.results)


if __name__ == "__main__":
    main()
