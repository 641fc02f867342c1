"""Writes `docs/architectures/checks.md`: what each built-in network was compared with, and how far apart the two are.

    python -m tests.architectures.checks [--page] [NAMES]

fills `docs/architectures/checks.json` entry by entry, a network or a family at a time, and then writes the page. An entry is
made again only when the network has changed, so that a run that was interrupted goes on where it stopped.
NAMES are networks and families; all of them where none is named. `--page` only writes the page.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from cnndsl import pipeline
from cnndsl.arrays.drawn import drawn_inputs, drawn_weights
from cnndsl.disk.files import write_atomically
from cnndsl.disk.shelf import architecture, architectures
from cnndsl.ir.graph import Graph
from cnndsl.reference.gallery import figures_of, sight
from cnndsl.verification import verify
from tests.architectures.test_torchvision_tasks import DETECTORS, OPTIONS, detector
from tests.architectures.test_verification import TOO_BIG, network
from tests.oracle import outline, published, torchvision_models

HERE = Path(__file__).resolve().parents[2] / "docs" / "architectures"
DATA, PAGE = HERE / "checks.json", HERE / "checks.md"

Data = dict[str, dict[str, Any]]
State = list[tuple[str, tuple[int, ...], str]]


def main(arguments: list[str]) -> int:
    """Makes the entries that are missing and writes the page; 1 where something that was compared disagrees."""
    data = read()
    data["networks"] = {name: entry for name, entry in data["networks"].items() if name in set(architectures())}
    asked = [argument for argument in arguments if not argument.startswith("-")]
    for name in [] if "--page" in arguments else architectures():
        if not asked or name in asked or family_of(name) in asked:
            _enter(data, "networks", name, mark(name), lambda name=name: network_entry(name))
    for family, name in [] if "--page" in arguments else smallest(data).items():
        if not asked or name in asked or family in asked:
            _enter(data, "families", family, mark(name), lambda name=name: family_entry(name))
    # A program may be written otherwise and be the same network.
    for name in set(data["networks"]) & set(architectures()):
        data["networks"][name]["lines"] = lines_of(name)
    _save(data)
    write_atomically(PAGE, page(data))
    return int(any(disagreements(data)))


def read() -> Data:
    return json.loads(DATA.read_text("utf-8")) if DATA.exists() else {"networks": {}, "families": {}}


def mark(name: str) -> str:
    """Changes with a network's layers, weights, inputs and outputs, and not with how its program is written."""
    graph = pipeline.load(name).graph
    steps = [(node.name, node.op.text(), node.inputs, str(node.type), node.weights_of) for node in graph.nodes]
    told = repr((graph.inputs, steps, graph.outputs, graph.modules))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def family_of(name: str) -> str:
    source = architecture(name)
    assert source is not None
    return Path(source.name).stem


