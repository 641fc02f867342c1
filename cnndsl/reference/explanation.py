"""What a word means: a layer, a function or the id of a diagnostic, as Markdown; and the pages that list them all."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import cnndsl.ops  # noqa: F401  (fills the registry of layers)
from cnndsl.diagnostics.nearest import alike
from cnndsl.disk import shelf
from cnndsl.ir.op import Op, find, registry
from cnndsl.ir.written import show, sizes
from cnndsl.passes.values.functions import FUNCTIONS
from cnndsl.passes.values.visible import split_word
from cnndsl.reference.error_pages import fault_pages, faults_page
from cnndsl.reference.limits import limits_page
from cnndsl.reference.notions import notion, notions

_KINDS = {
    "Positive": "a whole number from 1",
    "Natural": "a whole number from 0",
    "Axes": "a whole number from 1, or one per axis",
    "Axis": "`channels` or a whole number from 0",
    "Sizes": "a named tensor or `in`",
    "Naturals": "a whole number from 0, or one per axis",
    "Numbers": "a number, or one per channel",
    "PositiveNumbers": "a number above 0, or one per channel",
    "Padding": "`same`, `valid`, `same_tf`, `causal`, a number, one per axis, or `(before, after)` pairs",
    "bool": "`true` or `false`",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "None": "",
}
_ORDER = (
    "convolution", "dense", "pooling", "normalization", "activation", "regularization", "shape", "merge", "attention",
)  # fmt: skip


@dataclass(frozen=True)
class Argument:
    """An argument of a layer as its file documents it."""

    name: str
    kind: str
    default: str | None
    doc: str


def explain(word: str) -> str | None:
    """What the word means, as Markdown; None for a word of which nothing is known.

    A layer, with its window or in other letters too (`Conv3x3`, `conv`), a function, a diagnostic, a figure or statement
    (`stride`, `receptive field`), a built-in network, or a word of another framework. `layers`, `functions`, `errors` and
    `limits` are the pages of all of a kind.
    """
    if word in _LISTS:
        return _LISTS[word]()
    op, function = find(word), FUNCTIONS.get(word)
    pages = [layer(op)] if op else []
    if function:
        # `max` is a function and a merge.
        pages.append(f"# {word}{', the function' if op else ''}\n\n`{function.usage}`: {function.doc}.\n")
    return (
        "\n".join(pages) or fault_pages().get(word) or notion(word) or _spelt(word) or _network(word) or _foreign(word)
    )


def _spelt(word: str) -> str | None:
    """A layer by its word with a window, or in other letters: `Conv3x3`, `conv`."""
    plain = word.replace("_", "").replace("×", "x")
    split = split_word(plain)
    folded = {known.lower(): known for known in registry()}
    base = split[0].word if split else folded.get(plain.lower()) or folded.get(plain.lower().rstrip("0123456789x"))
    if base is None or not (split or base.lower() == plain.lower() or registry()[base].takes_window):
        return None
    op = registry()[base]
    note = f"`{word}` is `{base}` with the window in its word.\n\n" if split and plain != base else ""
    title, _, rest = layer(op).partition("\n\n")
    return f"{title}\n\n{note}{rest}"


def _network(word: str) -> str | None:
    """A built-in network: its figures and how to use it."""
    if word not in shelf.architectures():
        return None
    from cnndsl.reference.gallery import figures_of

    row = figures_of(word)
    lines = [
        f"# {word}",
        f"A built-in network of `architectures/{row.family}.cnn`{f': {row.paper}' if row.paper else ''}.",
        f"Input {row.input}, {row.params:,} parameters, {row.macs:,} MACs.",
        f"`cnndsl summary {word}` shows its layers, `cnndsl draw {word} -o {word}.svg` its diagram;"
        f" `cnndsl compile {word} --to torch -o {word}.py` writes it as PyTorch code.",
    ]
    return "\n\n".join(lines) + "\n"


def _foreign(word: str) -> str | None:
    """A word of another framework: what it is here, and the page of that layer."""
    from cnndsl.habits.words import foreign

    found = foreign(word)
    if found is None:
        return None
    if not found.write:
        return f"# {word}\n\nThere is no `{word}` here: {found.why}.\n"
    why = f" {found.why[:1].upper()}{found.why[1:]}." if found.why else ""
    text = f"# {word}\n\nHere it is written `{found.write}`.{why}\n"
    split = split_word(found.write.partition("(")[0].partition("{")[0].strip(" ["))
    op = split[0] if split else find(found.write.partition("{")[0])
    return f"{text}\n{layer(op, heading='##')}" if op else text


def nearest_words(word: str) -> list[str]:
    """Known words that are like this one, the most alike first."""
    known = [*registry(), *FUNCTIONS, *fault_pages(), *_LISTS, *notions(), *shelf.architectures()]
    return alike(word, known)


def layers_page() -> str:
    """Every layer, by category: the page `docs/layers.md`."""
    parts = [
        "# Layers",
        "Written from the layers' own files by `make docs`. Arguments stand in the order in which the first two may be given"
        " by position. `cnndsl explain Conv` shows one of them.",
    ]
    for category in _ORDER:
        ops = sorted((op for op in registry().values() if op.category == category), key=lambda op: op.word.lower())
        if ops:
            parts.append(f"## {category.capitalize()}")
            parts += [layer(op, heading="###").rstrip() for op in ops]
    return "\n\n".join(parts) + "\n"


def layer(op: type[Op], heading: str = "#") -> str:
    """A layer's page: what it does, its arguments, examples with the shapes they give."""
    arguments = list(arguments_of(op))
    parts = [f"{heading} {op.word}", f"`{_signature(op, arguments)}`", inspect.cleandoc(op.__doc__ or "")]
    if arguments:
        parts.append("\n".join(f"- {_bullet(argument)}" for argument in arguments))
    if op.examples:
        parts.append(
            "\n".join(
                ["| example | takes |", "|---|---|", *(_row(text, shape, op.dtype) for text, shape in op.examples)]
            )
        )
    return "\n\n".join(parts) + "\n"


