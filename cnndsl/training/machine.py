"""Whether this machine, alone or with others, can do what the options ask for. Checked before anything starts."""

from __future__ import annotations

import os

from cnndsl.diagnostics.errors import CnnError, MissingPart, fault
from cnndsl.training.options import Options

_SCHEDULERS = ("TORCHELASTIC_RUN_ID", "SLURM_NTASKS")
"""Environment variables of launchers that start the processes on several machines and number them."""


def check_machine(options: Options, examples: int) -> None:
    """Raises `MissingPart` where the machine lacks what is asked for, `CnnError` (wrong-option) where the options do not
    go together. `examples` are those to learn from."""
    together = options.devices * options.nodes
    if options.strategy == "fsdp":
        _check_spread(options, together)
    if together > 1 and options.batch % together:
        raise _wrong(
            f"`batch` {options.batch} cannot be shared evenly by {together} processors",
            f"say `--batch {-(-options.batch // together) * together}`",
        )
    if together > examples:
        raise _wrong(f"{together} processors cannot share {examples} examples", "say fewer `--devices`")
    if options.nodes > 1:
        _check_nodes(options.nodes)
    _check_hardware(options)


def _check_spread(options: Options, together: int) -> None:
    if together == 1:
        raise _wrong(
            "`strategy` fsdp spreads weights over several processors, and there is one",
            "leave it out, or say `--devices 2`",
        )
    if options.ema:
        raise _wrong("`ema` needs whole weights, and `strategy` fsdp spreads them", "leave one of them out")
    if options.precision == "16":
        raise _wrong("`strategy` fsdp computes in 32 or bf16", "say `--precision bf16`")


def _check_nodes(nodes: int) -> None:
    if any(name in os.environ for name in _SCHEDULERS):
        return
    lacking = [name for name in ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK") if not os.environ.get(name)]
    help = "set MASTER_ADDR and MASTER_PORT to those of the first machine, and NODE_RANK to 0 there, 1 on the next, …"
    if lacking:
        # Without these variables each machine would wait for others that never come.
        raise MissingPart(f"`--nodes {nodes}` takes {', '.join(lacking)} in the environment", help)
    rank = os.environ["NODE_RANK"]
    if not (rank.isascii() and rank.isdigit() and int(rank) < nodes):
        raise MissingPart(f"NODE_RANK is {rank}, and the {nodes} machines count from 0 to {nodes - 1}", help)


def _check_hardware(options: Options) -> None:
    alone = options.accelerator == "auto" and options.devices == 1
    if options.precision != "16" and (options.accelerator == "cpu" or alone):
        return
    import torch

    if options.accelerator == "mps" and not torch.backends.mps.is_available():
        raise MissingPart("PyTorch finds no Apple GPU on this machine", "leave `--accelerator` out, or say `cpu`")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if options.accelerator == "cuda" and not gpus:
        raise MissingPart("PyTorch finds no GPU on this machine", "leave `--accelerator` out, or say `cpu`")
    if options.accelerator in ("auto", "cuda") and 0 < gpus < options.devices:
        raise MissingPart(
            f"PyTorch finds {gpus} GPUs on this machine, not {options.devices}", f"say `--devices {gpus}`"
        )
    apple = options.accelerator != "cpu" and torch.backends.mps.is_available()
    if options.precision == "16" and not (options.accelerator != "cpu" and gpus) and not apple:
        raise MissingPart("a processor computes in 32 or bf16, 16 is for GPUs", "say `--precision bf16`")


def _wrong(message: str, help: str) -> CnnError:
    return fault("wrong-option", message, help=help)
