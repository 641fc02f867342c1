"""Guards `analyses/summary.py` and `analyses/document.py`. The JSON of a summary."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from cnndsl.analyses.document import Summary
from cnndsl.analyses.summary import schema, summarize
from cnndsl.diagnostics.errors import Diagnostic, Label, Severity
from cnndsl.diagnostics.source import Source, Span
from cnndsl.ir.graph import Output
from cnndsl.ops.cat import Cat
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC
from cnndsl.pipeline import load, parse_text
from tests.graphs import graph

GOLDEN = Path(__file__).parents[1] / "golden" / "summary.schema.json"

TEXT = """input image: 3×8×10
input more: 4×8×10
image → conv: Conv3x3(4, stride=1) → bn: BN → add{ id | more } → pool: GlobalAvgPool → fc: FC(2)
"""


def test_the_channel_axis_is_said_where_it_is_not_the_first() -> None:
    network = parse_text("input tokens 16×8\nLN → ToMap(4, 4) → Permute(1, 2, 0)").graph
    summary = json.loads(summarize(network).to_json())
    assert summary["inputs"] == [{"name": "input", "shape": [16, 8], "dtype": "float32", "channel_axis": 1}]
    assert [node.get("channel_axis") for node in summary["nodes"]] == [1, None, 2]
    assert summary["outputs"][0]["channel_axis"] == 2


def test_the_document() -> None:
    summary = json.loads(summarize(parse_text(TEXT, "two.cnn").graph).to_json())
    assert list(summary) == [
        "schema", "model", "file", "inputs", "outputs", "totals", "receptive_field", "nodes", "weights", "diagnostics",
    ]  # fmt: skip
    assert (summary["schema"], summary["model"], summary["file"]) == (1, "network", "two.cnn")
    assert summary["inputs"] == [
        {"name": "image", "shape": [3, 8, 10], "dtype": "float32"},
        {"name": "more", "shape": [4, 8, 10], "dtype": "float32"},
    ]
    assert summary["outputs"] == [{"name": "fc", "shape": [2]}]
    assert summary["receptive_field"] == {
        "size": [3, 3], "stride": [1, 1], "start": [-1, -1], "state": "exact", "node": "add",
    }  # fmt: skip
    assert list(summary["totals"])[:6] == ["params", "trainable", "buffers", "macs", "flops", "activations"]
    assert summary["totals"]["params"] == summary["totals"]["trainable"] == 4 * 28 + 8 + 10
    assert summary["totals"]["buffers"] == 9
    assert summary["totals"]["macs"] == 4 * 80 * 27 + 8
    assert summary["totals"]["depth"] == 2
    assert summary["nodes"][0] == {
        "name": "conv",
        "op": "Conv",
        "inputs": ["image"],
        "shape": [4, 8, 10],
        "params": 112,
        "macs": 8640,
        "flops": 2 * 8640 + 320,
        "activation_bytes": 1280,
        "receptive_field": {"size": [3, 3], "stride": [1, 1], "start": [-1, -1], "state": "exact"},
        "span": [3, 15, 3, 35],
    }
    assert summary["nodes"][-1]["receptive_field"]["state"] == "global"
    assert summary["weights"][:3] == [
        {"name": "conv.weight", "shape": [4, 3, 3, 3], "trained": True},
        {"name": "conv.bias", "shape": [4], "trained": True},
        {"name": "bn.weight", "shape": [4], "trained": True},
    ]
    assert summary["weights"][6] == {"name": "bn.num_batches_tracked", "shape": [], "trained": False}
    assert summary["diagnostics"] == []


def test_a_graph_built_without_text() -> None:
    network = graph({"x": (3,)}, [("fc", FC(units=2), ("x",)), ("aux", FC(units=3), ("x",))])
    outputs = (Output(name="out", node="fc"), Output(name="aux", node="aux", training=True))
    summary = summarize(network.model_copy(update={"outputs": outputs}))
    assert (summary.file, summary.nodes[0].span, summary.receptive_field) == (None, None, None)
    assert summary.nodes[0].receptive_field is None
    listed = json.loads(summary.to_json())["outputs"]
    assert listed == [{"name": "out", "shape": [2]}, {"name": "aux", "shape": [3], "training": True}]


def test_warnings_are_in_the_document() -> None:
    source = Source("net.cnn", "input 3×8×8\nlet spare = 3\nConv3x3(4)")
    warning = Diagnostic("unused-name", "`spare` is unused", (Label(Span(source, 16, 21)),), severity=Severity.WARNING)
    summary = summarize(parse_text(source.text, source.name).graph, [warning])
    assert [(d.id, d.severity, d.span) for d in summary.diagnostics] == [("unused-name", "warning", (2, 5, 2, 10))]


def test_strict_counts_gates() -> None:
    network = parse_text("input 4×8×8\nConv3x3(4) → mul{ id | GlobalAvgPool → Conv1x1 → Sigmoid } → Conv3x3(4)").graph
    plain, strict = summarize(network).nodes[-1], summarize(network, strict=True).nodes[-1]
    assert plain.receptive_field is not None
    assert strict.receptive_field is not None
    assert (plain.receptive_field.state, strict.receptive_field.state) == ("exact", "global")


def test_the_document_can_be_read_again() -> None:
    summary = summarize(load("resnet18").graph)
    again = Summary.model_validate_json(summary.to_json())
    assert again.model_dump() == summary.model_dump()
    with pytest.raises(ValidationError, match="frozen"):
        again.model = "other"  # type: ignore[misc]


def test_the_schema_is_kept() -> None:
    """After a wanted change: `PYTHONPATH=. python tests/analyses/test_summary.py`."""
    assert json.loads(GOLDEN.read_text(encoding="utf-8")) == schema()


def test_nothing_heavy_is_imported() -> None:
    program = (
        "import sys; from cnndsl.pipeline import load; from cnndsl.analyses.summary import summarize; "
        "summarize(load('resnet18').graph).to_json(); print([m for m in ('numpy', 'torch', 'tvm', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_concatenation_of_inputs() -> None:
    network = graph({"x": (2, 6), "y": (1, 6)}, [("cat", Cat(), ("x", "y")), ("a", Conv(window=3), ("cat",))])
    field = summarize(network).receptive_field
    assert field is not None
    assert (field.node, field.size) == ("a", (3,))


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