def lines_of(name: str) -> int:
    """The lines of a network's program, without comments and blank lines; a family shares one."""
    source = architecture(name)
    assert source is not None
    return sum(1 for line in source.text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def smallest(data: Data) -> dict[str, str]:
    """The network of each family with the least work, among those that have an entry."""
    known = [name for name in architectures() if name in data["networks"] and name not in TOO_BIG]
    return {
        family: min(members, key=lambda name: data["networks"][name]["macs"])
        for family, members in groupby(known, key=family_of)
    }


def _enter(data: Data, table: str, key: str, current: str, make: Any) -> None:
    if data[table].get(key, {}).get("mark") == current:
        return
    print(f"{table} {key}", flush=True)
    data[table][key] = {"mark": current, **make()}
    _save(data)


def _save(data: Data) -> None:
    write_atomically(DATA, json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


# -- what is compared


def network_entry(name: str) -> dict[str, Any]:
    """Figures of one network, and its state dict beside that of the library that has a network of this name."""
    row = figures_of(name)
    library, theirs = reference_state(name)
    ours = state_of(pipeline.load(name).graph)
    return {
        "params": row.params,
        "macs": row.macs,
        "receptive_field": sight(row),
        "input": row.input,
        "reference": library,
        "keys": None if theirs is None else likeness(ours, theirs),
    }


def likeness(ours: State, theirs: State) -> str:
    """How much two state dicts agree in: `equal` in keys, order, shapes and dtypes, or in `shapes` alone, or `differ`."""
    if ours == theirs:
        return "equal"
    if sorted(ours) == sorted(theirs):
        return "equal but for the order"
    return "shapes" if sorted(entry[1:] for entry in ours) == sorted(entry[1:] for entry in theirs) else "differ"


def state_of(graph: Graph) -> State:
    return [(entry.key, entry.weight.shape, entry.weight.dtype) for entry in graph.weights]


def reference_state(name: str) -> tuple[str | None, State | None]:
    """The library with a network of this name, and its state dict there."""
    models = torchvision_models()
    if name in models.list_models():
        library = f"torchvision {version_of('torchvision')}"
        try:
            if name in DETECTORS or name.startswith("fasterrcnn"):
                return library, _entries(_of_torchvision(name).state_dict())
            return library, outline(name, **OPTIONS.get(name, {}))
        except RuntimeError:
            # Some constructors compute with numbers, which a tensor without memory has none of.
            return library, _entries(_of_torchvision(name).state_dict())
    import timm
    import torch

    if not timm.is_model(name):
        return None, None
    try:
        with torch.device("meta"):
            state = timm.create_model(name).state_dict()
    except RuntimeError:
        state = timm.create_model(name).state_dict()
    return f"timm {timm.__version__}", _entries(state)


def _entries(state: Mapping[str, Any]) -> State:
    return [(key, tuple(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in state.items()]


def _of_torchvision(name: str) -> Any:
    """torchvision's network as its published weights are for it: with both heads, with frozen norms where it detects."""
    found = name in DETECTORS or name.startswith("fasterrcnn")
    return detector(name) if found else published(name, **OPTIONS.get(name, {}))


def version_of(package: str) -> str:
    import torchvision

    return torchvision.__version__.partition("+")[0] if package == "torchvision" else version(package)


def family_entry(name: str) -> dict[str, Any]:
    """A family's smallest network: its outputs beside those of the library, and what `verify` finds."""
    graph = network(name)
    findings = list(verify(graph))
    return {
        "network": name,
        "input": ", ".join(str(entering.type) for entering in graph.inputs),
        **difference(name, graph),
        "verify": [
            {"what": f.what, "between": f.between, "count": f.count, "agrees": f.agrees, "detail": f.detail}
            for f in findings
        ],
    }


def difference(name: str, graph: Graph) -> dict[str, Any]:
    """The largest difference of any output from the library's with the same weights, in units of its largest value."""
    import torch

    from cnndsl.backends.pytorch.live.module import to_torch

    models = torchvision_models()
    if name in models.list_models():
        library: str | None = f"torchvision {version_of('torchvision')}"
        theirs = _of_torchvision(name)
    else:
        import timm

        if not timm.is_model(name):
            return {"reference": None, "difference": None, "why": "neither torchvision nor timm has it"}
        library = f"timm {timm.__version__}"
        try:
            theirs = timm.create_model(name, img_size=graph.inputs[0].type.shape[1:]).eval()
        except TypeError:
            theirs = timm.create_model(name).eval()
    ours = to_torch(graph).eval()
    weights = {key: torch.from_numpy(array) for key, array in drawn_weights(graph, 0).items()}
    ours.load_state_dict(weights)
    try:
        theirs.load_state_dict(weights)
        inputs = [torch.from_numpy(array) for array in drawn_inputs(graph, 0).values()]
        with torch.inference_mode():
            apart = furthest(values_of(ours(*inputs)), values_of(theirs(*inputs)))
    except (RuntimeError, AssertionError, ValueError) as error:
        return {"reference": library, "difference": None, "why": " ".join(str(error).split())[:160]}
    return {"reference": library, "difference": apart}


def values_of(outputs: Any) -> list[Any]:
    """The tensors of a network's result in order."""
    if isinstance(outputs, dict):
        return [value for part in outputs.values() for value in values_of(part)]
    if isinstance(outputs, list | tuple):
        return [value for part in outputs for value in values_of(part)]
    return [outputs]


def furthest(ours: list[Any], theirs: list[Any]) -> float:
    """The largest difference of any number, in units of the largest value of its tensor."""
    if [value.shape for value in ours] != [value.shape for value in theirs]:
        raise ValueError(f"outputs {[tuple(v.shape) for v in ours]}, the library's {[tuple(v.shape) for v in theirs]}")
    return max(
        float((mine - its).abs().max() / its.abs().max().clamp(min=1e-30))
        for mine, its in zip(ours, theirs, strict=True)
    )


# -- the page


def disagreements(data: Data) -> list[str]:
    """What was compared and does not agree, a sentence each."""
    return [
        f"{family}: {finding['what']}, {finding['between']}: {finding['detail']}"
        for family, entry in data["families"].items()
        for finding in entry["verify"]
        if not finding["agrees"]
    ]


def page(data: Data) -> str:
    """The data as two tables in Markdown."""
    networks, families = data["networks"], data["families"]
    compared = sum(entry["keys"] == "equal" for entry in networks.values())
    parts = [
        "# What the built-in networks were compared with",
        "Written by `python -m tests.architectures.checks` from [checks.json](checks.json), which the same command fills."
        " Figures are exact, at the network's own input size.",
        f"{compared} of these {len(networks)} networks have the same state dict as the network of that name in torchvision or"
        " timm: same keys in the same order, same shapes, same dtypes.",
        "## Families",
        "The smallest network of each family, with drawn weights. *Difference* is the largest difference of an output from the"
        " library's with the same weights, in units of the output's largest value. *TVM* is what `cnndsl verify` finds:"
        " how many of its comparisons between our figures, PyTorch and TVM agree.",
        "\n".join(
            [
                "| family | network | input | compared with | difference | TVM |",
                "|---|---|---|---|---:|---:|",
                *(_family_row(family, families[family]) for family in sorted(families)),
            ]
        ),
        "## Networks",
        "*Lines* are those of the program of the whole family, without comments and blank lines. *Keys* says with whose"
        " state dict ours was compared: `equal` in keys, order, shapes and dtypes; `shapes` where labels differ, and `differ` where"
        " the network of this name has other layers there.",
        "\n".join(
            [
                "| network | parameters | MACs | receptive field | keys | compared with | lines |",
                "|---|---:|---:|---:|---|---|---:|",
                *(_network_row(name, networks[name]) for name in sorted(networks)),
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _family_row(family: str, entry: dict[str, Any]) -> str:
    apart = entry["difference"]
    agreeing = sum(finding["agrees"] for finding in entry["verify"])
    shown = "–" if apart is None else "0" if apart == 0 else f"{apart:.1e}"
    library = entry["reference"] or "–"
    return (
        f"| {family} | `{entry['network']}` | {entry['input']} | {library} | {shown} |"
        f" {agreeing} of {len(entry['verify'])} |"
    )


def _network_row(name: str, entry: dict[str, Any]) -> str:
    return (
        f"| `{name}` | {entry['params']:,} | {entry['macs']:,} | {entry['receptive_field']} | {entry['keys'] or '–'} |"
        f" {entry['reference'] or '–'} | {entry['lines']} |"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
