"""Guards `pytorch/writing/layers.py`: layers that torch has no module for get a class, which computes nothing twice."""

from __future__ import annotations

from typing import Any

import torch

from cnndsl.backends.pytorch.expression import Call, Literal, Name, Operation, Value
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.backends.pytorch.writing.layers import steps_of
from cnndsl.backends.pytorch.writing.source import to_source
from cnndsl.pipeline import parse_text


def test_what_occurs_once_is_one_step() -> None:
    once = Operation("+", (Value(0), Literal(1)))
    assert [(step.expression, step.results) for step in steps_of(once, 1)] == [(once, (1,))]


def test_pieces_within_pieces_come_first() -> None:
    inner = Call(Name("f"), ((None, Value(0)),))
    outer = Operation("*", (inner, Literal(2)))
    whole = Operation("+", (Operation("-", (outer, outer)), inner))
    assert [(step.expression, step.results) for step in steps_of(whole, 1)] == [
        (inner, (1,)),
        (Operation("*", (Value(1), Literal(2))), (2,)),
        (Operation("+", (Operation("-", (Value(2), Value(2))), Value(1))), (3,)),
    ]


def check(text: str) -> str:
    """The text of the file, once it has given the live module's values."""
    graph = parse_text(text).graph
    source = to_source(graph)
    names: dict[str, Any] = {"__name__": "generated"}
    exec(source, names)
    written = [v for v in names.values() if isinstance(v, type) and v.__module__ == "generated"][-1]().eval()
    live = to_torch(graph).eval()
    with torch.no_grad():
        for tensor in live.state_dict().values():
            tensor.uniform_(0.5, 1.5)
    written.load_state_dict(live.state_dict())
    inputs = [torch.randn(2, *i.type.shape) for i in graph.inputs]
    torch.testing.assert_close(written(*inputs), live(*inputs), rtol=0, atol=0)
    return source


def test_a_layer_of_its_own_class_is_called() -> None:
    source = check("input 4×5×6\na: Conv1x1(8) → b: GRN → c: Conv1x1(2)")
    assert source.count("vector_norm") == 1
    assert "self.b(" in source


def test_a_shared_layer_on_tensors_of_another_form() -> None:
    check("share bn = FrozenBN\ninput 4×5×6\nbn → bn → GlobalAvgPool → Flatten → bn")
