"""A program with all its texts, so that it can be built where its files are not: in other processes, on other machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from cnndsl.analyses.budget import Figures
from cnndsl.diagnostics.errors import CnnError
from cnndsl.diagnostics.source import Source, Span
from cnndsl.ir.tensor import TensorType
from cnndsl.latency.figure import seconds_here
from cnndsl.passes.library.sources import UsedFile, not_beside
from cnndsl.passes.read_program import Origin
from cnndsl.pipeline import load_plainly, models
from cnndsl.sweeping.rows import Row
from cnndsl.sweeping.variants import Variant
from cnndsl.version import __version__

Use = tuple[str, str]
"""The name of the file that uses another, and what it calls that."""


@dataclass(frozen=True)
class Program:
    """A text and those that it uses, but the built-in ones, which every installation of one version has."""

    source: Source
    path: str | None
    stem: str
    model: str | None
    used: Mapping[Use, UsedFile]

    @classmethod
    def of(cls, origin: Origin) -> Program:
        """The program with what it uses now; what cannot be found is told when a variant is built."""
        used: dict[Use, UsedFile] = {}

        def find(written: str, user: str, path: Path | None, span: Span) -> UsedFile:
            found = origin.find(written, user, path, span)
            used[user, written] = replace(found, text=found.read())
            return used[user, written]

        # Perhaps it can be built with other values than its own: each variant says so itself.
        with suppress(CnnError):
            models(replace(origin, find=find))
        return cls(origin.source, str(origin.path) if origin.path else None, origin.stem, origin.model, used)

    @property
    def origin(self) -> Origin:
        """The program as the pipeline takes it; nothing is read from the disk."""
        path = Path(self.path) if self.path else None
        return Origin(self.source, path, self.stem, self.model, self._find)

    def _find(self, written: str, user: str, _: Path | None, span: Span) -> UsedFile:
        found = self.used.get((user, written))
        if found is None:
            raise not_beside(written, user, span)
        return found

    def row(self, variant: Variant, figures: tuple[str, ...]) -> Row:
        """The figures of a variant, or why it cannot be built."""
        origin = self.origin if variant.model is None else replace(self.origin, model=variant.model)
        try:
            graph = load_plainly(origin, variant.parameters, variant.inputs).graph
            known = Figures(graph, figures, seconds_here)
            return Row(variant, {name: _plain(known[name]) for name in figures})
        except CnnError as error:
            first = error.diagnostics[0]
            more = f"; {first.labels[0].text}" if first.labels and first.labels[0].text else ""
            return Row(variant, {}, f"{first.message}{more}", first.id)

    def to_json(self) -> str:
        """The program as a line of JSON, which `from_json` reads."""
        used = [
            [*use, file.name, str(file.path) if file.path else None, file.read().text]
            for use, file in self.used.items()
        ]
        told = {
            "version": __version__,
            "source": [self.source.name, self.source.text],
            "path": self.path,
            "stem": self.stem,
            "model": self.model,
            "used": used,
        }
        return json.dumps(told, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Program:
        """The program of a line of JSON. Raises ValueError where another version of cnndsl wrote it."""
        told = json.loads(text)
        if told["version"] != __version__:
            raise ValueError(f"this is cnndsl {__version__}, and the program comes from cnndsl {told['version']}")
        used = {
            (user, written): UsedFile(name, Path(path) if path else None, Source(name, text))
            for user, written, name, path, text in told["used"]
        }
        return cls(Source(*told["source"]), told["path"], told["stem"], told["model"], used)

    @property
    def digest(self) -> str:
        """Equal where the same variants have the same figures."""
        return sha256(self.to_json().encode()).hexdigest()


def _plain(figure: Any) -> int | float | str | None:
    """A figure as JSON has it: the output's type as it is written."""
    return str(figure) if isinstance(figure, TensorType) else figure
