"""`cnndsl train`: a network learns from labelled examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from cnndsl.cli.shared.reading import network_options, read_network
from cnndsl.cli.shared.voice import note, say
from cnndsl.training.config import NAMES, reason
from cnndsl.training.options import Options

Command = Callable[..., Any]


def _option(name: str, field: FieldInfo) -> Command:
    """The command-line option of a field of `Options`; its bounds are checked there."""
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    flag = f"--{NAMES[name]}"
    if field.annotation is bool:
        return click.option(flag, name, is_flag=True, default=None, help=field.description)
    if get_origin(field.annotation) is Literal:
        kind: Any = click.Choice(list(get_args(field.annotation)))
    else:
        kind = kinds[0] if kinds[0] in (int, float) else str
    default = "" if field.default in (None, (), "") else f"  [default: {_shown(field.default)}]"
    return click.option(flag, name, type=kind, default=None, help=f"{field.description}{default}")


def _shown(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def training_options(command: Command) -> Command:
    """Every field of `Options`, in its order."""
    for name, field in reversed(Options.model_fields.items()):
        command = _option(name, field)(command)
    return command


@click.command("train")
@click.argument("file", metavar="[FILE]", required=False)
@training_options
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Options from a TOML file; those on the command line take precedence.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The folder of the run.  [default: runs/NAME]")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Go on with a run that was stopped; with more --epochs, longer.",
)
@network_options
@click.pass_context
def command(
    context: click.Context,
    /,
    file: str | None,
    config: Path | None,
    output: Path | None,
    resume: Path | None,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
    **given: Any,
) -> None:
    """Train a network and keep its weights, figures and curves in the folder of a run."""
    chosen = {name: value for name, value in given.items() if value is not None}
    if resume is not None:
        if file or config or output or parameters or inputs or chosen.keys() - {"epochs"}:
            raise click.UsageError(
                "--resume goes on with the network and options of the run; give nothing else, or more --epochs", context
            )
    elif file is None:
        raise click.UsageError("say which network: FILE, or --resume RUN", context)
    options = _options(context, config, chosen)
    from cnndsl.training.train import first_process, train
    from cnndsl.training.train import resume as go_on

    tell = note if first_process() else _silent
    if resume is not None:
        trained = go_on(resume, tell, chosen.get("epochs"))
    else:
        assert file is not None
        trained = train(read_network(file, parameters, inputs).graph, options, output, tell)
    if first_process():
        best = trained.best
        say(
            f"best epoch {best['epoch']:.0f} of {len(trained.history)}: {best['val_accuracy']:.2%} of the held-out "
            f"examples, loss {best['val_loss']:.4f}; in {trained.run.folder}"
        )
        if (whole := trained.quantized) is not None and whole is not best:
            say(f"quantised, epoch {whole['epoch']:.0f}: {whole['val_accuracy']:.2%}, loss {whole['val_loss']:.4f}")


def _options(context: click.Context, config: Path | None, chosen: Mapping[str, Any]) -> Options:
    from cnndsl.training.config import read_config

    try:
        return Options(**{**(read_config(config) if config else {}), **chosen})
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0])
        raise click.UsageError(
            f"--{name.replace('_', '-')}: {reason(fault)}, found {fault['input']!r}", context
        ) from None


def _silent(_: str) -> None:
    """What the processes beside the first one say."""
