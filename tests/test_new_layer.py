"""Guards `docs/adding-a-layer.md` and `ir/op.py`. A new layer is right, fused and linted from its one file: the layer of
the page, and two that state facts."""

from __future__ import annotations

import importlib.util
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnndsl.arrays.drawn import drawn_weights
from cnndsl.backends.tvm.plan.groups import plan
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.ir import op as registered
from cnndsl.passes.values.visible import split_word
from cnndsl.pipeline import check, parse_text
from tests.backends.tvm.against_torch import relative_error
from tests.test_op_contract import check_against_torch, check_source

PAGE = Path(__file__).resolve().parent.parent / "docs" / "adding-a-layer.md"

AFFINE = '''
"""Scale and shift of channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from cnndsl.ir.op import Op, Tensors, register
from cnndsl.ir.shared.relax_words import scaled
from cnndsl.ir.shared.torch_words import per_channel
from cnndsl.ir.weight import Weight


@final
@register
class Affine(Op):
    """Multiply each channel by a trained number and add another (Touvron et al., 2021: ResMLP)."""

    word: ClassVar = "Affine"
    category: ClassVar = "normalization"
    scales_channels: ClassVar = True
    any_layout: ClassVar = True
    examples: ClassVar = (("Affine", (4, 5, 6)), ("ToTokens → Affine", (3, 4, 5)))

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        (x,) = xs
        return {"weight": Weight(shape=(x.channels,), init="ones"), "bias": Weight(shape=(x.channels,))}

    def scale_and_shift(self, weights: Mapping[str, Any]) -> tuple[Any, Any]:
        return weights["weight"], weights["bias"]

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        return values[0] * per_channel(module.weight, x) + per_channel(module.bias, x)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        return scaled(relax, values[0], x, weights)
'''

CENTRE = '''
"""Centring."""

from __future__ import annotations

from typing import Any, ClassVar, final

from cnndsl.ir.axes import behind_channels
from cnndsl.ir.op import Op, Tensors, register


@final
@register
class Centre(Op):
    """Subtract each channel's mean over all positions."""

    word: ClassVar = "Centre"
    category: ClassVar = "normalization"
    subtracts_mean: ClassVar = True
    examples: ClassVar = (("Centre", (4, 5, 6)),)

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        (x,) = xs
        return values[0] - values[0].mean([n + 1 for n in behind_channels(x)], keepdim=True)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        (x,) = xs
        axes = [n + 1 for n in behind_channels(x)]
        return relax.op.subtract(values[0], relax.op.mean(values[0], axis=axes, keepdims=True))
'''


def of_the_page() -> str:
    """The layer that `docs/adding-a-layer.md` writes."""
    (block,) = re.findall(r"^ *```py\n(.*?)^ *```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return textwrap.dedent(block)


@pytest.fixture(autouse=True)
def new_layers(tmp_path: Path) -> Iterator[None]:
    """The three layers, known for one test."""
    words = set(registered._REGISTRY)
    # An earlier test may have asked for one of these words.
    split_word.cache_clear()
    for name, text in (("hard_tanh", of_the_page()), ("affine", AFFINE), ("centre", CENTRE)):
        file = tmp_path / f"{name}.py"
        file.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"new_layer_{name}", file)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    yield
    for word in set(registered._REGISTRY) - words:
        del registered._REGISTRY[word]
    split_word.cache_clear()
    for name in [name for name in sys.modules if name.startswith("new_layer_")]:
        del sys.modules[name]


ALONE = ["input 4×5×6\nHardTanh", "input 7\nHardTanh(2)", "input 3×4×5\nToTokens → Affine", "input 4×5×6\nCentre"]


@pytest.mark.parametrize("text", ALONE)
def test_it_agrees_with_torch(text: str) -> None:
    network = parse_text(text).graph
    check_against_torch(network)
    check_source(network)


@pytest.mark.tvm
@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("input 3×8×8\nConv3x3(8) → HardTanh → Centre", [("Conv", ["HardTanh"]), ("Centre", [])]),
        ("input 3×8×8\nConv3x3(8) → Affine → ReLU", [("Conv", ["ReLU"])]),
        ("input 3×8×8\nToTokens → Linear(8) → Affine", [("Reshape", []), ("Conv", []), ("Permute", [])]),
        ("input 3×8×8\nAffine → HardTanh", [("Affine", ["HardTanh"])]),
    ],
)
def test_it_is_fused(text: str, groups: list[tuple[str, list[str]]]) -> None:
    network = parse_text(text).graph
    found = plan(program_of(network, drawn_weights(network, 0)))
    assert [(g.anchor.op.word, [s.op.word for s in g.tail]) for g in found] == groups
    assert relative_error(network) < 1e-5


def test_it_is_linted(tmp_path: Path) -> None:
    file = tmp_path / "net.cnn"
    file.write_text("input 3×8×8\nConv9x9(8) → Centre → HardTanh → Conv1x1(8) → ReLU", encoding="utf-8")
    assert [(d.id, d.message) for d in check(str(file))] == [
        ("bias-before-norm", "the bias of `Conv` does nothing before `Centre`")
    ]


def test_its_file_documents_it() -> None:
    assert registered.registry()["HardTanh"].documentation() == {
        "limit": "The largest and, negated, the smallest output."
    }


def test_the_page_has_every_fact() -> None:
    facts = {name for name in registered.Op.__class_vars__ if not name.startswith(("_", "model_"))}
    # What says how the layer is written, and the dtype of words, is seen at a glance in the layers that have it.
    written = {
        "word",
        "examples",
        "takes_window",
        "variadic",
        "one_tensor",
        "takes_position",
        "follows",
        "dtype",
        "merges",
        "begins",
        "buffer",
        "implied",
    }
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in facts - written if f"`{name}`" not in page] == []
