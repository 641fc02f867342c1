"""Random programs that mean something: strategies for the text of valid networks."""

from __future__ import annotations

from hypothesis import strategies as st

SAME_SHAPE = ["BN", "ReLU", "SiLU", "Dropout(0.1)", "Identity", "Tanh", "ReLU6", "id"]
"""Elements that keep a map's shape."""


@st.composite
def networks(draw: st.DrawFn) -> str:
    """A whole program: an input of one to three axes, blocks, a chain, perhaps a head."""
    rank = draw(st.integers(1, 3))
    sizes = [draw(st.integers(1, 5)), *(draw(st.integers(5, 12)) for _ in range(rank))]
    lines = [f"input image: {'×'.join(map(str, sizes))}"]
    if draw(st.booleans()):
        lines.append("default Conv(bias=false)")
    width = draw(st.integers(1, 6))
    lines.append(f"let width = {width}")
    names = []
    for index in range(draw(st.integers(0, 2))):
        names.append(f"Unit{index}")
        body = draw(chains(1, names=tuple(names[:-1]), channels="c"))
        lines.append(f"block Unit{index}(c, deep=true) {{ {body} → {draw(layers('c'))} if deep }}")
    chain = draw(chains(3, names=tuple(names), channels="width"))
    head = draw(
        st.sampled_from(["", " → GlobalAvgPool → FC(3)", " → AdaptiveAvgPool(2) → FC(2 × width)", " → Flatten"])
    )
    lines.append(f"{chain}{head}")
    return "\n".join(lines)


@st.composite
def layers(draw: st.DrawFn, channels: str) -> str:
    """One layer; those with windows say what they need."""
    count = draw(st.sampled_from([channels, f"{channels} + 1", "4", "2 × " + channels]))
    window = draw(st.sampled_from([1, 2, 3, 5]))
    arguments = [count]
    if draw(st.booleans()):
        arguments.append(f"stride={draw(st.integers(1, 2))}")
    if draw(st.booleans()):
        arguments.append(f"pad={draw(st.sampled_from(['same', 'same_tf', '2', 'causal']))}")
    if draw(st.booleans()):
        arguments.append(f"dilation={draw(st.integers(1, 2))}")
    return draw(
        st.sampled_from(
            [
                f"Conv{window}({', '.join(arguments)})",
                f"DWConv{window}(multiplier={draw(st.integers(1, 2))})",
                "MaxPool",
                f"MaxPool3(2, 1, ceil={draw(st.sampled_from(['true', 'false']))})",
                "AvgPool3(1, 1)",
                *SAME_SHAPE[:-1],
            ]
        )
    )


@st.composite
def chains(draw: st.DrawFn, depth: int, names: tuple[str, ...], channels: str) -> str:
    """Elements joined by arrows: layers, groups, repeats, merges, calls, conditions, labels, taps."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        kinds = (
            ["layer", "layer", "layer"] + (["group", "add", "cat", "gate"] if depth else []) + ["call"] * bool(names)
        )
        kind = draw(st.sampled_from(kinds))
        if kind == "layer":
            part = draw(layers(channels))
        elif kind == "call":
            part = f"{draw(st.sampled_from(names))}({draw(st.integers(1, 4))}, deep={draw(st.sampled_from(['true', 'false']))})"
        elif kind == "group":
            part = f"[{draw(chains(depth - 1, names, channels))}]×{draw(st.integers(0, 2))}"
        elif kind == "add":
            part = f"add{{ {' → '.join(draw(st.lists(st.sampled_from(SAME_SHAPE), min_size=1, max_size=3)))} | id }}"
        elif kind == "cat":
            part = f"cat{{ Conv3({channels}) → ReLU for i in 1..{draw(st.integers(2, 3))} }}"
        else:
            part = "mul{ id | GlobalAvgPool → Conv1(in.channels if false else id.channels) → Sigmoid }"
        if draw(st.integers(0, 4)) == 0:
            part += f" if {channels} > {draw(st.integers(0, 4))}"
        parts.append(part)
    return " → ".join(parts)
