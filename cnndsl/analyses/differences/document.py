"""The document of `cnndsl diff --format json`, schema 1: what changed between two networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from cnndsl.analyses.document import NetworkField, NetworkTime, Totals

Kind = Literal["added", "removed", "renamed", "moved", "changed", "resized", "rewired"]
"""`changed`: another word or other arguments. `resized`: the same layer, which takes or gives other shapes because of
something else. `rewired`: it reads other layers than before, though it stands where it stood. `renamed` is told of layers with
weights, whose keys depend on it."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True, populate_by_name=True)


class Side(_Frozen):
    """One of the two networks."""

    model: str
    file: str | None
    layers: int
    totals: Totals
    receptive_field: NetworkField | None
    latency: NetworkTime | None = Field(default=None, exclude_if=lambda value: value is None)
    """Given where it was asked for."""


class ArgumentDifference(_Frozen):
    """An argument of a layer that has another value, both as the language writes them."""

    name: str
    old: str
    new: str


class LayerDifference(_Frozen):
    """A layer that is not as it was; of one that was added or removed, one side is null."""

    kinds: tuple[Kind, ...]
    old: str | None
    new: str | None
    """Its names."""
    old_op: str | None
    new_op: str | None
    """The layer as the language writes it: `Conv3x3(64, stride=2)`."""
    arguments: tuple[ArgumentDifference, ...] = ()
    old_shape: tuple[int, ...] | None
    new_shape: tuple[int, ...] | None
    old_params: int
    new_params: int
    old_macs: int
    new_macs: int
    scope: str | None = None
    """Of a layer that was added or removed, the outermost scope all of whose layers were."""
    old_after: tuple[str, ...] = ()
    new_after: tuple[str, ...] = ()
    """The layers and inputs that it reads, by their names in that network."""


class PortDifference(_Frozen):
    """An input or output that is not as it was; `old` and `new` are its name and shape, as `image 3×224×224`."""

    port: Literal["input", "output"]
    old: str | None
    new: str | None


class KeyDifference(_Frozen):
    """A weight that has another key, another shape, or is only in one of the networks."""

    old: str | None
    new: str | None
    old_shape: tuple[int, ...] | None
    new_shape: tuple[int, ...] | None


class WeightsDifference(_Frozen):
    """What becomes of a checkpoint of the old network in the new one."""

    loads: Literal["as it is", "renamed", "in part", "not at all"]
    """`renamed`: all of it, once keys are renamed. `in part`: some tensors fit, by their own keys or by others."""
    carried: int
    """Tensors that fit, renamed ones included."""
    carried_elements: int
    total: int
    """Tensors of the new network."""
    total_elements: int
    renamed: tuple[KeyDifference, ...] = ()
    reshaped: tuple[KeyDifference, ...] = ()
    missing: tuple[KeyDifference, ...] = ()
    """Those that the new network has and the old has not."""
    left_over: tuple[KeyDifference, ...] = ()
    """Those that the old network has and the new has not."""


class Difference(_Frozen):
    """What changed from one network to another. It is empty where both are the same network: names of layers without weights
    do not count."""

    version: Literal[1] = Field(default=1, alias="schema")
    equal: bool
    old: Side
    new: Side
    ports: tuple[PortDifference, ...]
    layers: tuple[LayerDifference, ...]
    """In the order of the new network, each removed layer before the next one that stayed."""
    unchanged: int
    """Layers that are as they were."""
    weights: WeightsDifference
    key_map: dict[str, str]
    """For every tensor that can be carried over, the key in the new network by the key in the old one."""

    _text: Callable[[], str] | None = PrivateAttr(default=None)
    """Makes the account; None for a document that was read from JSON."""

    def __str__(self) -> str:
        """The change as text, as `cnndsl diff` prints it."""
        return self._text() if self._text else super().__str__()

    def to_json(self, indent: int | None = None) -> str:
        """The document, with its keys in order."""
        return self.model_dump_json(by_alias=True, indent=indent)
