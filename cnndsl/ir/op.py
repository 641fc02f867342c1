"""What every layer answers, and the registry of layers.

A layer is one final subclass of `Op` in one file of `cnndsl/ops`. Its pydantic fields are the layer's
arguments in the language; the docstring under a field is the argument's documentation. An op states
facts; parameters, receptive fields, memory and totals are derived in `cnndsl/analyses`.

Back ends pass their own vocabulary in, so no op file imports torch or tvm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, Literal, Self, final

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from cnndsl.ir.call import Call
from cnndsl.ir.reach import Reach
from cnndsl.ir.tensor import TensorType
from cnndsl.ir.weight import Weight
from cnndsl.ir.window import Window
from cnndsl.ir.written import brief

Category = Literal[
    "convolution", "dense", "pooling", "normalization", "activation", "regularization", "shape", "merge", "attention"
]

Combination = Literal["add", "sub", "mul", "max", "min", "mean"]
PerPosition = Literal["mean and variance", "mean square", "length", "softmax"]

Tensors = tuple[TensorType, ...]


class Op(BaseModel):
    """A layer or a merge with its arguments; knows its shape rule, its weights and its forms elsewhere."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    # -- What it is: its word, its place in programs and pages, its arguments

    word: ClassVar[str]
    """The word in the language: `Conv`, or `add` for a merge."""
    category: ClassVar[Category]
    """Groups layers in the documentation and colours them in a diagram."""
    examples: ClassVar[tuple[tuple[str, tuple[int, ...]], ...]]
    """Pairs of text and input shape: shown in the documentation, run by the contract test."""
    takes_window: ClassVar[bool] = False
    """Whether a window may be written in the word, as in `Conv3x3`; the op then has a field `window`."""
    implied: ClassVar[tuple[str, ...]] = ()
    """Fields that are no arguments: the form of the program says them, such as numbers among the branches of a merge."""
    variadic: ClassVar[bool] = False
    """Whether all arguments without a name together are the first one: `Permute(1, 2, 0)` for `axes=(1, 2, 0)`."""
    one_tensor: ClassVar[bool] = False
    """Whether the layer is a single tensor whose key is the layer's own name."""
    buffer: ClassVar[bool] = False
    """Whether that single tensor is kept beside the trained ones."""
    takes_position: ClassVar[bool] = True
    """Whether the layer is counted among the layers of its scope, which gives it a number and so a name where it has no
    label. Merges and constants are not counted."""
    symbol: ClassVar[str] = ""
    """The sign that stands for it in a diagram, in a circle: `+`. Where there is no sign, a box with the word does."""
    follows: ClassVar[str | None] = None
    """The word whose `default` arguments also hold for this one, where it has none of its own."""

    @classmethod
    def arguments(cls) -> tuple[str, ...]:
        """Names of the arguments in order, the window aside."""
        return _arguments(cls)

    @classmethod
    def documentation(cls) -> dict[str, str]:
        """What each argument is: the docstring under its field, in one line."""
        # Only pages and help read sources.
        from cnndsl.ir.docstrings import docstrings

        return docstrings(cls, Op)

    @final
    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"layer": self.word, **handler(self)}

    @final
    def written(self) -> dict[str, Any]:
        """The arguments that differ from their defaults."""
        return {
            name: value
            for name, field in type(self).model_fields.items()
            if (value := getattr(self, name)) != field.default or field.is_required()
        }

    @final
    def text(self) -> str:
        """The layer as the language writes it, with the arguments that differ from their defaults: `Conv3x3(64, stride=2)`."""
        given = self.written()
        numbers = given.pop("numbers", None)
        if numbers:
            return f"{self.word}{{ {' | '.join('…' if n is None else f'{n:.6g}' for n in numbers)} }}"
        window = given.pop("window", None)
        word = self.word
        if isinstance(window, int):
            word += str(window)
        elif window is not None:
            word += "x".join(map(str, window))
        first = next(iter(self.arguments()), None)
        # A text among a layer's arguments is one of the bare words that the argument knows.
        texts = {name: value if isinstance(value, str) else brief(value) for name, value in given.items()}
        arguments = [text if name == first else f"{name}={text}" for name, text in texts.items()]
        return f"{word}({', '.join(arguments)})" if arguments else word

    # -- What it does to tensors: facts. Sums and receptive fields are derived from them in `cnndsl/analyses`; lints and
    # back ends ask for them, and never for the word.

    dtype: ClassVar[str] = "float32"
    """The dtype of its inputs: int64 for indices, such as those of words."""
    merges: ClassVar[bool] = False
    """Whether it joins branches: written `word{ … | … }`, two or more inputs."""
    begins: ClassVar[bool] = False
    """Whether it makes its tensor anew and so begins a chain: of what arrives it takes only the length of the batch."""
    gates: ClassVar[bool] = False
    """Whether a branch that sees the whole input may only weigh the others, as in squeeze-and-excitation."""
    view: ClassVar[bool] = False
    """Whether in inference the output is the input's own memory: nothing is computed and nothing is copied."""

    fresh: ClassVar[bool] = False
    """Whether in training the output is a tensor of its own that the layer's gradient does not read: what follows may
    write into it."""
    combines: ClassVar[Combination | None] = None
    """How a merge makes one number of those at the same place of every branch; None where it does something else."""
    scales_channels: ClassVar[bool] = False
    """Whether in inference it multiplies each channel by a number and adds one, `scale_and_shift`: a convolution or a
    fully connected layer before it takes both into its weights."""
    subtracts_mean: ClassVar[bool] = False
    """Whether in training each channel's own mean is subtracted, so that a bias before it does nothing."""
    never_negative: ClassVar[bool] = False
    """Whether no number of the output is below zero, whatever arrives."""
    rectifies: ClassVar[bool] = False
    """Whether it makes zero of what is below zero and leaves the rest: after a layer that is `never_negative` it does
    nothing."""
    per_position: ClassVar[PerPosition | None] = None
    """How it normalises the channels of each position by themselves; None where it does something else. What it is then
    multiplied by and what is added is called `weight` and `bias`, what keeps the divisor above zero `eps`."""
    any_layout: ClassVar[bool] = False
    """Whether it finds the channels wherever they are and sees in the other axes only positions: with the axes in another
    order, its weights for that order and as many inputs, the result is the same in that order."""
    factor: ClassVar[bool] = False
    """Whether a linear layer is meant as one factor of a larger linear map, so that beside another linear layer no
    activation is missing: a depthwise convolution beside a 1×1 convolution."""

    @property
    def is_plain(self) -> bool:
        """Whether it works along the channels, and joins tensors alone, not numbers: only then do `combines`, `per_position`
        and `any_layout` hold."""
        return True

    @property
    def is_pointwise(self) -> bool:
        """Whether `pointwise` has an expression: each element of the output follows from the same element of the input."""
        return type(self).pointwise is not Op.pointwise

    def brings(self, x: TensorType) -> tuple[Op, ...]:
        """Ops that stand before this one without having been written, and that every listing shows: the Flatten of FC."""
        return ()

    def parts(self, x: TensorType) -> tuple[Op, ...] | None:
        """For a layer with several outputs: the ops that make each of them from the input, one node an output."""
        return None

    def infer(self, xs: Tensors) -> TensorType:
        """The output's type. Raises `Refusal` with the reason when there is none."""
        return xs[0]

    def weights(self, xs: Tensors) -> dict[str, Weight]:
        """The layer's state for these inputs, in `state_dict()` order; the key `""` is the layer itself."""
        return {}

    def window_over(self, x: TensorType) -> Window | None:
        """The window over the axes behind the channels; None where each position sees only itself."""
        return None

    def reach(self, xs: Tensors, y: TensorType, index: int) -> tuple[Reach, ...] | None:
        """What output positions see of input `index`, for each axis of the output behind the channels, where neither a
        window nor "the same position" says it: upsampling, cropping, exchanged axes. None where they do."""
        return None

    def sees_all(self, x: TensorType) -> bool:
        """Whether every output position depends on every input position."""
        return False

    def channel_sources(self, xs: Tensors) -> tuple[tuple[int, int], ...] | None:
        """For a layer that only moves whole channels: the input and its channel that each channel of the result is."""
        return None

    def scale_and_shift(self, weights: Mapping[str, Any]) -> tuple[Any, Any]:
        """For a layer that `scales_channels`: the factor and the summand in inference, of each channel or of all, from
        its weights as float64 NumPy arrays."""
        raise NotImplementedError(f"{self.word} does not scale channels")

    def macs(self, xs: Tensors, y: TensorType) -> int:
        """Multiply-adds of convolution and matrix products, batch 1."""
        return 0

    def arithmetic(self, xs: Tensors, y: TensorType) -> int:
        """Scalar operations beside the multiply-adds, one per element, batch 1."""
        return 0

    # -- How back ends say it: each hands in its own vocabulary

    def to_torch(self, nn: Any, xs: Tensors) -> Any:
        """The `torch.nn` module that holds the weights and does the work; None for a plain function."""
        return None

    def call_torch(self, torch: Any, module: Any, xs: Tensors, *values: Any) -> Any:
        """The value in a `forward`, from batched input values; by default the module called with them."""
        return module(*values)

    def to_relax(self, relax: Any, xs: Tensors, values: tuple[Any, ...], weights: dict[str, Any]) -> Any:
        """The Relax expression over batched values; `relax` is the `tvm.relax` module."""
        raise Unlowered(self.word, "tvm")

    def pointwise(self, tir: Any, value: Any) -> Any:
        """One element of the output from the same element of the input, as a TIR expression; None if it takes
        more than that element. The kernel of
        the layer before it computes it on its way out, before its result is stored."""
        return None

    @classmethod
    def recognise(cls, call: Call, xs: Tensors) -> Self | None:
        """The inverse of `to_torch`: the layer that this operation of a foreign network is, where these tensors arrive;
        None where it is another, or none."""
        return None


