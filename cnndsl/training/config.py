"""Options read from a TOML file, with diagnostics that point at its mistakes, and options written as TOML."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label, fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Source, Span
from cnndsl.disk.files import read_text
from cnndsl.training.options import Options

NAMES = {name: name.replace("_", "-") for name in Options.model_fields}
"""Each option's name in Python, and on the command line and in TOML."""


def read_config(path: Path) -> dict[str, Any]:
    """The options that a TOML file sets, by their names in Python.

    Raises `CnnError` with every fault: those of `read_text`, unknown-option, wrong-option.
    """
    source = Source(str(path), read_text(path))
    try:
        table = tomllib.loads(source.text)
    except (ValueError, RecursionError) as error:
        # ValueError is also raised for numbers with thousands of digits, RecursionError for brackets in brackets without end.
        raise fault("wrong-option", f"{path} is no TOML: {error}", help="write lines such as `epochs = 30`") from None
    known = {dashed: name for name, dashed in NAMES.items()}
    faults = [_unknown(source, word) for word in table if word not in known]
    given = {known[word]: value for word, value in table.items() if word in known}
    try:
        Options(**given)
    except ValidationError as error:
        faults += [_wrong(source, mistake) for mistake in error.errors()]
    if faults:
        raise CnnError(faults)
    return given


def _unknown(source: Source, word: str) -> Diagnostic:
    near = nearest(word, known := list(NAMES.values()))
    return Diagnostic(
        "unknown-option",
        f"no option is called `{word}`",
        _place(source, word),
        notes=() if near else (f"expected one of {', '.join(known)}",),
        help=f"did you mean `{near}`?" if near else "`cnndsl train --help` lists them",
    )


def _wrong(source: Source, mistake: Any) -> Diagnostic:
    word = NAMES[_python_name(str(mistake["loc"][0]))]
    return Diagnostic(
        "wrong-option",
        f"`{word}` cannot be {mistake['input']!r}",
        _place(source, word),
        notes=(reason(mistake),),
        help="see `cnndsl train --help`",
    )


def _python_name(name: str) -> str:
    return name.replace("-", "_")


def reason(mistake: Any) -> str:
    """The reason that pydantic gives, worded to stand after a name in a sentence."""
    text = str(mistake["msg"]).removeprefix("Input ")
    return text[0].lower() + text[1:]


def _place(source: Source, word: str) -> tuple[Label, ...]:
    match = re.search(rf"^[ \t]*[\"']?({re.escape(word)})[\"']?[ \t]*[=.\]]", source.text, re.MULTILINE)
    return (Label(Span(source, *match.span(1))),) if match else ()


def to_toml(options: Options) -> str:
    """The options as a TOML file; what is not set is left out."""
    return "".join(f"{NAMES[name]} = {_toml(value)}\n" for name, value in options if value is not None)


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON's texts, numbers and truth values are TOML's too.
    return json.dumps(value, ensure_ascii=False)


def merged(options: Options, changes: Mapping[str, Any]) -> Options:
    """The options with some changed. Raises pydantic's `ValidationError`."""
    return Options(**{**dict(options), **changes})
