"""The table of published weights: `architectures/published/*.toml`, data beside the networks they are for."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnndsl.arrays.use import Answer, Pictures, Use, plain
from cnndsl.diagnostics.errors import CnnError, Diagnostic
from cnndsl.disk.shelf import folder, read_data

Format = Literal["state-dict", "safetensors", "darknet", "hdf5", "pickle", "tf-checkpoint", "tf-graph", "tfjs"]
"""How a file is written; all but PyTorch's and safetensors are turned into a state dict (`published/layout.py`)."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Published(_Strict):
    """One set of trained weights of a built-in network: where it is, what it is, and how well it does.

    `sha256` is the whole sum, or the first digits of it that the publisher's own file name carries, or nothing where the
    publisher says none. `bytes` is exact where the file was measured; `megabytes` is what the publisher says.
    """

    network: str
    which: str
    source: str
    url: str = Field(default="", pattern=r"^(https://|$)")
    package: str = Field(default="", pattern=r"^([A-Za-z0-9._-]+==[A-Za-z0-9.]+|npm:@?[a-z0-9./-]+@[0-9.]+|)$")
    file: str = ""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{8,64}|)$")
    bytes: int | None = None
    megabytes: float | None = None
    beside: dict[str, str] = {}
    """Files beside it that belong to it, with their sums."""
    format: Format = "state-dict"
    rename: list[list[str]] = []
    """Regular expressions for keys that are not ours, each with what takes its place; the first that fits counts."""
    licence: str
    classes: str = ""
    """A file of `architectures/classes`, one name a line."""
    pictures: Pictures | None = None
    answer: Answer | None = None
    """What the outputs mean, where it is not plain classes."""
    accuracy: dict[str, dict[str, float]] = {}
    """What the publisher measured, in percent (or as the name says), by data set."""

    @property
    def name(self) -> str:
        return f"{self.network}:{self.which}"

    @property
    def file_name(self) -> str:
        """What the file is called in a folder of weights."""
        return (self.file or self.url).rpartition("/")[2] if not self._hidden else f"{self.which}{self._hidden}"

    @property
    def _hidden(self) -> str:
        """A name that begins with a dot tells nothing in a folder of many."""
        last = self.file.rpartition("/")[2]
        return last if last.startswith(".") else ""

    @property
    def use(self) -> Use:
        """How a photograph is read, and what the outputs mean."""
        answer = self.answer or Answer(kind="classes" if self.classes else "numbers")
        named = answer.model_copy(update={"classes": list(self.class_names())})
        return Use(plain(self.pictures or Pictures()), plain(named))

    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in their order; nothing where the network tells none."""
        return class_names(self.classes) if self.classes else ()


class Cascade(_Strict):
    """Networks that look one after the other, each at what the one before it let through; their weights are published ones."""

    name: str
    networks: list[str]
    label: str
    """What they find."""
    thresholds: list[float]
    """How sure each of them must be."""
    smallest: int
    """Pixels of the smallest thing that is looked for."""
    factor: float
    """From one size of the picture to the next smaller one."""


class _Table(_Strict):
    weights: list[Published] = []
    cascades: list[Cascade] = []


@cache
def _tables() -> tuple[_Table, ...]:
    import tomllib

    found = []
    for name in sorted(entry.name for entry in folder("architectures").joinpath("published").iterdir()):
        if name.endswith(".toml"):
            try:
                found.append(_Table.model_validate(tomllib.loads(read_data("architectures", f"published/{name}"))))
            except (ValidationError, tomllib.TOMLDecodeError) as error:
                raise ValueError(f"architectures/published/{name}: {error}") from None
    return tuple(found)


@cache
def table() -> tuple[Published, ...]:
    """All published weights; the first set of a network is the one meant by `published` alone."""
    found = [entry for part in _tables() for entry in part.weights]
    # First those whose publisher says how well they do, then what lies in a package, then addresses alone.
    return tuple(sorted(found, key=lambda entry: (not entry.accuracy, not entry.package, not entry.sha256)))


def cascade(name: str) -> Cascade | None:
    """The cascade of that name; None where there is none."""
    return next((one for part in _tables() for one in part.cascades if one.name == name), None)


@cache
def class_names(name: str) -> tuple[str, ...]:
    """The lines of a file of class names."""
    return tuple(read_data("architectures", f"classes/{name}.txt").splitlines())


def published(network: str) -> tuple[Published, ...]:
    """Every set of weights of a network, the usual one first."""
    return tuple(entry for entry in table() if entry.network == network)


def find(network: str, which: str = "") -> Published:
    """One set of weights by its name. Raises `CnnError` (no-published-weights)."""
    found = published(network)
    if not found:
        known = sorted({entry.network for entry in table()})
        from difflib import get_close_matches

        near = get_close_matches(network, known, 1, cutoff=0.7)
        raise _none(
            f"no published weights of `{network}` are known",
            f"did you mean `{near[0]}`?" if near else "`cnndsl weights list` shows the networks that have some",
        )
    chosen = next((entry for entry in found if entry.which == which), None) if which else found[0]
    if chosen is None:
        raise _none(
            f"`{network}` has no weights called `{which}`",
            f"say `published:{found[0].which}`" + (" or another of those" if len(found) > 1 else ""),
            f"expected one of {', '.join(entry.which for entry in found)}",
        )
    return chosen


def _none(message: str, help: str, *notes: str) -> CnnError:
    return CnnError([Diagnostic("no-published-weights", message, notes=notes, help=help)])
