"""`cnndsl run`: one inference of a package."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnndsl.cli.predict import PICTURES, draw
from cnndsl.cli.shared.voice import note, say
from cnndsl.diagnostics.excerpt import visible
from cnndsl.ir.written import sizes

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.backends.tvm.package.loaded import Package
    from cnndsl.backends.tvm.package.manifest import Manifest


@click.command("run")
@click.argument("package", metavar="PKG", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="[NAME=]FILE",
    help="A picture, .npy or .npz; by name where there are several inputs.",
)
@click.option(
    "--normalize",
    type=click.Choice(["none", "imagenet"]),
    help="Pictures: take ImageNet's mean off and divide by its deviation.  [default: as the package says, or none]",
)
@click.option(
    "--labels", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Names of the classes, one a line."
)
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="How many classes to show.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write the result: .npy, .npz by name, or a picture with what was found.",
)
@click.option(
    "--threads", type=click.IntRange(1), help="How many to use; by default as the package says, or all cores."
)
@click.option("--self-test", is_flag=True, help="Compare the package's own sample with what it gives here.")
@click.pass_context
def command(
    context: click.Context,
    package: Path,
    inputs: tuple[str, ...],
    normalize: str | None,
    labels: Path | None,
    top: int,
    output: Path | None,
    threads: int | None,
    self_test: bool,
) -> None:
    """Run one inference of a package that `compile --to tvm` wrote."""
    if not inputs and not self_test:
        raise click.UsageError("give --input, or --self-test", context)
    if output is not None and output.suffix not in (".npy", ".npz", *PICTURES):
        raise click.UsageError(f"expected a name in .npy, .npz or {', '.join(PICTURES)}, found {output.name}", context)
    from cnndsl.backends.tvm.package.loaded import load
    from cnndsl.disk.files import read_text

    network = load(package, threads)
    if not network.manifest.trained:
        note("the package was compiled without --weights: its weights are first ones, untrained")
    if self_test:
        error = network.self_test()
        say(f"self-test passed: relative error {error:.1e}, at most {network.manifest.tolerance:.0e}")
        if not inputs:
            return
    names = read_text(labels).splitlines() if labels else list(network.manifest.use.classes) or None
    picture = _picture(network.manifest, inputs, normalize)
    if picture is not None:
        _look(network, picture, names, top, output)
        return
    if output is not None and output.suffix in PICTURES:
        raise click.UsageError("a picture is drawn for a picture: give one as --input", context)
    result = network(**_arrays(network.manifest, inputs, normalize, context))
    outputs = result if isinstance(result, dict) else {network.manifest.outputs[0].name: result}
    if output is not None and output.suffix == ".npy" and len(outputs) > 1:
        raise click.UsageError(f"the package has {len(outputs)} outputs; give a name in .npz", context)
    for name, values in outputs.items():
        if values.ndim == 2:
            for number, row in enumerate(values):
                say(f"{name}, example {number + 1} of {len(values)}" if len(values) > 1 else name)
                _show_top(row, names, top, context)
        else:
            spread = f"from {values.min():.6g} to {values.max():.6g}, mean {values.mean():.6g}"
            say(f"{name}  {sizes(values.shape)}  {spread}")
    if output is not None:
        _write(output, outputs)
        note(f"wrote {output}")


def _reading(manifest: Manifest, normalize: str | None) -> Mapping[str, Any]:
    from cnndsl.arrays.use import normalized

    own = manifest.use.reading
    return own if normalize is None else normalized(own, normalize, manifest.inputs[0].shape[0])


def _picture(manifest: Manifest, inputs: tuple[str, ...], normalize: str | None) -> Path | None:
    """The picture that the network looks at, where it is known how and what its answer means."""
    path = Path(inputs[0].partition("=")[2] or inputs[0])
    known = manifest.answer is not None and len(inputs) == len(manifest.inputs) == 1
    return path if known and path.suffix not in (".npy", ".npz") and normalize is None else None


def _look(network: Package, image: Path, names: list[str] | None, top: int, output: Path | None) -> None:
    """Says what is in a picture, and draws or writes it. Raises `CnnError` and `MissingPart`."""
    from cnndsl.arrays.answers import lines
    from cnndsl.arrays.inputs import prepared_picture, read_picture
    from cnndsl.arrays.use import Use

    manifest = network.manifest
    picture, shape = read_picture(image), tuple(manifest.inputs[0].shape)
    values, frame = prepared_picture(picture, shape, manifest.use.reading)
    result = network(values)
    found = result if isinstance(result, dict) else {manifest.outputs[0].name: result}
    told = {**manifest.use.answer, **({"classes": names} if names else {})}
    use = Use(manifest.use.reading, told)
    said = use.says({name: value[0] for name, value in found.items()}, (shape[1], shape[2]), frame)
    for line in lines(said, top):
        say(line)
    if output is not None:
        if output.suffix in PICTURES:
            draw(picture, said, output)
        else:
            _write(output, found)
            note(f"wrote {output}")


def _arrays(
    manifest: Manifest, inputs: tuple[str, ...], normalize: str | None, context: click.Context
) -> dict[str, np.ndarray]:
    """The inputs by name. Raises `CnnError` and `MissingPart` as reading them does."""
    from cnndsl.arrays.inputs import read_inputs
    from cnndsl.disk.files import exists

    reading = _reading(manifest, normalize)
    shapes = {port.name: tuple(port.shape) for port in manifest.inputs}
    arrays: dict[str, np.ndarray] = {}
    for given in inputs:
        name, equals, file = given.partition("=")
        if equals and name in shapes:
            arrays |= read_inputs(file, [name], [shapes[name]], reading)
        elif equals and not exists(given):
            raise click.UsageError(f"there is no input {name!r}; expected {', '.join(shapes)}", context)
        else:
            arrays |= read_inputs(given, list(shapes), list(shapes.values()), reading)
    return arrays


def _show_top(values: np.ndarray, names: list[str] | None, top: int, context: click.Context) -> None:
    """The largest values with their classes, and their share in the softmax where they are not yet shares."""
    import numpy as np

    if names is not None and len(names) != len(values):
        raise click.UsageError(f"--labels has {len(names)} lines, and the output {len(values)} values", context)
    shares = values
    if values.min() < 0 or abs(float(values.sum()) - 1) > 1e-3:
        powers = np.exp(values.astype(np.float64) - values.max())
        shares = powers / powers.sum()
    for place in np.argsort(-values, kind="stable")[:top]:
        label = f"  {visible(names[place])}" if names else ""
        say(f"  {place:>6}  {values[place]:>12.6g}  {shares[place]:>7.2%}{label}")


def _write(path: Path, outputs: dict[str, np.ndarray]) -> None:
    import numpy as np

    from cnndsl.disk.files import write_atomically

    data = BytesIO()
    if path.suffix == ".npz":
        np.savez(data, **outputs)  # type: ignore[arg-type]
    else:
        np.save(data, next(iter(outputs.values())))
    write_atomically(path, data.getvalue())
