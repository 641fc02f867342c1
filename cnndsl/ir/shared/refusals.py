"""Refusals that several layers share: each function returns if all is well, and raises `Refusal` otherwise.

`word` is the layer's word, for the sentence; `x` is the tensor that arrives.
"""

from __future__ import annotations

from cnndsl.diagnostics.errors import Refusal
from cnndsl.ir.tensor import TensorType


def refuse_indices(x: TensorType, word: str) -> None:
    """Refuses whole numbers, such as word indices: the layer computes with real ones."""
    if not x.dtype.startswith(("float", "bfloat")):
        raise Refusal(
            "wrong-type",
            f"`{word}` computes with real numbers, and here arrives {x} of {x.dtype}",
            notes=(f"expected float32, found {x.dtype}",),
            help="turn indices into vectors with `Embedding` first",
        )


def refuse_no_map(x: TensorType, word: str) -> None:
    """Refuses what has no axes for a window to slide over (vectors, tokens, channels not first), and whole numbers."""
    if x.kind != "map" or x.channel_axis != 0 or x.rank > 3:
        found = f"a vector of {x.channels}" if x.kind == "vector" else f"tokens {x}" if x.kind == "tokens" else f"{x}"
        raise Refusal(
            "wrong-rank",
            f"`{word}` slides over a map, and here arrives {found}",
            notes=(f"expected channels and one to three axes behind them, found {found}",),
            help=_as_map(x, word),
        )
    refuse_indices(x, word)


def _as_map(x: TensorType, word: str) -> str:
    """What makes a map to slide over of what is none."""
    if x.kind == "vector":
        return f"put `{word}` before the layer that flattens"
    if x.kind == "tokens":
        return "turn tokens into a map with `ToMap`"
    if x.channel_axis != 0 and x.rank <= 3:
        order = [x.channel_axis, *(n for n in range(len(x.shape)) if n != x.channel_axis)]
        return f"put the channels (ᶜ) first: `Permute({', '.join(map(str, order))})`"
    return "lay the axes out as one to three behind the channels with `Reshape`"


def refuse_no_image(x: TensorType, word: str) -> None:
    """Refuses what is not a map with height and width, and whole numbers."""
    refuse_no_map(x, word)
    if x.rank != 2:
        raise Refusal(
            "wrong-rank",
            f"`{word}` takes a map with height and width, and here arrives {x}",
            notes=(f"expected two axes behind the channels, found {x.rank}",),
            help="lay the axes out with `Reshape` and `Permute`",
        )


def refuse_channels_behind(x: TensorType, word: str) -> None:
    """Refuses tensors whose channels are not the first axis, and whole numbers."""
    refuse_indices(x, word)
    if x.channel_axis != 0:
        raise Refusal(
            "wrong-rank",
            f"`{word}` normalises maps and vectors, and here arrives {x} with its channels on axis {x.channel_axis}",
            notes=(f"expected channels first, found them on axis {x.channel_axis} of {x}",),
            help="use `LN` on tokens",
        )


def refuse_vector(x: TensorType, purpose: str) -> None:
    """Refuses a vector, which has no positions. `purpose` says what the layer does with them: "`Roll` shifts positions"."""
    if x.kind == "vector":
        raise Refusal(
            "wrong-rank",
            f"{purpose}, and a vector of {x.channels} has none",
            notes=(f"expected a map or tokens, found a vector of {x.channels}",),
            help="leave it out, or put it before the layer that flattens",
        )


def needed_window(
    window: int | tuple[int, ...] | None, word: str, *, size: int = 3, channels: int | str | None = None
) -> int | tuple[int, ...]:
    """The window; refuses where it is given neither in the word nor as an argument. `size` and `channels` are for the
    example in the message, which has parentheses unless `channels` is None."""
    if window is None:
        example = f"{word}{size}x{size}"
        raise Refusal(
            "missing-argument",
            f"`{word}` needs the size of its window",
            notes=(f"expected `{example}` or `window={size}`, found neither",),
            help=f"write `{example}`" if channels is None else f"write `{example}({channels})`",
        )
    return window


def refuse_groups(groups: int, channels: int, outputs: int | None = None, help: str = "groups={}") -> None:
    """Refuses a number of groups that does not divide the channels, and the output channels where there are others.

    `help` is the text to write, with `{}` for the largest smaller number of groups that does.
    """
    both = [("input ", channels), ("output ", outputs)] if outputs is not None else [("", channels)]
    for which, count in both:
        if count is not None and count % groups:
            fits = max(g for g in range(1, min(groups, count) + 1) if all(n is None or n % g == 0 for _, n in both))
            divided = str(channels) if outputs is None else f"{channels} and {outputs}"
            raise Refusal(
                "groups-mismatch",
                f"{count} {which}channels cannot be divided into {groups} groups",
                argument="groups",
                notes=(f"expected a divisor of {divided}, found {groups}",),
                help=f"write `{help.format(fits)}`",
            )


def refuse_single_numbers(x: TensorType, word: str, together: int) -> None:
    """Refuses to normalise numbers one by one, which would make zeros of them. `together` is how many share a mean."""
    if together == 1:
        raise Refusal(
            "shape-mismatch",
            f"`{word}` would normalise every number of {x} by itself",
            notes=(f"expected at least two numbers to a mean, found one in {x}",),
            help="leave it out, or put it where the map is larger",
        )
