"""What can be imported, by how it is written: `model.onnx`, `program.pt2`, `timm:NAME`, `torchvision:NAME`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cnndsl.diagnostics.errors import CnnError, Diagnostic, Label
from cnndsl.diagnostics.source import Source, Span
from cnndsl.importing.imported import Imported
from cnndsl.importing.libraries.named import LIBRARIES, is_named, named
from cnndsl.importing.refuse import Unread, unreadable

ENDINGS = (".onnx", ".pt2")


def is_source(text: str) -> bool:
    """Whether a network is named that is to be imported, not read."""
    return is_named(text) or text.lower().endswith(ENDINGS)


def name_of(source: str) -> str:
    """What the program's file is called without its ending."""
    return source.partition(":")[2].replace(".", "_") if is_named(source) else Path(source).stem


def import_source(
    source: str,
    options: Mapping[str, str],
    inputs: Mapping[str, str],
    *,
    pretrained: bool = False,
    flat: bool = False,
    numbers: bool = True,
    starts: Sequence[str] = (),
    ends: Sequence[str] = (),
) -> Imported:
    """The program of a network from elsewhere, proved. `options` go to a library's constructor, `inputs` are sizes by name
    ("" for the first input). Without `numbers` a library's network comes without weights, and outputs are not compared.
    Of an ONNX file, the part from the tensors `starts` to the tensors `ends`.

    Raises `CnnError` (cannot-import, file-not-found, unknown-architecture) and `MissingPart`.
    """
    forms = ("flat",) if flat else ()
    if source.lower().endswith(".onnx"):
        from cnndsl.importing.from_onnx import import_onnx

        return import_onnx(Path(source), _shapes(inputs), forms=forms, starts=starts, ends=ends)
    if starts or ends:
        raise unreadable(
            source,
            Unread(
                "only an ONNX file has tensors to begin and end at",
                "leave `--from` and `--to` away; of a module of your own give the submodule to `cnndsl.from_torch`",
                "expected: a file in .onnx",
            ),
        )
    if source.lower().endswith(".pt2"):
        from cnndsl.importing.from_pt2 import import_pt2

        return import_pt2(Path(source), forms=forms)
    if not is_named(source):
        raise CnnError(
            [
                Diagnostic(
                    "cannot-import",
                    f"`{source}` is nothing that can be imported",
                    (Label(Span(Source("the command line", source), 0, len(source))),),
                    notes=(
                        f"expected a file in {' or '.join(ENDINGS)}, or {' or '.join(f'`{n}:NAME`' for n in LIBRARIES)}",
                    ),
                    help="a module of your own is imported in Python: `cnndsl.from_torch(module, (3, 224, 224))`",
                )
            ]
        )
    from cnndsl.importing.from_torch import import_module

    found = named(source, options, pretrained)
    size = _shapes(inputs).get("", found.size)
    return import_module(found.module, [(size, "float32")], found.name, f"{found.origin}", forms=forms, compare=numbers)


def _shapes(inputs: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    from cnndsl.passes.build import sizes_of

    return {name: sizes_of(name, text) for name, text in inputs.items()}
