"""What could be written at a place: it is asked of the tree that the text would have with a word there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cnndsl.diagnostics.source import Source
from cnndsl.disk import shelf
from cnndsl.ir.op import Op, registry
from cnndsl.ir.tensor import BYTES
from cnndsl.passes.values.functions import CONSTANTS, FUNCTIONS
from cnndsl.passes.values.parameters import TYPES
from cnndsl.passes.values.sizes import ATTRIBUTES
from cnndsl.passes.values.visible import words_of
from cnndsl.service.analysis import Analysis
from cnndsl.service.answers import Completion, CompletionKind, Place
from cnndsl.service.bindings import bind
from cnndsl.service.bound import Kind
from cnndsl.service.hover import op_of
from cnndsl.service.places import path_at
from cnndsl.service.signature import Calling, calling, parameters
from cnndsl.syntax import tree
from cnndsl.syntax.tolerant.parse import parse_tolerant, tokens

_PROBE = "zz_here"
_STATEMENTS = {
    "input": "input ${1:3×224×224}", "output": "output $1", "param": "param ${1:classes} = ${2:1000}", "let": "let ${1:name} = $2",
    "fn": "fn ${1:name}(${2:x}) = $3", "default": "default ${1:Conv}(${2:bias=false})",
    "block": "block ${1:Name}(${2:channels}) {\n  $0\n}", "model": "model ${1:name} {\n  input ${2:3×224×224}\n\n  $0\n}",
    "share": "share ${1:name} = $2", "use": "use ${1:Name} from ${2:resnet}", "assert": "assert ${1:params < 10M}",
}  # fmt: skip
_KINDS: dict[Kind, CompletionKind] = {
    "value": "value", "parameter": "value", "setting": "value", "function": "function", "block": "block", "model": "model",
    "share": "block", "tensor": "tensor", "input": "tensor", "loop": "value", "imported": "block",
}  # fmt: skip
_FIGURES = ("params", "macs", "flops", "rf", "depth", "activations", "output")


def completions(analysis: Analysis, offset: int) -> tuple[Completion, ...]:
    """What could stand at an offset, in place of the word around it; () inside of comments, texts and numbers."""
    text = analysis.source.text
    start = offset - len(_before(text, offset))
    place = Place(start, offset)
    if _closed(analysis, offset):
        return ()
    line = text[text.rfind("\n", 0, start) + 1 : start]
    simple = _after_keyword(line, place, analysis)
    if simple is not None:
        return tuple(simple)
    probed = Source(analysis.source.name, f"{text[:start]}{_PROBE}{text[offset:]}")
    path = path_at(parse_tolerant(probed).program, start + 1)
    return tuple(_at(analysis, path, place, offset))


def _before(text: str, offset: int) -> str:
    """The part of a word before an offset."""
    found = re.search(r"[A-Za-z_][A-Za-z0-9_]*\Z", text[:offset][-200:])
    return found[0] if found else ""


def _closed(analysis: Analysis, offset: int) -> bool:
    for token in tokens(analysis.source):
        start, end = token.start_pos or 0, token.end_pos or 0
        if token.type == "COMMENT" and start < offset <= start + len(token) + 1:
            return "\n" not in analysis.source.text[start:offset]
        if token.type in ("NUMBER", "DIMENSIONS") and start < offset <= end:
            return True
        if token.type == "STRING" and start < offset < end:
            return not analysis.source.text[:start].rstrip().endswith("from")
    return False


def _after_keyword(line: str, place: Place, analysis: Analysis) -> Iterator[Completion] | None:
    """What follows words that say what is to come."""
    if re.search(r"\bparam[ \t]+\w+[ \t]*:[ \t]*\Z", line):
        return (Completion(word, "word", place, word, "type of a parameter") for word in TYPES)
    if re.search(r"\binput\b[^\n]*[0-9)][ \t]+of[ \t]+\Z", line):
        return (Completion(word, "word", place, word, "numbers") for word in BYTES)
    origin = re.search(r"\buse\b[^\n]*\bfrom[ \t]+(\"?)[^\"\n]*\Z", line)
    if origin is not None:
        return _files(place, analysis) if origin[1] else _origins(place, analysis)
    if re.search(r"\buse[ \t]+[^\n]*\Z", line) and " from " not in line:
        return _exported(place, analysis)
    return iter(()) if re.search(r"\b(?:as|let|fn|share|model|block)[ \t]+\Z", line) else None


def _origins(place: Place, analysis: Analysis) -> Iterator[Completion]:
    for source in shelf.sources():
        stem = Path(source.name).stem
        yield Completion(stem, "network", place, stem, source.text.partition("\n")[0].lstrip("# "))
    for name in _beside(analysis):
        yield Completion(f'"{name}"', "file", place, f'"{name}"', "a file beside this one")


def _files(place: Place, analysis: Analysis) -> Iterator[Completion]:
    for name in _beside(analysis):
        yield Completion(name, "file", place, name, "a file beside this one")


def _beside(analysis: Analysis) -> list[str]:
    if analysis.path is None or not analysis.path.parent.is_dir():
        return []
    return sorted(path.name for path in analysis.path.parent.glob("*.cnn") if path != analysis.path)[:200]


def _exported(place: Place, analysis: Analysis) -> Iterator[Completion]:
    """The blocks and models of the file that a `use` names behind the place."""
    rest = analysis.source.text[place.end :].partition("\n")[0]
    origin = re.search(r"\bfrom[ \t]+([A-Za-z_]\w*)", rest)
    source = shelf.architecture(origin[1]) if origin else None
    if source is None:
        return
    for name, symbol in bind(parse_tolerant(source).program).top.items():
        if symbol.kind in ("block", "model", "function"):
            yield Completion(name, _KINDS[symbol.kind], place, name, f"of {source.name}")


def _at(analysis: Analysis, path: list[tree.Node], place: Place, offset: int) -> Iterator[Completion]:
    innermost = path[-1] if path else None
    if isinstance(innermost, tree.Attribute) and innermost.name == _PROBE:
        yield from (Completion(word, "word", place, word, "of a tensor") for word in ATTRIBUTES)
        return
    if isinstance(innermost, tree.Name | tree.Call) and innermost.name == _PROBE:
        call = calling(analysis, offset)
        if call is not None and not any(isinstance(n, tree.Assert | tree.Let | tree.Param) for n in path):
            yield from _arguments(analysis, call, place)
        if any(isinstance(node, tree.Assert) for node in path):
            yield from (Completion(word, "word", place, word, "a figure of the network") for word in _FIGURES)
        yield from _names(analysis, place, offset, values=True)
        yield from _functions(place)
        return
    if isinstance(innermost, tree.Invocation | tree.Merge | tree.This) or innermost is None or _starts(analysis, place):
        yield from _elements(analysis, place, offset)
        if _starts(analysis, place):
            yield from (
                Completion(word, "keyword", place, text, "statement", snippet=True)
                for word, text in _STATEMENTS.items()
            )
        return
    yield from _names(analysis, place, offset, values=True)


def _starts(analysis: Analysis, place: Place) -> bool:
    """Whether nothing stands before a place on its line, but what a body opens with."""
    text = analysis.source.text
    before = text[text.rfind("\n", 0, place.start) + 1 : place.start].strip()
    return not before or (before.endswith("{") and bool(re.match(r"(?:block|model)\b", before)))


def _elements(analysis: Analysis, place: Place, offset: int) -> Iterator[Completion]:
    yield from _names(analysis, place, offset, values=False)
    for word, op in registry().items():
        about = " ".join((op.__doc__ or "").split()).partition(". ")[0].rstrip(".")
        if op.merges:
            yield Completion(word, "merge", place, f"{word}{{ $1 | ${{2:id}} }}", "merge", about, snippet=True)
        else:
            yield Completion(word, "layer", place, _call(word, op), op.category, about, snippet=True)
    for word, about in (("id", "what arrives, unchanged"), ("in", "what entered the block or network")):
        yield Completion(word, "tensor", place, word, about)


def _call(word: str, op: type[Op]) -> str:
    """A layer as it is mostly written: with its window and what has to be given, or what most give."""
    fields = op.model_fields
    window = "${1:3x3}" if op.takes_window and fields["window"].default is None else ""
    needed = [n for n, f in fields.items() if n != "window" and n not in op.implied and f.is_required()]
    if not needed and "channels" in fields and word != "DWConv":
        needed = ["channels"]
    inside = ", ".join(f"${{{i}:{name}}}" for i, name in enumerate(needed[:2], 2))
    return f"{word}{window}({inside})" if inside else f"{word}{window}"


def _names(analysis: Analysis, place: Place, offset: int, *, values: bool) -> Iterator[Completion]:
    for name, symbol in analysis.bindings.visible(offset).items():
        kind = _KINDS[symbol.kind]
        if kind == "function" and not values:
            continue
        callable_ = kind in ("block", "model", "function") and next(parameters(analysis, name), None) is not None
        text = f"{name}($1)" if callable_ and not (values and kind != "function") else name
        line, _ = analysis.source.line_and_column(symbol.definitions[0].start)
        yield Completion(name, kind, place, text, f"{symbol.kind}, line {line}", snippet=text != name)


def _functions(place: Place) -> Iterator[Completion]:
    for name, function in FUNCTIONS.items():
        yield Completion(name, "function", place, f"{name}($1)", function.usage, function.doc, snippet=True)
    for name in (*CONSTANTS, "true", "false", "none"):
        yield Completion(name, "value", place, name)


def _arguments(analysis: Analysis, call: Calling, place: Place) -> Iterator[Completion]:
    """Names of arguments that are not given yet, and the bare words of the one that is being written."""
    op = op_of(call.word)
    if call.name is None:
        for name, text, doc in parameters(analysis, call.word):
            if name not in call.given:
                yield Completion(f"{name}=", "argument", place, f"{name}=", text, doc)
    if op is not None:
        words = words_of(op)
        order = [name for name in words if name != "window"]
        current = call.name or (order[call.position] if call.position < len(order) else "")
        for word in sorted(words.get(current, ())):
            yield Completion(word, "word", place, word, f"for {current}")
