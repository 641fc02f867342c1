"""How a network is trained: each option with its bounds and meaning, for the command line, TOML files and Python alike."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Augmentation = Literal["flip", "crop", "jitter", "mixup"]


def _several(value: Any) -> Any:
    """`"flip,crop"` and `["flip", "crop"]` as a tuple; `"none"` is an empty one."""
    if isinstance(value, str):
        value = [word.strip() for word in value.split(",") if word.strip()] if value != "none" else []
    return tuple(value) if isinstance(value, list) else value


class Options(BaseModel):
    """The options of `cnndsl train`; a TOML file has the same names. Immutable."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        alias_generator=lambda name: name.replace("_", "-"),
        validate_by_name=True,
        validate_by_alias=True,
    )

    data: str = Field(default="digits", description="`digits`, a folder of class folders, or an .npz file.")
    validation: float = Field(default=0.2, gt=0, lt=1, description="Share of the data that is held out.")
    normalize: Literal["none", "imagenet", "published"] = Field(
        default="none",
        description="Pictures: take ImageNet's mean off and divide by its deviation, or as published weights of --init were trained.",
    )
    augment: Annotated[tuple[Augmentation, ...] | None, BeforeValidator(_several)] = Field(
        default=None,
        description="Vary the training pictures: flip, crop, jitter, mixup, with commas between; or none.  [default: crop]",
    )
    epochs: int = Field(default=30, ge=1, description="Rounds through the training data.")
    batch: int = Field(default=32, ge=1, description="Examples in one step, of all devices together.")
    optimizer: Literal["sgd", "adam", "adamw"] = Field(default="adamw", description="sgd has Nesterov momentum 0.9.")
    lr: float | None = Field(
        default=None, gt=0, description="Highest learning rate.  [default: sgd 0.05, others 0.002]"
    )
    schedule: Literal["cosine", "step", "constant"] = Field(
        default="cosine", description="Of the rate: to zero, a tenth at each third, or as it is."
    )
    warmup: float = Field(default=1, ge=0, description="Epochs in which the rate rises from zero.")
    weight_decay: float = Field(default=0.01, ge=0, description="Of all weights but biases and norms.")
    label_smoothing: float = Field(default=0, ge=0, lt=1, description="Share of a target spread over all classes.")
    ema: float | None = Field(
        default=None, gt=0, lt=1, description="Average the weights with this decay, such as 0.99."
    )
    early_stop: int | None = Field(default=None, ge=1, description="Stop after so many epochs without a better one.")
    quantize: int | None = Field(
        default=None,
        ge=1,
        description="Let so many epochs, the last ones, learn with numbers rounded as int8 packages round them; the run then "
        "has a quantized.safetensors.",
    )
    init: str | None = Field(
        default=None, description="Begin with the weights of a .safetensors or .pth file, or `published`."
    )
    freeze: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(
        default=(), description="Layers that stay as they are: `layer1.*`; with commas between."
    )
    head_only: bool = Field(default=False, description="Train the last layer alone.")
    backbone_lr: float | None = Field(default=None, gt=0, description="Rate of what --init loaded.  [default: --lr]")
    seed: int = Field(default=0, ge=0, lt=2**31, description="What weights, order and variations are drawn from.")
    precision: Literal["32", "bf16", "16"] = Field(default="32", description="Of activations; weights stay float32.")
    compile: bool = Field(default=False, description="Compile the step with torch.compile.")
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = Field(default="auto", description="What to train on.")
    devices: int = Field(default=1, ge=1, description="Processors of that kind on each machine.")
    nodes: int = Field(default=1, ge=1, description="Machines; each runs this command (see docs/training.md).")
    strategy: Literal["ddp", "fsdp"] = Field(default="ddp", description="How several devices share the work.")

    @property
    def epochs_in_float32(self) -> int:
        """The epochs before those in which numbers are rounded."""
        return self.epochs - (self.quantize or 0)

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return self.lr or (0.05 if self.optimizer == "sgd" else 0.002)
