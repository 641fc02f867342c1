"""Random programs that mean something: strategies for the text of valid networks."""

from __future__ import annotations

from hypothesis import strategies as st

SAME_SHAPE = ["BN", "ReLU", "SiLU", "Dropout(0.1)", "Identity", "Tanh", "ReLU6", "id"]
"""Elements that keep a map's shape."""

BLOCKS = """fn near(c, q=4) = max(q, (c + q // 2) // q × q)
block Gain { mul{ id | gain: Weight(in.shape, 1) } }
block Wave { add{ id | Const(TABLE) } }
block Joined takes maps[] { cat{ maps } }
block Grown(c) { [Conv3(c) → ReLU as maps[]]×2 → cat{ in | maps } }
"""
"""What elements of a chain call; `TABLE` is a list for each channel, nested as deep as the input has axes."""


TOKEN_HEADS = [
    " → ToTokens → attend(heads=2){ Linear(4) | Linear(4) | Linear(6) → Tanh } → LN",
    " → ToTokens → Softmax(axis=0) → Linear(3, axis=0) → RMSNorm(axis=0)",
    " → ToTokens → LN(axis=0) → Mean(0) → Linear(2)",
]
"""Ends that make tokens of a map, in which another axis than the channels is named."""


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
    table = f"[{'[' * rank}sin(i){']' * rank} for i in range(in.channels)]"
    lines += BLOCKS.replace("TABLE", table).splitlines()
    names = []
    for index in range(draw(st.integers(0, 2))):
        names.append(f"Unit{index}")
        body = draw(chains(1, names=tuple(names[:-1]), channels="c"))
        lines.append(f"block Unit{index}(c, deep=true) {{ {body} → {draw(layers('c'))} if deep }}")
    chain = draw(chains(3, names=tuple(names), channels="width"))
    head = draw(
        st.sampled_from(
            ["", " → GlobalAvgPool → FC(3)", " → AdaptiveAvgPool(2) → FC(2 × width)", " → Flatten", *TOKEN_HEADS]
        )
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


def written(channels: str) -> st.SearchStrategy[str]:
    """What tuples, loops, numbers as branches, functions and tensors of one's own are written with."""
    return st.sampled_from(
        [
            "Gain",
            "Wave",
            f"Grown({channels})",
            f"Conv1(near({channels}))",
            "(Conv1(id.channels + i) → ReLU for i in 1..2) → Joined",
            "([BN if i > 0 else Tanh] for i in range(2)) → Joined",
            "Conv1(2 × id.channels) → Split(2) as (left, right) → cat{ right | left → Tanh }",
            "[Conv1 → Sigmoid as sums[]]×3 → mean{ sums }",
            "mul{ id | 0.17 }",
            "add{ id | -3 }",
            "sub{ 1 | id }",
            "div{ id | add{ Abs | 1 } }",
            "max{ id | 0.1 }",
            "min{ id | 6 | Tanh }",
        ]
    )


@st.composite
def chains(draw: st.DrawFn, depth: int, names: tuple[str, ...], channels: str) -> str:
    """Elements joined by arrows: layers, groups, repeats, merges, calls, conditions, labels, taps."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        kinds = (
            ["layer", "layer", "layer"]
            + (["group", "add", "cat", "gate", "written", "written"] if depth else [])
            + ["call"] * bool(names)
        )
        kind = draw(st.sampled_from(kinds))
        if kind == "layer":
            part = draw(layers(channels))
        elif kind == "call":
            part = f"{draw(st.sampled_from(names))}({draw(st.integers(1, 4))}, deep={draw(st.sampled_from(['true', 'false']))})"
        elif kind == "group":
            part = f"[{draw(chains(depth - 1, names, channels))}]×{draw(st.integers(0, 2))}"
        elif kind == "written":
            part = draw(written(channels))
        elif kind == "add":
            part = f"add{{ {' → '.join(draw(st.lists(st.sampled_from(SAME_SHAPE), min_size=1, max_size=3)))} | id }}"
        elif kind == "cat":
            part = f"cat{{ Conv3({channels}) → ReLU for i in 1..{draw(st.integers(2, 3))} }}"
        else:
            part = "mul{ id | GlobalAvgPool → Conv1(in.channels if false else id.channels) → Sigmoid }"
        # Without the last element, which joins a tuple, the tuple would go on.
        if not {"Joined", "(left,"} & set(part.split()) and draw(st.integers(0, 4)) == 0:
            part += f" if {channels} > {draw(st.integers(0, 4))}"
        parts.append(part)
    return " → ".join(parts)
