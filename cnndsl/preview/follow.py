"""A program with the settings of the moment, and what a page shows of it: the network, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from cnndsl import pipeline
from cnndsl.analyses.summary import summarize
from cnndsl.backends.drawing.formats.graphviz import to_dot
from cnndsl.backends.drawing.formats.painter import Painter
from cnndsl.backends.drawing.words.description import description
from cnndsl.diagnostics.errors import CnnError, Diagnostic, MissingPart
from cnndsl.diagnostics.render import render_all
from cnndsl.diagnostics.source import Span
from cnndsl.ir.graph import Graph
from cnndsl.passes.choose_model import complete_models
from cnndsl.passes.library.library import Library
from cnndsl.passes.library.sources import UsedFile, on_disk
from cnndsl.passes.read_program import Origin, read_program
from cnndsl.passes.walk.findings import Findings
from cnndsl.preview.knobs import knobs
from cnndsl.webpage.facts import facts
from cnndsl.webpage.inline import inline_svg

Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class Settings:
    """What a reader has chosen: a model of the file, values of parameters and sizes of inputs, as the command line takes them."""

    model: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)


class Followed:
    """A program that is read again and again. `settings` may be replaced between two readings."""

    def __init__(self, file: str, settings: Settings) -> None:
        self.file = file
        self.settings = settings
        self.paths: dict[str, Path] = {}
        """Where the texts lie that the program is made of, by their names in messages."""
        self._painter = Painter()
        self._controls: dict[str, Any] = {"models": [], "knobs": [], "inputs": []}
        main = Path(file if Path(file).exists() else file.rpartition(":")[0] or file)
        if main.is_file():
            self.paths[str(main)] = main

    def close(self) -> None:
        """Ends the process that paints."""
        self._painter.close()

    def stamps(self) -> dict[Path, Stamp]:
        """When each text was written last, to be compared with later; None for one that is gone or empty."""
        return {path: _stamp(path) for path in self.paths.values()}

    def read(self) -> dict[str, Any]:
        """What the page shows now. What is wrong with the program is part of it; raises nothing but bugs."""
        began = perf_counter()
        settings = self.settings
        try:
            origin = self._origin(settings)
            self._note_controls(origin)
            loaded = pipeline.load_origin(origin, settings.parameters, settings.inputs, over_budget=True, advise=False)
        except CnnError as error:
            return self._state(None, error.diagnostics, began)
        return self._state(loaded.graph, (*loaded.warnings, *loaded.broken), began)

    def _origin(self, settings: Settings) -> Origin:
        origin = read_program(self.file)
        if settings.model is not None:
            origin = replace(origin, model=settings.model)
        return replace(origin, find=self._found)

    def _found(self, written: str, user: str, path: Path | None, span: Span) -> UsedFile:
        used = on_disk(written, user, path, span)
        if used.path is not None:
            self.paths[used.name] = used.path
        return used

    def _note_controls(self, origin: Origin) -> None:
        """Keeps what can be set; while the text is wrong, what could be set before."""
        unit = Library(Findings(), origin.find).load(origin.source, origin.path, {})
        self._controls["models"] = [] if unit.one_model else complete_models(unit)
        self._controls["knobs"] = [vars(knob) for knob in knobs(unit, origin.model, origin.stem)]

    def _state(self, graph: Graph | None, found: tuple[Diagnostic, ...], began: float) -> dict[str, Any]:
        shown, wrong = None, None
        if graph is None:
            wrong = {"text": render_all(found), "place": _place(found)}
        else:
            self._controls["inputs"] = [{"name": i.name, "shape": list(i.type.shape)} for i in graph.inputs]
            try:
                picture = self._painter.svg(to_dot(graph, theme="auto"), description(graph))
                shown = {"svg": inline_svg(picture), "data": facts(graph, summarize(graph, found)), "unpainted": ""}
            except (CnnError, MissingPart) as error:
                said = error.message if isinstance(error, MissingPart) else render_all(error.diagnostics)
                shown = {"svg": "", "data": facts(graph, summarize(graph, found)), "unpainted": said}
        return {
            "title": graph.name if graph is not None else Path(self.file).name,
            "network": shown,
            "wrong": wrong,
            "controls": dict(self._controls),
            "settings": vars(self.settings),
            "milliseconds": round((perf_counter() - began) * 1000, 1),
        }


def _place(found: tuple[Diagnostic, ...]) -> dict[str, Any] | None:
    """Where the first mistake is."""
    span = next((d.span for d in found if d.span is not None), None)
    if span is None:
        return None
    line, column = span.source.line_and_column(span.start)
    return {"file": span.source.name, "line": line, "column": column}


def _stamp(path: Path) -> Stamp:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat.st_size else None
