"""`cnndsl run`: one inference of a package."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnndsl.cli.shared.voice import note, say
from cnndsl.diagnostics.excerpt import visible

if TYPE_CHECKING:
    import numpy as np

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
    default="none",
    show_default=True,
    help="Pictures: take ImageNet's mean off and divide by its deviation.",
)
@click.option(
    "--labels", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Names of the classes, one a line."
)
@click.option("--top", type=click.IntRange(1), default=5, show_default=True, help="How many classes to show.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the result: .npy, or .npz by name.")
@click.option(
    "--threads", type=click.IntRange(1), help="How many to use; by default as the package says, or all cores."
)
@click.option("--self-test", is_flag=True, help="Compare the package's own sample with what it gives here.")
@click.pass_context
def command(
    context: click.Context,
    package: Path,
    inputs: tuple[str, ...],
    normalize: str,
    labels: Path | None,
    top: int,
    output: Path | None,
    threads: int | None,
    self_test: bool,
) -> None:
    """Run one inference of a package that `compile --to tvm` wrote."""
    if not inputs and not self_test:
        raise click.UsageError("give --input, or --self-test", context)
    if output is not None and output.suffix not in (".npy", ".npz"):
        raise click.UsageError(f"expected a name in .npy or .npz, found {output.name}", context)
    from cnndsl.backends.tvm.package.loaded import load
    from cnndsl.disk.files import read_text

    network = load(package, threads)
    if self_test:
        error = network.self_test()
        say(f"self-test passed: relative error {error:.1e}, at most {network.manifest.tolerance:.0e}")
        if not inputs:
            return
    names = read_text(labels).splitlines() if labels else None
    result = network(**_arrays(network.manifest, inputs, normalize, context))
    found = result if isinstance(result, dict) else {network.manifest.outputs[0].name: result}
    if output is not None and output.suffix == ".npy" and len(found) > 1:
        raise click.UsageError(f"the package has {len(found)} outputs; give a name in .npz", context)
    for name, values in found.items():
        if values.ndim == 2:
            for number, row in enumerate(values):
                say(f"{name}, example {number + 1} of {len(values)}" if len(values) > 1 else name)
                _show_top(row, names, top, context)
        else:
            say(
                f"{name}  {'×'.join(map(str, values.shape))}  from {values.min():.6g} to {values.max():.6g}, mean {values.mean():.6g}"
            )
    if output is not None:
        _write(output, found)
        note(f"wrote {output}")


def _arrays(
    manifest: Manifest, inputs: tuple[str, ...], normalize: str, context: click.Context
) -> dict[str, np.ndarray]:
    """The inputs by name. Raises `CnnError` and `MissingPart` as reading them does."""
    from cnndsl.arrays.inputs import read_inputs
    from cnndsl.arrays.use import normalized
    from cnndsl.disk.files import exists

    reading = normalized({}, normalize, manifest.inputs[0].shape[0])
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


def _write(path: Path, found: dict[str, np.ndarray]) -> None:
    import numpy as np

    from cnndsl.disk.files import write_atomically

    data = BytesIO()
    if path.suffix == ".npz":
        np.savez(data, **found)  # type: ignore[arg-type]
    else:
        np.save(data, next(iter(found.values())))
    write_atomically(path, data.getvalue())
