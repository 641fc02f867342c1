"""Guards `pipeline.py` and `syntax/printer.py`. Random valid networks: what is said without running them is what torch
says, and no change of the text breaks us.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import format_text, parse_text
from tests.random_programs import networks

MANY = 10 if os.environ.get("CNNDSL_NETWORKS") else 1
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
SIZE_IDS = {"window-too-large", "wrong-rank", "out-of-range", "groups-mismatch", "nothing-to-build", "shape-mismatch"}


def built(text: str) -> Graph:
    """The network; programs whose maps became too small for a window are passed over, and nothing else is."""
    try:
        return parse_text(text).graph
    except CnnError as error:
        assert {d.id for d in error.diagnostics} <= SIZE_IDS, (text, str(error))
        assume(False)
        raise


@settings(RELAXED, max_examples=20 * MANY)
@given(networks())
def test_shapes_state_and_macs_are_torchs(text: str) -> None:
    pytest.importorskip("torch")
    from cnndsl.backends.pytorch.live.observe import observe

    graph = built(text)
    assume(graph.nodes)
    seen = observe(graph)
    assert {name: graph[name].type.shape for name in seen.shapes} == seen.shapes
    assert {e.key: e.weight.shape for e in graph.weights} == {key: shape for key, (shape, _) in seen.state.items()}
    assert [e.key for e in graph.weights] == list(seen.state)
    macs = {name: graph[name].op.macs(graph.input_types(graph[name]), graph[name].type) for name in seen.macs}
    assert macs == seen.macs


@settings(RELAXED, max_examples=20 * MANY)
@given(networks())
def test_printing_and_json_keep_the_network(text: str) -> None:
    graph = built(text)
    again = parse_text(format_text(Source("<text>", text))).graph
    plain = {"place", "sources", "frames"}
    assert [n.model_dump(exclude=plain) for n in again.nodes] == [n.model_dump(exclude=plain) for n in graph.nodes]
    assert Graph.model_validate_json(graph.model_dump_json()) == graph


@settings(RELAXED, max_examples=50 * MANY)
@given(networks(), st.data())
def test_no_change_of_the_text_gets_anything_but_diagnostics(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 6)))
        text = (
            text[:start]
            + data.draw(
                st.sampled_from(["", "(", "]", "→", " ", "×", "9", "if", "é", '"', "{", "}", ":", text[end : end + 9]])
            )
            + text[end:]
        )
    try:
        parse_text(text)
    except CnnError as error:
        assert error.diagnostics
        for diagnostic in error.diagnostics:
            assert diagnostic.labels
            span = diagnostic.labels[0].span
            assert 0 <= span.start <= span.end <= len(span.source.text)
            assert diagnostic.help or diagnostic.notes
