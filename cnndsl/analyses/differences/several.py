"""The models of two files, compared by their names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cnndsl.analyses.differences import text as texts
from cnndsl.analyses.differences.difference import Timer, difference
from cnndsl.analyses.differences.document import Difference
from cnndsl.ir.graph import Graph


@dataclass(frozen=True)
class Compared:
    """What changed in each model that both files have, and which models only one of them has."""

    pairs: tuple[tuple[Graph, Graph], ...]
    differences: tuple[Difference, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]

    @classmethod
    def of(cls, old: Mapping[str, Graph], new: Mapping[str, Graph], timer: Timer | None = None) -> Compared:
        """The comparison of models by name; of a single model with a single one, whatever they are called."""
        if len(old) == len(new) == 1:
            old = dict(zip(new, old.values(), strict=True))
        pairs = tuple((old[name], graph) for name, graph in new.items() if name in old)
        return cls(
            pairs=pairs,
            differences=tuple(difference(*pair, timer) for pair in pairs),
            added=tuple(name for name in new if name not in old),
            removed=tuple(name for name in old if name not in new),
        )

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return all(found.equal for found in self.differences) and not (self.added or self.removed)

    def __str__(self) -> str:
        """The accounts one below the other; models that stayed share a line."""
        told = [str(found) for found in self._told()]
        return "\n\n\n".join([*told, *("\n".join(lines) for lines in [self.others()] if lines)])

    def to_markdown(self) -> str:
        """The same as Markdown."""
        told = [texts.to_markdown(found) for found in self._told()]
        return "\n\n".join([*told, *(f"- {line}" for line in self.others())])

    def to_json(self, indent: int | None = None) -> str:
        """An object with the documents of the models in both files, and the names of the others."""
        found = {
            "schema": 1,
            "models": [json.loads(found.to_json()) for found in self.differences],
            "added": self.added,
            "removed": self.removed,
        }
        return json.dumps(found, indent=indent, ensure_ascii=False)

    def _told(self) -> list[Difference]:
        """The models that differ; where nothing is said otherwise, the only one."""
        different = [found for found in self.differences if not found.equal]
        return different or list(self.differences[:1] if len(self.differences) == 1 else ())

    def others(self) -> list[str]:
        """Lines about the models that are not told one by one: those that stayed, came or went."""
        same = [found.new.model for found in self.differences if found.equal]
        found = []
        if same and len(self.differences) > 1:
            found.append(f"the same network as before: {', '.join(same)}")
        found += [
            f"{what}: {', '.join(names)}" for what, names in (("new", self.added), ("gone", self.removed)) if names
        ]
        return found
