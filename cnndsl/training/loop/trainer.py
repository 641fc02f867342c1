"""Lightning's trainer as a run's options ask for it."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging
from lightning.pytorch.strategies import DDPStrategy

from cnndsl.training.loop.checkpoint import Checkpoints
from cnndsl.training.loop.progress import Progress
from cnndsl.training.loop.recorder import RunRecorder
from cnndsl.training.options import Options
from cnndsl.training.run import Run

PRECISION = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


def make_trainer(run: Run) -> lightning.Trainer:
    """A trainer that writes into the run's folder."""
    options = run.options
    callbacks: list[Any] = []
    if options.ema:
        callbacks.append(EMAWeightAveraging(decay=options.ema))
    if options.early_stop:
        callbacks.append(EarlyStopping("val_accuracy", mode="max", patience=options.early_stop))
    # The recorder comes after the callbacks that change the state which it saves.
    callbacks += [RunRecorder(run), Progress()]
    return lightning.Trainer(
        accelerator=options.accelerator,
        devices=options.devices,
        num_nodes=options.nodes,
        strategy=_strategy(options),
        precision=PRECISION[options.precision],
        plugins=[Checkpoints()],
        callbacks=callbacks,
        max_epochs=options.epochs,
        default_root_dir=run.folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        sync_batchnorm=options.devices * options.nodes > 1
        and torch.cuda.is_available()
        and options.accelerator != "cpu",
    )


def _strategy(options: Options) -> Any:
    if options.devices * options.nodes == 1:
        return "auto"
    if options.strategy == "fsdp":
        from cnndsl.training.loop.spread import Spread

        together = options.devices * options.nodes
        return Spread(data_parallel_size=together, tensor_parallel_size=1, save_distributed_checkpoint=False)
    return DDPStrategy()
