"""Looking into a trained network: its first kernels, its maps of a picture, where a decision comes from."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.ir.graph import Graph, Node
from cnndsl.ir.written import sizes
from cnndsl.training.loop.curves import figure_of, saved
from cnndsl.training.trained.recogniser import Recogniser

if TYPE_CHECKING:
    import numpy as np

MOST_MAPS = 64
"""The most channels of a layer that a picture shows."""
SEEN = 2.2
"""Inches of height for the picture above its maps."""
MOST_NAMED = 12
"""Classes that an error lists by name."""
WIDTH = 8.6
"""Inches of a picture."""


def kernels_picture(network: Recogniser, format: str = "svg") -> bytes:
    """The kernels of the first convolution over a picture: in colour for three channels, else each channel by itself.

    Raises `CnnError` (nothing-to-inspect) where no convolution reads the input.
    """
    import numpy as np

    node = next(
        (n for n in network.graph.nodes if "weight" in network.graph.node_weights(n) and _slides(network.graph, n)),
        None,
    )
    if node is None:
        raise _nothing("no convolution over two axes")
    weight = np.asarray(network.weights[f"{node.name}.weight"], np.float32)
    if weight.shape[1] == 3:
        tiles = [_spread(kernel.transpose(1, 2, 0)) for kernel in weight[:MOST_MAPS]]
    else:
        tiles = [_spread(kernel) for kernel in weight.reshape(-1, *weight.shape[2:])[:MOST_MAPS]]
    count = weight.shape[0] * (1 if weight.shape[1] == 3 else weight.shape[1])
    return _grid(tiles, f"{network.graph.name}: {_first(len(tiles), count)} kernels of {node.name}", format)


def maps_picture(network: Recogniser, image: Path, layers: Sequence[str], format: str = "svg") -> bytes:
    """The picture, and below it what layers answer to it, channel by channel; without names the first convolution and the last map.

    Each channel goes from its least value, black, to its largest, white. One that is the same everywhere tells nothing of
    this picture: it has a cross, and is counted.

    Raises `CnnError` (unknown-node, nothing-to-inspect, and those of `read_image`).
    """
    import numpy as np

    from cnndsl.backends.pytorch.live.observe import activations

    graph = network.graph
    names = [_map(graph, name).name for name in layers] or _usual(graph)
    values = activations(graph, network.weights, network.prepared(image))
    heights = [0.5 + _height(min(graph.types[name].channels, MOST_MAPS)) for name in names]
    figure = figure_of((WIDTH, sum(heights) + SEEN))
    first, *parts = figure.subfigures(1 + len(names), 1, squeeze=False, height_ratios=[SEEN, *heights])[:, 0]
    _beside(first, network.picture(image), image.name)
    for part, name in zip(parts, names, strict=True):
        maps = values[name][0]
        _tiled(part, [_spread(channel) for channel in maps[:MOST_MAPS]])
        size = sizes(maps.shape)
        still = sum(not np.ptp(channel) for channel in maps)
        said = f"{_called(graph, name)}, {size}: {_first(min(len(maps), MOST_MAPS), len(maps))} channels"
        part.suptitle(said + (f"; {still} the same everywhere on this picture (×)" if still else ""), fontsize=10)
    return saved(figure, format)


def cam_picture(network: Recogniser, image: Path, label: str | None, layer: str | None, format: str = "svg") -> bytes:
    """A picture beside where the network looks when it speaks of a class: by default the one it takes the picture for.

    Raises `CnnError` (unknown-class, unknown-node, nothing-to-inspect, and those of `read_image`).
    """
    import numpy as np

    from cnndsl.backends.pytorch.live.saliency import grad_cam

    graph = network.graph
    asked = None if label is None else class_index(network.classes, label)
    name = _map(graph, layer).name if layer else _last_map(graph)
    shares = network.predict([image])[0]
    index = int(shares.argmax()) if asked is None else asked
    cam = grad_cam(graph, network.weights, network.prepared(image), name, index)
    picture = network.picture(image)
    shown = picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0)
    height, width = picture.shape[1:]
    figure = figure_of((WIDTH, 4.6))
    plain, laid = figure.subplots(1, 2)
    plain.imshow(shown, cmap="gray", vmin=0, vmax=1)
    laid.imshow(shown, cmap="gray", vmin=0, vmax=1)
    # `extent` lays the map over the whole picture, and matplotlib interpolates it.
    heat = laid.imshow(
        cam,
        vmin=0,
        vmax=1,
        cmap="inferno",
        alpha=0.55,
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="bilinear",
    )
    said = network.classes[index] or f"class {index}"
    plain.set_title(image.name, fontsize=10)
    laid.set_title(
        f"{said} ({shares[index]:.1%}): Grad-CAM of {_called(graph, name)}"
        if np.any(cam)
        else f"nothing speaks for {said}",
        fontsize=10,
    )
    bar = figure.colorbar(heat, ax=(plain, laid), fraction=0.03, pad=0.02)
    bar.set_label("speaks for it, share of the most", fontsize=8)
    for axes in (plain, laid):
        axes.set_axis_off()
    return saved(figure, format)


def class_index(classes: Sequence[str], label: str) -> int:
    """The number of a class by its name or number. Raises `CnnError` (unknown-class)."""
    if label in classes:
        return list(classes).index(label)
    if label.isascii() and label.isdigit() and int(label) < len(classes):
        return int(label)
    names = [name for name in classes if name]
    close = nearest(label, names)
    numbers = f"a number from 0 to {len(classes) - 1}"
    listed = ", ".join(f"`{name}`" for name in names[:MOST_NAMED])
    rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    raise fault(
        "unknown-class",
        f"no class is called `{label}`",
        notes=(f"expected {numbers}, or one of the names {listed}{rest}" if names else f"expected {numbers}",),
        help=f"did you mean `{close}`?" if close else "give a class's name" if names else "give the class's number",
    )


def _slides(graph: Graph, node: Node) -> bool:
    (x, *_) = graph.input_types(node)
    return x.rank == 2 and node.op.category == "convolution"


def _usual(graph: Graph) -> list[str]:
    first = next((node.name for node in graph.nodes if _slides(graph, node)), None)
    return list(dict.fromkeys([*([first] if first else []), _last_map(graph)]))


def _last_map(graph: Graph) -> str:
    """The last map before a global operation, where positions still mean something."""
    from cnndsl.analyses.receptive_field import last_map, receptive_fields

    seen = last_map(graph, receptive_fields(graph))
    if seen is None or graph.types[seen[0]].rank != 2:
        raise _nothing("no map of two axes")
    return seen[0]


def _map(graph: Graph, name: str) -> Node:
    node = next((node for node in graph.nodes if node.name == name), None)
    if node is None:
        close = nearest(name, [node.name for node in graph.nodes])
        raise fault(
            "unknown-node",
            f"{graph.name} has no layer `{name}`",
            help=f"did you mean `{close}`?" if close else f"`cnndsl summary {graph.name}` lists them",
        )
    if node.type.rank != 2 or node.type.channel_axis != 0:
        raise _nothing(f"`{name}` gives {node.type}, no map of two axes")
    return node


def _nothing(why: str) -> CnnError:
    return fault("nothing-to-inspect", f"there is {why}", help="name another layer with --layer")


def _called(graph: Graph, name: str) -> str:
    """The layer's name, with what it is where the name is only its position."""
    return f"{name} ({graph[name].op.word})" if name.rpartition(".")[2].isdigit() else name


