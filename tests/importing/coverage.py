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
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.importing.coverage_page import check, write

# `family` and `name` of every network of a set.
Names = Iterator[tuple[str, str]]


def timm_names() -> Names:
    """All of timm's networks, one of each family after the other, so that what is measured first is of all kinds. Those that
    have a former name besides are not counted twice."""
    import timm
    from timm.models import _registry

    families: dict[str, list[str]] = defaultdict(list)
    for name in timm.list_models():
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

    with undrawn():
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


def undrawn() -> Any:
    """While this is open, parameters of new modules get no numbers; constants do."""
    import torch
    from torch.overrides import TorchFunctionMode

    class Undrawn(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if getattr(function, "__name__", "") in _DRAWING and args and isinstance(args[0], torch.nn.Parameter):
                return args[0]
            return function(*args, **(kwargs or {}))

    return Undrawn()


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
            with undrawn():
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


def _oracles() -> None:
    """Makes torchvision and timm importable, where they are installed."""
    from tests.oracle import torchvision_models

    torchvision_models()


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
        _oracles()
        sys.path.append(str(Path(sys.prefix) / "trained"))
        measure(given.kinds, given.into, given.seconds, given.limit, given.names)
    elif given.command == "check":
        if fewer := check(results(given.results)):
            raise SystemExit("\n".join(fewer))
    else:
        rows = results(given.results)
        _oracles()
        known = {"timm": timm_names, "built-in": built_in_names}
        write(rows, {kind: list(names()) for kind, names in known.items() if any(row["kind"] == kind for row in rows)})


if __name__ == "__main__":
    main()
