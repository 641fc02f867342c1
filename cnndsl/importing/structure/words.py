"""A layer as a person writes it: arguments at their defaults left out, those that most places write alike written once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cnndsl.importing.structure.elements import (
    Call,
    Chain,
    Expression,
    Layer,
    Program,
    Repeat,
    Word,
    everything,
)
from cnndsl.ir.op import Op, find
from cnndsl.ir.tensor import TensorType


def word_of(op: Op, x: TensorType) -> Word:
    """The word for a layer that this tensor reaches."""
    arguments: dict[str, Any] = {}
    for name in type(op).model_fields:
        if name in op.implied:
            continue
        value, default = getattr(op, name), type(op).model_fields[name].default
        if name == "channels" and hasattr(op, "window"):
            arguments[name] = value or x.channels
        elif value is not None and value != default:
            arguments[name] = _short(value)
    return Word(
        op.word,
        x.rank if op.takes_window else 0,
        tuple(arguments.items()),
        hasattr(op, "window") and arguments.get("channels") == x.channels,
    )


def _short(value: Any) -> Any:
    """Whole doubles as integers."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e9:
        return int(value)
    return value


def number(value: float) -> str:
    """A number as a person writes it: `1e-5`, `0.1`."""
    if isinstance(value, int):
        return str(value)
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    if abs(value) <= 1e-3:
        mantissa, _, exponent = f"{value:.17e}".partition("e")
        short = next(s for s in (f"{value:.{n}e}" for n in range(18)) if float(s) == value)
        mantissa, _, exponent = short.partition("e")
        return f"{mantissa}e{int(exponent)}"
    return text


_LEAST_DEFAULTS = 2
"""From how many words an argument is written once, as a `default`."""


def followed_by(word: str) -> str | None:
    op: type[Op] | None = find(word)
    return op.follows if op is not None else None


def _words(program: Program) -> Iterator[Word]:
    for chain in (*(block.body for block in program.blocks), program.body):
        yield from _chain_words(chain)


def _chain_words(chain: Chain) -> Iterator[Word]:
    for element in everything(chain):
        if isinstance(element, Layer) and isinstance(element.word, Word):
            yield element.word
        if isinstance(element, Call):
            yield from (v for _, v in element.arguments if isinstance(v, Word))
        if isinstance(element, Repeat):
            yield from (v for row in element.rows for v in row if isinstance(v, Word))


_HOISTED = {
    "bias", "eps", "momentum", "affine", "slope", "ceil", "align", "mode", "approximate", "gain", "gamma", "flat", "count_pad",
    "base", "positions", "offset", "order", "pairs",
}  # fmt: skip


def _says_more(words: list[Word], followed: str | None) -> bool:
    """Whether layers have arguments to be written once that the layer does not have whose defaults they follow."""
    op = find(followed) if followed is not None else None
    more = [word for word in words if op and any(a in _HOISTED and a not in op.model_fields for a, _ in word.arguments)]
    return len(more) >= _LEAST_DEFAULTS


def defaults_of(program: Program) -> dict[str, dict[str, Any]]:
    """For each word, the arguments that most places write alike."""
    places: dict[str, list[Word]] = {}
    for word in _words(program):
        places.setdefault(word.name, []).append(word)
    found: dict[str, dict[str, Any]] = {}
    followed = {name: followed_by(name) for name in places}
    apart = {name for name, words in places.items() if _says_more(words, followed[name])}
    for name, words in places.items():
        if followed[name] in places and name not in apart:
            continue
        followers = [other for other, f in followed.items() if f == name and other not in apart]
        group = [*words, *(w for other in followers for w in places[other])]
        for argument in dict.fromkeys(a for w in words for a, _ in w.arguments if a in _HOISTED):
            if isinstance(argument, str):
                values = Counter(repr(w.get(argument)) for w in group if not isinstance(w.get(argument), Expression))
                if not values:
                    # Every place takes it from a parameter of its block.
                    continue
                (most, count), *_ = values.most_common(1)
                plain = repr(None)
                op = find(name)
                unsayable = op is not None and op.model_fields[argument].default is None and values[plain]
                if (
                    most != plain
                    # Where nothing is the default, no word says that an argument is left out.
                    and not unsayable
                    and count >= _LEAST_DEFAULTS
                    and count > values[plain] + sum(isinstance(w.get(argument), Expression) for w in group)
                ):
                    value = next(w.get(argument) for w in group if repr(w.get(argument)) == most)
                    found.setdefault(name, {})[argument] = value
    return found
