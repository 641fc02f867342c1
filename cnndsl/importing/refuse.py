"""What cannot be imported, and how it is said: every operation, how often, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cnndsl.diagnostics.errors import CnnError, Diagnostic

MOST_PLACES = 3
MOST_KINDS = 40


class Unread(Exception):
    """A network that cannot be followed at all: why, the one thing to do about it, and what was expected and found."""

    def __init__(self, why: str, help: str, *notes: str) -> None:
        super().__init__(why)
        self.help = help
        self.notes = notes


EXPORT_AGAIN = "fetch the file again, or export it again"
"""What to do about a damaged file."""


MISFITS = (KeyError, IndexError, TypeError, ValueError, AttributeError, ZeroDivisionError, OverflowError)
"""What operations raise that do not fit each other, as only those of a damaged file do."""


class Unproved(Exception):
    """Where an imported program differs from its source."""


@dataclass(frozen=True)
class Lack:
    """One operation that the language cannot say: what it is, and the module it stands in."""

    what: str
    where: str


REPLACE = "replace these operations in the network, or import the part before them"
"""What to do about operations that have no counterpart."""


def refusal(source: str, lacks: Iterable[Lack], help: str = REPLACE) -> CnnError:
    """The error `cannot-import`: a note for each kind of operation, the most frequent first."""
    places: dict[str, list[str]] = {}
    for lack in lacks:
        places.setdefault(lack.what, []).append(lack.where)
    ordered = sorted(places.items(), key=lambda item: -len(item[1]))
    total = sum(map(len, places.values()))
    notes = [f"{what} ({len(where)}×{_where(where)})" for what, where in ordered[:MOST_KINDS]]
    if len(ordered) > MOST_KINDS:
        notes.append(f"… {len(ordered) - MOST_KINDS} kinds more")
    verb = "has" if total == 1 else "have"
    return CnnError(
        [
            Diagnostic(
                "cannot-import",
                f"`{source}` cannot be said in the language: {total} of its operations {verb} no counterpart",
                notes=tuple(notes),
                help=help,
            )
        ]
    )


def unreadable(source: str, why: Unread) -> CnnError:
    """The error `cannot-import` for a network that could not be followed."""
    return CnnError(
        [Diagnostic("cannot-import", f"`{source}` cannot be imported: {why}", notes=why.notes, help=why.help)]
    )


def _where(places: list[str]) -> str:
    named = list(dict.fromkeys(place for place in places if place))
    if not named:
        return ""
    more = f", … {len(named) - MOST_PLACES} more" if len(named) > MOST_PLACES else ""
    return f", in {', '.join(f'`{place}`' for place in named[:MOST_PLACES])}{more}"