# `Op` has facts and no fields. pydantic works the annotations of all bases out again for every layer, at every start.
Op.__annotations__.clear()


@cache
def _arguments(op: type[Op]) -> tuple[str, ...]:
    return tuple(name for name in op.model_fields if name != "window" and name not in op.implied)


class Unlowered(Exception):
    """A back end has no form of this op: it refuses the network before it emits anything."""

    def __init__(self, word: str, backend: str, why: str = "") -> None:
        self.word, self.backend, self.why = word, backend, why
        super().__init__(f"{backend} has no form of `{word}`" + (f": {why}" if why else ""))


_REGISTRY: dict[str, type[Op]] = {}


def register(op: type[Op]) -> type[Op]:
    """Class decorator: makes the op's word known."""
    if op.word in _REGISTRY:
        raise ValueError(f"the word {op.word!r} is taken by {_REGISTRY[op.word].__module__}")
    _REGISTRY[op.word] = op
    return op


loaders: list[Callable[[str | None], None]] = []
"""Functions that import the files of layers: the file of a word, or all files where the word is None. `cnndsl.ops` adds
its own."""


def find(word: str) -> type[Op] | None:
    """The op of a word; None if there is none."""
    if word not in _REGISTRY:
        for load in loaders:
            load(word)
    return _REGISTRY.get(word)


def registry() -> dict[str, type[Op]]:
    """Every op by its word. Reads all their files: for lists and for nearest words."""
    for load in loaders:
        load(None)
    return _REGISTRY


def op_from_json(value: Any) -> Any:
    """Validator of a field that holds an op: looks the word up in the closed registry, never imports by name."""
    if isinstance(value, Op):
        return value
    if not isinstance(value, dict) or not isinstance(word := value.get("layer"), str):
        raise ValueError("an op is an object with its word under `layer`")
    op = find(word)
    if op is None:
        raise ValueError(f"no layer is called {word!r}")
    return op.model_validate({key: field for key, field in value.items() if key != "layer"})