def _first(shown: int, count: int) -> str:
    return f"the {count}" if shown == count else f"the first {shown} of {count}"


def _spread(values: np.ndarray) -> np.ndarray:
    """The values brought to 0 … 1; all become 0.5 where they are equal."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else values * 0 + 0.5


def _grid(tiles: Sequence[np.ndarray], title: str, format: str) -> bytes:
    figure = figure_of((WIDTH, 0.4 + _height(len(tiles))))
    figure.suptitle(title, fontsize=10)
    _tiled(figure, tiles)
    return saved(figure, format)


def _columns(count: int) -> int:
    return min(16 if count > 32 else 8, count)


def _height(count: int) -> float:
    """Inches of so many square tiles, of which eight or sixteen make a row."""
    columns = _columns(count)
    return WIDTH / max(columns, 4) * ceil(count / columns)


def _tiled(figure: object, tiles: Sequence[np.ndarray]) -> None:
    columns = _columns(len(tiles))
    panes = figure.subplots(ceil(len(tiles) / columns), columns, squeeze=False)  # type: ignore[attr-defined]
    for axes in panes.flat:
        axes.set_axis_off()
    for axes, tile in zip(panes.flat, tiles, strict=False):
        axes.imshow(tile, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        if tile.size > 1 and tile.min() == tile.max():
            axes.plot((0.2, 0.8), (0.2, 0.8), (0.2, 0.8), (0.8, 0.2), transform=axes.transAxes, color="#d95f02", lw=0.8)


def _beside(figure: object, picture: np.ndarray, title: str) -> None:
    """The picture as the network is shown it."""
    axes = figure.subplots()  # type: ignore[attr-defined]
    axes.imshow(picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0), cmap="gray", vmin=0, vmax=1)
    axes.set_axis_off()
    figure.suptitle(f"{title}; below, each channel from its least (black) to its most (white)", fontsize=10)  # type: ignore[attr-defined]
