"""Networks of installed libraries by name: `timm:repvit_m0_9`, `torchvision:resnet50`."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label, MissingPart
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Source, Span
from cnndsl.importing.libraries.detectors import is_detector, until_heads

LIBRARIES = ("timm", "torchvision")
_UNPICKLING = ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
"""What PyTorch asks whether a file may hold more than tensors: the first forbids it, the second allows it."""
_FRAMES = 16
"""Pictures in a row that networks for videos are given."""
_VIDEOS = ("r3d_18", "mc3_18", "r2plus1d_18", "s3d", "mvit_v1_b", "mvit_v2_s", "swin3d_t", "swin3d_s", "swin3d_b")


@dataclass(frozen=True)
class Named:
    """A module, the size of its input without batch, and where it is from."""

    module: Any
    size: tuple[int, ...]
    name: str
    origin: str


def is_named(source: str) -> bool:
    """Whether a source is a library and a name."""
    return source.partition(":")[0] in LIBRARIES and ":" in source


def named(source: str, options: Mapping[str, str], pretrained: bool = False) -> Named:
    """Builds a library's network; `options` go to its constructor. With `pretrained` the library fetches the published
    weights. Raises `CnnError` (unknown-architecture) and `MissingPart`."""
    library, _, name = source.partition(":")
    arguments = {key: _value(text) for key, text in options.items()}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        if library == "timm":
            return _timm(source, name, arguments, pretrained)
        return _torchvision(source, name, arguments, pretrained)


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _timm(source: str, name: str, options: dict[str, Any], pretrained: bool) -> Named:
    try:
        import timm
    except Exception as error:
        raise _missing("timm", error) from error
    # `is_model` knows former names, too.
    if not timm.is_model(name.partition(".")[0]):
        raise _unknown(source, name, timm.list_models(), "timm")
    module = _built(source, lambda: timm.create_model(name, pretrained=pretrained, **options), pretrained)
    config = getattr(module, "pretrained_cfg", None) or {}
    size = tuple(config.get("input_size") or (3, 224, 224))
    return Named(module.eval(), size, name.replace(".", "_"), f"timm {timm.__version__}")


def _torchvision(source: str, name: str, options: dict[str, Any], pretrained: bool) -> Named:
    try:
        import torchvision
        from torchvision import models
    except Exception as error:
        raise _missing("torchvision", error) from error
    if name not in models.list_models():
        raise _unknown(source, name, models.list_models(), "torchvision")
    weights = models.get_model_weights(name).DEFAULT
    detects = is_detector(name)
    if detects or name.startswith(("deeplab", "fcn_", "lraspp")):
        options = {"weights_backbone": None} | options
    if name in ("googlenet", "inception_v3") and not pretrained:
        options = {"init_weights": False} | options
    module = _built(
        source, lambda: models.get_model(name, weights=weights if pretrained else None, **options), pretrained
    )
    if detects:
        module, size = until_heads(module)
        return Named(
            module.eval(), size, name, f"torchvision {torchvision.__version__.partition('+')[0]}, up to its heads"
        )
    crop = getattr(weights.transforms(), "crop_size", [224])
    crop = [*crop, *crop][:2] if len(crop) < 2 else list(crop)[:2]
    if isinstance(square := getattr(module, "image_size", None), int):
        crop = [square, square]
    size = (3, *((_FRAMES,) if name in _VIDEOS else ()), *crop)
    return Named(module.eval(), size, name, f"torchvision {torchvision.__version__.partition('+')[0]}")


def _built(source: str, build: Callable[[], Any], pretrained: bool) -> Any:
    """The module that a library's constructor makes, with weights that it fetches where it is to be `pretrained`."""
    try:
        with _nothing_unpickled():
            return build()
    except MemoryError:
        raise
    except TypeError as error:
        raise _unbuilt(source, error, "name the arguments that its constructor takes: `-P NAME=VALUE`") from error
    except Exception as error:
        # What fetches weights ends in errors of many kinds: urllib's, those of the hub and of the library below it, PyTorch's.
        if pretrained:
            raise _unfetched(source, error) from error
        raise _unbuilt(source, error, "give its constructor other arguments, or none") from error


@contextlib.contextmanager
def _nothing_unpickled() -> Iterator[None]:
    """While this is open, `torch.load` takes tensors out of files and nothing else, also where a library asks for more."""
    before = {name: os.environ.pop(name, None) for name in _UNPICKLING}
    os.environ[_UNPICKLING[0]] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _reason(error: Exception) -> str:
    """An error in a line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _unbuilt(source: str, error: Exception, help: str) -> CnnError:
    return CnnError([Diagnostic("cannot-import", f"`{source}` cannot be built: {_reason(error)}", help=help)])


def _unfetched(source: str, error: Exception) -> CnnError:
    return CnnError(
        [
            Diagnostic(
                "cannot-import",
                f"the published weights of `{source}` cannot be had: {_reason(error)}",
                notes=(f"found: {type(error).__name__}",),
                help="leave `--pretrained` out: the program is the same, and only its weights are not written",
            )
        ]
    )


def _missing(library: str, error: Exception) -> MissingPart:
    reason = _reason(error)
    if find_spec(library) is not None:
        help = f"{library} is installed, and not for this PyTorch: install the one that belongs to torch {version('torch')}"
        return MissingPart(f"{library} cannot be imported ({reason})", help)
    return MissingPart(f"{library} cannot be imported ({reason})", f"run `pip install {library}`")


def _unknown(source: str, name: str, known: list[str], library: str) -> CnnError:
    near = nearest(name, known)
    place = Span(Source("the command line", source), source.index(":") + 1, len(source))
    help = f"did you mean `{library}:{near}`?" if near else f"see the list of {library}'s networks"
    message = f"{library} has no network called `{name}`"
    return CnnError([Diagnostic("unknown-architecture", message, (Label(place),), help=help)])