def _row(text: str, shape: tuple[object, ...], dtype: str) -> str:
    # A bar would end the cell, inside a code span too.
    return f"| `{text.replace('|', chr(92) + '|')}` | {_shape(shape)}{'' if dtype == 'float32' else f' of {dtype}'} |"


def _shape(shape: tuple[object, ...]) -> str:
    """One shape as `3×8×9`; those of several inputs with commas between."""
    several = [_shape(item) for item in shape if isinstance(item, tuple)]
    return ", ".join(several) if several else sizes(shape)


def _signature(op: type[Op], arguments: list[Argument]) -> str:
    if op.merges:
        inside = f"({', '.join(_short(a) for a in arguments)})" if arguments else ""
        return f"{op.word}{inside}{{ … | … }}"
    listed = [_short(a) for a in arguments if a.name != "window"]
    window = "3x3" if op.takes_window else ""
    return f"{op.word}{window}({', '.join(listed)})" if listed else f"{op.word}{window}"


def _short(argument: Argument) -> str:
    return argument.name if argument.default in (None, "") else f"{argument.name}={argument.default}"


def _bullet(argument: Argument) -> str:
    kind = f", {argument.kind}" if argument.kind else ""
    default = (
        " (must be given)" if argument.default is None else "" if argument.default == "" else f" ({argument.default})"
    )
    return f"**{argument.name}**{default}{kind}: {argument.doc}"


def arguments_of(op: type[Op]) -> Iterator[Argument]:
    """The fields of an op with what its file says of them."""
    documented = op.documentation()
    annotations = {
        name: text for owner in reversed(op.__mro__) for name, text in vars(owner).get("__annotations__", {}).items()
    }
    for name, field in op.model_fields.items():
        if name in op.implied:
            continue
        default = None if field.is_required() else _value(field.default)
        written = ast.parse(annotations[name], mode="eval").body
        yield Argument(name, _kind(written), default, documented[name])


def _value(value: object) -> str:
    """A default as it is written; "" for an argument that is none when left out."""
    return value if isinstance(value, str) else "" if value is None else show(value)


def _kind(annotation: ast.expr) -> str:
    """A field's type as it is written, in words."""
    if isinstance(annotation, ast.BinOp):
        return " or ".join(filter(None, (_kind(annotation.left), _kind(annotation.right))))
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Literal":
        words = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        return ", ".join(f"`{word.value!s}`" for word in words if isinstance(word, ast.Constant))
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple):
        return _bounded(annotation.slice.elts)
    return _KINDS.get(ast.unparse(annotation), "")


def _bounded(annotated: list[ast.expr]) -> str:
    """`Annotated[float, Field(ge=0, le=1)]` in words."""
    words = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": "below {}"}
    fields = (value for value in annotated[1:] if isinstance(value, ast.Call))
    bounds = [words[k.arg].format(ast.unparse(k.value)) for call in fields for k in call.keywords if k.arg in words]
    return " ".join([_kind(annotated[0]), *bounds])


def functions_page() -> str:
    """Every function of the language, in a table."""
    rows = (f"| `{f.usage}` | {f.doc} |" for f in sorted(FUNCTIONS.values(), key=lambda f: f.name))
    return "\n".join(["# Functions", "", "| function | gives |", "|---|---|", *rows, ""])


_LISTS = {"layers": layers_page, "functions": functions_page, "errors": faults_page, "limits": limits_page}
"""Words that stand for all of a kind."""
