"""Diagnostics as data: what is wrong, where, and what to do. `render` draws them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cnndsl.diagnostics.source import Span


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Label:
    """A place and, beside it, what was found there."""

    span: Span
    text: str = ""


@dataclass(frozen=True)
class Fix:
    """A text that takes the place of a span of the program."""

    span: Span
    text: str


@dataclass(frozen=True)
class Diagnostic:
    """One fault. The first label is the guilty place, the others explain it.

    `id` is stable (`cnndsl explain ID`); `message` stands alone, in lower case, without a full stop;
    `help` is one thing to do. `fixes`, all of them together, do it: where there are any, the text they make is the
    one that was meant.
    """

    id: str
    message: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: Severity = Severity.ERROR
    fixes: tuple[Fix, ...] = ()

    @property
    def span(self) -> Span | None:
        return self.labels[0].span if self.labels else None


class CnnError(Exception):
    """A program, a file or an argument is wrong; `diagnostics` says how, in order of place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(f"{d.severity}[{d.id}]: {d.message}" for d in self.diagnostics))


class Refused(CnnError):
    """What was asked for must not be done on this machine, such as running a package that was changed. Exit code 3."""


class MissingPart(Exception):
    """Something is missing on this machine: an extra, a program, a device. `message` says what, `help` what to do about it.
    The command line ends with exit code 3."""

    def __init__(self, message: str, help: str) -> None:
        self.message = message
        self.help = help
        super().__init__(f"{message}; {help}")


class Refusal(Exception):
    """A reason without a place: raised by an op or a function, placed by the pass that called it.

    `argument` names the guilty argument; `culprits` are positions among the inputs, the guilty one
    first, and `found` says beside each of them what arrived there.
    """

    def __init__(
        self,
        id: str,
        message: str,
        *,
        argument: str | None = None,
        culprits: tuple[int, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,
    ) -> None:
        self.id = id
        self.message = message
        self.argument = argument
        self.culprits = culprits
        self.notes = notes
        self.help = help
        super().__init__(message)


def fault(
    id: str,
    message: str,
    span: Span | None = None,
    text: str = "",
    *,
    notes: tuple[str, ...] = (),
    help: str | None = None,
    fixes: tuple[Fix, ...] = (),
) -> CnnError:
    """One error ready to be raised, at one place if it has one; `text` says beside the place what was found there."""
    labels = () if span is None else (Label(span, text),)
    return CnnError([Diagnostic(id, message, labels, notes, help, fixes=fixes)])


def unplaced(refusal: Refusal, span: Span) -> CnnError:
    """A refusal that nothing nearer has placed."""
    return fault(refusal.id, refusal.message, span, notes=refusal.notes, help=refusal.help)
