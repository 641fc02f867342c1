"""A sweep: every variant of a program is built, here, on all cores or on a cluster, and told in the order of the grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnndsl.sweeping.conditions import Expression
from cnndsl.sweeping.journal import Journal
from cnndsl.sweeping.processes import built, cores
from cnndsl.sweeping.program import Program
from cnndsl.sweeping.rows import Row
from cnndsl.sweeping.variants import Grid, Variant

Tell = Callable[[int, int], None]
"""Told how many variants are known, of how many."""


@dataclass
class Sweep(Iterator[dict[str, Any]]):
    """The variants of a program one after the other, each as a dict of its parameters and figures: what pandas makes a table of.

    Only those come for which `where` holds. `refused` holds those that cannot be built, with the reason of each, and `tried` how
    many have been looked at, as far as the sweep has come.
    """

    program: Program
    grid: Grid
    figures: tuple[str, ...]
    where: Expression | None = None
    jobs: int | None = None
    into: Path | None = None
    scheduler: str | None = None
    tell: Tell | None = None
    refused: list[Row] = field(default_factory=list)
    tried: int = 0
    _rows: Iterator[Row] | None = None

    def __iter__(self) -> Sweep:
        return self

    def __next__(self) -> dict[str, Any]:
        if self._rows is None:
            self._rows = self.rows()
        return next(self._rows).flat()

    def rows(self) -> Iterator[Row]:
        """The rows for which `where` holds, in the order of the grid. Raises `CnnError` and `MissingPart`."""
        for row in self._all():
            self.tried += 1
            if not row.built:
                self.refused.append(row)
            elif self.where is None or self.where.holds(row):
                yield row

    def _all(self) -> Iterator[Row]:
        """Every row, in order."""
        with ExitStack() as stack:
            journal = stack.enter_context(Journal(self.into, self.program)) if self.into else None
            known = dict(journal.known) if journal else {}
            lacking = _Picked(self.grid, [i for i, v in enumerate(self.grid) if not self._has(known.get(v.key))])
            done = len(self.grid) - len(lacking)
            coming = self._built(lacking)
            # Rows come as they are done: those that are early wait for the others.
            early: dict[str, Row] = {}
            wanted = iter(lacking)
            for variant in self.grid:
                row = known.get(variant.key)
                if not self._has(row):
                    awaited = next(wanted)
                    while awaited.key not in early:
                        found = next(coming)
                        early[found.variant.key] = found
                        done += 1
                        if journal:
                            journal.add([found])
                        if self.tell:
                            self.tell(done, len(self.grid))
                    row = early.pop(awaited.key)
                assert row is not None
                yield row

    def _has(self, row: Row | None) -> bool:
        """Whether a row that is known holds all figures that are wanted now."""
        return row is not None and (not row.built or all(name in row.figures for name in self.figures))

    def _built(self, variants: Sequence[Variant]) -> Iterator[Row]:
        if self.scheduler:
            from cnndsl.sweeping.cluster import built_on_cluster

            return built_on_cluster(self.scheduler, self.program, variants, self.figures)
        return built(self.program, variants, self.figures, self.jobs or cores())


class _Picked(Sequence[Variant]):
    """Some variants of a grid, made when they are asked for."""

    def __init__(self, grid: Grid, places: Sequence[int]) -> None:
        self._grid, self._places = grid, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._grid[place] for place in self._places[index]]
        return self._grid[self._places[index]]
