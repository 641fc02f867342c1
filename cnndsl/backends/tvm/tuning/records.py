"""What the tuning store holds: measurements, and verdicts of whole networks on them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Place(BaseModel):
    """What a measurement holds for: another processor, number of threads or version of TVM is another place."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    target: str
    threads: int = Field(ge=1)
    tvm: str


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    place: Place
    key: str
    """The kernel's problem (`kernels/kernel.py`)."""
    setting: dict[str, JsonValue]


class Measured(_Record):
    """One candidate's time, or why it has none."""

    kind: Literal["measured"] = "measured"
    seconds: Seconds | None
    error: str | None = None


class Verdict(_Record):
    """Whether a network got faster by this setting: its time per run without and with it."""

    kind: Literal["verdict"] = "verdict"
    network: str
    accepted: bool
    before: Seconds
    after: Seconds


Record = Annotated[Measured | Verdict, Field(discriminator="kind")]

_RECORD: TypeAdapter[Measured | Verdict] = TypeAdapter(Record)


def record_of(value: Any) -> Measured | Verdict:
    """The record that parsed JSON says. Raises `ValidationError`."""
    return _RECORD.validate_python(value)
