"""Guards `passes/read_graph.py`. Networks read back from JSON: the graph that was written, or a diagnostic, whatever
the bytes are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnndsl import pipeline
from cnndsl.diagnostics.errors import CnnError
from cnndsl.passes.read_graph import read_graph

PROGRAM = """
input image: 3×16×16
share tower = [Conv3x3(8) → BN → ReLU]
a = image → Conv1x1(3) as mixed → tower
b = mixed → tower
body: cat{ a | b } → [Conv3x3(16) → ReLU]×2 → GlobalAvgPool → FC(10)
output body
"""


@cache
def written() -> str:
    return pipeline.parse_text(PROGRAM.replace("body: ", "body = ")).graph.model_dump_json()


def altered(change: Callable[[dict[str, Any]], Any]) -> bytes:
    data = json.loads(written())
    change(data)
    return json.dumps(data).encode()


def fault(data: bytes) -> str:
    with pytest.raises(CnnError) as caught:
        read_graph(data, "net.json")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "not-a-graph"
    return diagnostic.message


def test_a_merge_with_a_number_for_a_branch_is_read() -> None:
    text = "input 4×8×8\nmul{ id | 0.17 } → sub{ 1 | id } → max{ id | 0.1 | Conv1x1 }"
    graph = pipeline.parse_text(text).graph
    assert read_graph(graph.model_dump_json().encode(), "net.json") == graph
    data = json.loads(graph.model_dump_json())
    data["nodes"][0]["inputs"] = []
    assert fault(json.dumps(data).encode()).endswith(": `mul` has 0 inputs")


def test_what_was_written_is_read() -> None:
    assert read_graph(written().encode(), "net.json") == pipeline.parse_text(PROGRAM.replace("body: ", "body = ")).graph


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["nodes"][0]["type"].update(shape=[4, 16, 16]), "is said to be 4×16×16 float32, and is 3×16×16"),
        (lambda d: d["nodes"][0]["op"].update(layer="os.system"), "no layer is called 'os.system'"),
        (lambda d: d["nodes"][0]["op"].update(layer="../conv"), "no layer is called"),
        (lambda d: d["nodes"][0].update(name='x"); import os; ("'), "is no name of a tensor"),
        (lambda d: d["nodes"][0].update(inputs=["later"]), "which no earlier node gives"),
        (lambda d: d["nodes"][0].update(inputs=["image", "image"]), "has 2 inputs"),
        (lambda d: d["nodes"][0].update(weights_of="tower.1"), "no earlier node is"),
        (lambda d: d["nodes"][0].update(frame=99), "lies in frame 99"),
        (lambda d: d["nodes"][0]["place"].update(line=900, end_line=900), "line 900 column"),
        (lambda d: d["nodes"][1].update(name=d["nodes"][0]["name"]), "two tensors are called"),
        (lambda d: d["outputs"][0].update(node="nothing"), "is of `nothing`, which is not there"),
        (lambda d: d.update(outputs=[]), "it has no output"),
        (lambda d: d.update(modules=d["modules"][1:]), "is missing among its modules"),
        (lambda d: d.update(modules=[*d["modules"], "nothing"]), "its modules are not nodes"),
        (lambda d: d["inputs"][0]["type"].update(shape=[3, 2**40, 16]), "`image` has the shape"),
        (lambda d: d["inputs"][0]["type"].update(dtype="object"), "is of an unknown type 'object'"),
        (lambda d: d.update(extra=1), "extra: Extra inputs are not permitted"),
    ],
)
def test_a_file_that_somebody_changed_is_refused(change: Callable[[dict[str, Any]], Any], said: str) -> None:
    assert said in fault(altered(change))


@pytest.mark.parametrize("data", [b"", b"null", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b'{"name": 1e999}'])
def test_bytes_that_are_no_graph_are_refused(data: bytes) -> None:
    fault(data)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_change_of_the_bytes_gives_a_graph_or_a_diagnostic(data: st.DataObject) -> None:
    text = bytearray(written().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        read_graph(bytes(text), "net.json")
    except CnnError as error:
        assert error.diagnostics[0].id == "not-a-graph"


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, part in items for found in [(*path, key), *_leaves(part, (*path, key))]]


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_value_in_any_place_gives_a_graph_or_a_diagnostic(data: st.DataObject) -> None:
    graph = json.loads(written())
    odd: st.SearchStrategy[Any] = st.sampled_from(
        [None, 0, -1, 2**63, 1.5, "", "x", "\x00", [], {}, [[]], True, "float32", "Conv"]
    )
    *path, last = data.draw(st.sampled_from(_leaves(graph)))
    at = graph
    for key in path:
        at = at[key]
    at[last] = data.draw(odd)
    try:
        read_graph(json.dumps(graph).encode(), "net.json")
    except CnnError as error:
        assert error.diagnostics[0].id == "not-a-graph"


def test_every_verb_reads_such_a_file(tmp_path: Path) -> None:
    graph = pipeline.load("lenet5").graph
    path = tmp_path / "lenet5.json"
    path.write_text(graph.model_dump_json(), "utf-8")
    assert pipeline.load(str(path)).graph == graph
    assert pipeline.check(str(path)) == ()
    with pytest.raises(CnnError, match="unknown-parameter"):
        pipeline.load(str(path), {"classes": 3})


def test_the_folder_of_a_run_is_the_network_that_was_trained(tmp_path: Path) -> None:
    graph = pipeline.load("lenet5").graph
    (tmp_path / "graph.json").write_text(graph.model_dump_json(), encoding="utf-8")
    assert pipeline.check(str(tmp_path))[0].id == "file-not-found"
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    assert pipeline.load(str(tmp_path)).graph == graph
    assert pipeline.check(str(tmp_path)) == ()
