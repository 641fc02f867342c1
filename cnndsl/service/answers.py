"""What the service answers with: plain data. Places are offsets in the text, the end exclusive."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Place:
    """A range of a file; `file` is None for the text that was asked about, a name like `architectures/resnet.cnn` for a
    built-in one."""

    start: int
    end: int
    file: Path | str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """A text that takes the place of a range."""

    start: int
    end: int
    text: str
    file: Path | str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """A place that explains a problem, and what is said of it."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `edits`, all together, mend it."""

    id: str
    severity: Severity
    message: str
    place: Place
    found: str = ""
    remarks: tuple[Remark, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    edits: tuple[Edit, ...] = ()

    @property
    def title(self) -> str:
        """What the edits do, in a few words."""
        if self.help and len(self.help) <= 80:
            return self.help.removeprefix("did you mean ").removesuffix("?") if not self.edits else self.help
        return "mend it"


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known at the end of a line: exact figures of one model, or with `stale` those from before the last edits."""

    offset: int
    """Of the line's end."""
    shapes: tuple[str, ...]
    """The shapes that reach the line's end, one for each call or round, equal neighbours once."""
    times: int
    field: str
    """The receptive field of the last of them, as `427 /32`; "" where there is none."""
    params: int
    macs: int
    stale: bool = False

    def text(self, columns: tuple[str, ...] = ("shape",)) -> str:
        """The figures in a few letters: `64×56×56 … 512×7×7 (16×)`."""
        first, last = self.shapes[0], self.shapes[-1]
        shape = first if first == last else f"{first} … {last}"
        said = {
            "shape": shape + (f" ({self.times}×)" if self.times > 1 else ""),
            "rf": f"rf {self.field}" if self.field else "",
            "params": f"{short(self.params)} params" if self.params else "",
            "macs": f"{short(self.macs)} MACs" if self.macs else "",
        }
        return "  ".join(said[column] for column in columns if said.get(column))


def short(number: int) -> str:
    """A count in at most four digits: `25.6M`."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "K")):
        if number >= size:
            return f"{number / size:.3g}{letter}" if number < 999.5 * size else f"{number // size:,}{letter}"
    return str(number)


@dataclass(frozen=True, slots=True)
class Hover:
    """A page about what stands at a place, in Markdown."""

    place: Place
    text: str


CompletionKind = Literal[
    "keyword", "layer", "merge", "block", "model", "function", "value", "tensor", "argument", "word", "network", "file"
]


@dataclass(frozen=True, slots=True)
class Completion:
    """A text that could stand at a place; `snippet` has stops `$1` where more is to be written."""

    label: str
    kind: CompletionKind
    place: Place
    """What it takes the place of."""
    text: str
    detail: str = ""
    doc: str = ""
    snippet: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """How something is called, and which argument the cursor is in; None where no argument is left."""

    label: str
    doc: str
    arguments: tuple[tuple[str, str], ...]
    """Each as it stands in the label, and what is said of it."""
    active: int | None


@dataclass(frozen=True, slots=True)
class Outline:
    """A definition and those inside of it."""

    name: str
    kind: Literal["block", "model", "function", "value", "parameter", "share", "tensor", "input"]
    detail: str
    place: Place
    name_place: Place
    children: tuple[Outline, ...] = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines that can be shown as one: offsets in the first and the last."""

    start: int
    end: int
    kind: Literal["region", "comment", "imports"]


TokenKind = Literal[
    "keyword", "number", "string", "comment", "operator", "class", "function", "parameter", "variable", "property", "method"
]  # fmt: skip
TOKEN_KINDS: tuple[TokenKind, ...] = (
    "keyword", "number", "string", "comment", "operator", "class", "function", "parameter", "variable", "property", "method",
)  # fmt: skip
MODIFIERS = ("declaration", "defaultLibrary")


@dataclass(frozen=True, slots=True)
class Coloured:
    """A word and what it is: layers are methods of the library, blocks and models classes, labels properties."""

    start: int
    end: int
    kind: TokenKind
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A place that leads to a file or an address."""

    place: Place
    target: Path | str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A block or model, and where it is called or calls."""

    name: str
    kind: Literal["block", "model"]
    place: Place
    name_place: Place
    calls: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Lens:
    """A line above a definition; `command` is what a click asks for."""

    place: Place
    text: str
    command: Literal["", "references"] = ""
    arguments: tuple[str, ...] = field(default=())
