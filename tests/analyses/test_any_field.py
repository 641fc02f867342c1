"""Guards `analyses/receptive_field.py`. Receptive fields of drawn chains and branches against torch's gradients."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.op import Op
from cnndsl.ops.add import Add
from cnndsl.ops.conv import Conv
from cnndsl.ops.max_pool import MaxPool
from tests.analyses.gradients import chain, compare, field
from tests.graphs import Step, graph

kernels = st.integers(1, 4)
convolutions = st.builds(
    lambda kernel, stride, dilation, pads: Conv(
        channels=1, window=kernel, stride=stride, dilation=dilation, pad=(pads,), bias=False
    ),
    kernels,
    st.integers(1, 3),
    st.integers(1, 2),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
pools = st.builds(
    lambda kernel, stride, ceil: MaxPool(window=kernel, stride=stride, pad=(kernel - 1) // 2, ceil=ceil),
    kernels,
    st.integers(1, 3),
    st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(convolutions | pools, min_size=1, max_size=5), st.integers(30, 60))
def test_any_chain(ops: list[Op], size: int) -> None:
    try:
        network = chain((1, size), *ops)
    except Refusal:
        assume(False)
    compare(network, f"n{len(ops) - 1}")


@st.composite
def fitting(draw: st.DrawFn, stride: int) -> Op:
    """A convolution that gives a size divided by the stride, wherever its padding lies."""
    kernel, dilation = draw(kernels), draw(st.integers(1, 2))
    total = (kernel - 1) * dilation
    before = draw(st.integers(0, total))
    return Conv(window=kernel, stride=stride, dilation=dilation, pad=((before, total - before),), bias=False)


@settings(max_examples=80, deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(2, 3))
def test_any_branches(data: st.DataObject, stride: int, count: int) -> None:
    """The hull of the branches' views is seen, and nothing else."""
    steps: list[Step] = [("before", data.draw(convolutions), ("x",))]
    for branch in range(count):
        if data.draw(st.booleans()):
            steps.append((f"first{branch}", data.draw(fitting(1)), ("before",)))
        steps.append(
            (
                f"last{branch}",
                data.draw(fitting(stride)),
                (steps[-1][0] if f"first{branch}" == steps[-1][0] else "before",),
            )
        )
    steps += [("add", Add(), tuple(f"last{branch}" for branch in range(count))), ("after", Conv(window=3), ("add",))]
    network = graph({"x": (1, 48)}, steps)
    centers = {sum(view.center for view in field(network, f"last{branch}").views) for branch in range(count)}
    assert field(network, "add").state == ("exact" if len(centers) == 1 else "unaligned")
    compare(network, "add")
    compare(network, "after")
