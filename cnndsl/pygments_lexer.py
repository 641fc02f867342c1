"""Colours for `.cnn` programs where Pygments colours: Sphinx, MkDocs, Jupyter, `pygmentize`."""

from __future__ import annotations

from collections.abc import Iterator

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text, Whitespace

import cnndsl.ops  # noqa: F401  (fills the registry of layers)
from cnndsl.ir.op import registry
from cnndsl.passes.values.functions import CONSTANTS, FUNCTIONS
from cnndsl.passes.values.parameters import TYPES
from cnndsl.syntax.vocabulary import RESERVED, STATEMENTS

LABEL = r"(?:[A-Za-z0-9_]|\{[^{}\n]{1,64}\})(?:[A-Za-z0-9_.\-]|\{[^{}\n]{1,64}\}){0,48}"
BRANCHES = r"(?=\s*(?:\([^()\n]*\)\s*)?\{)"
"""What follows the word of a merge."""
WINDOW = r"[0-9]{1,6}(?:x[0-9]{1,6}){0,2}"


def layers() -> list[str]:
    """The layers' words, the longest first."""
    return sorted((word for word, op in registry().items() if not op.merges), key=lambda word: (-len(word), word))


def windowed() -> list[str]:
    """The layers whose word may hold a window: `Conv3x3`."""
    return [word for word in layers() if registry()[word].takes_window]


def merges() -> list[str]:
    """The merges' words."""
    return sorted(word for word, op in registry().items() if op.merges)


def functions() -> list[str]:
    """The functions of values, and the constants that have names."""
    return sorted({*FUNCTIONS, *CONSTANTS})


def _rules() -> Iterator[tuple[object, ...]]:
    yield r"[ \t\r\n\f\ufeff]+", Whitespace
    yield r"#[^\n]*", Comment.Single
    yield r'"(?:[^"\\\n]|\\["\\])*"', String.Double
    yield (
        rf"\b(param)(\s+)([A-Za-z_]\w*)(\s*)(:)(\s*)({'|'.join(TYPES)})\b",
        bygroups(Keyword.Declaration, Whitespace, Name.Variable, Whitespace, Punctuation, Whitespace, Keyword.Type),
    )
    yield (
        r"\b(input)(\s+)([A-Za-z_]\w*)(\s*)(:)",
        bygroups(Keyword.Declaration, Whitespace, Name.Variable, Whitespace, Punctuation),
    )
    yield r"\b(block|model|fn)([ \t]+)([A-Za-z_]\w*)", bygroups(Keyword.Declaration, Whitespace, Name.Class)
    yield rf"({LABEL})([ \t]*)(:)", bygroups(Name.Label, Whitespace, Punctuation)
    yield words(sorted(STATEMENTS), prefix=r"\b", suffix=r"\b"), Keyword.Declaration
    yield r"\b(?:true|false|none|id|in)\b", Keyword.Constant
    yield words(sorted(RESERVED - STATEMENTS), prefix=r"\b", suffix=r"\b"), Keyword
    yield words(layers(), prefix=r"\b", suffix=r"\b"), Name.Builtin
    yield words(windowed(), prefix=r"\b", suffix=rf"{WINDOW}\b"), Name.Builtin
    yield words(merges(), prefix=r"\b", suffix=BRANCHES), Name.Function.Magic
    yield words(functions(), prefix=r"\b", suffix=r"\b(?=\()"), Name.Function
    yield r"[0-9]+(?:x[0-9]+)+(?!\w)", Number.Integer
    yield r"[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+\-]?[0-9]+)?(?:[KMG]|ms)?(?!\w)", Number
    yield r"[A-Za-z_]\w*(?=\s*=[^=])", Name.Variable
    yield r"[A-Za-z_]\w*", Name
    yield r"→|->|×|≠|≤|≥|==|!=|<=|>=|\*\*|//|\.\.|[|+\-*/%<>=]", Operator
    yield r"[()\[\]{},.:]", Punctuation
    yield r"[^\x00-\x7f]", Text


class CnnLexer(RegexLexer):  # type: ignore[misc]
    """The lexer of `.cnn` programs, as Pygments loads it."""

    name = "cnn"
    url = "https://pypi.org/project/cnndsl/"
    aliases = ("cnn", "cnndsl")
    filenames = ("*.cnn",)
    mimetypes = ("text/x-cnn",)
    tokens = {"root": list(_rules())}  # noqa: RUF012  (as Pygments reads it)
