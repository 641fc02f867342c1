"""After each epoch writes the run's files: state, weights, figures. A file is replaced whole or not at all."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Sequence
from io import StringIO
from typing import Any

import lightning.pytorch as lightning
import torch
from safetensors.torch import save

from cnndsl.diagnostics.errors import CnnError, fault
from cnndsl.disk.files import write_atomically
from cnndsl.training.loop.curves import curves
from cnndsl.training.loop.learner import Learner
from cnndsl.training.options import Options
from cnndsl.training.run import BEST, CHECKPOINT, CURVES, LAST, METRICS, QUANTIZED, Run

COLUMNS = (
    "epoch",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "lr",
    "seconds",
    "images_per_second",
    "waiting",
)
"""The columns of `metrics.csv`. `images_per_second` counts only the time of learning, without that of being examined.
`waiting` is the share of it in which no batch was ready."""


class RunRecorder(lightning.Callback):  # type: ignore[misc]
    """Adds a row to the learner's history and saves everything. The order of writing is such that a kill does no harm."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.board: Any = None
        self.began = self.learnt = self.waited = self.ended = 0.0
        self.seen = 0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Learner) -> None:
        if not trainer.is_global_zero:
            return
        from torch.utils.tensorboard import SummaryWriter

        # Events of an epoch that was not finished are dropped.
        self.board = SummaryWriter(str(self.run.folder), purge_step=len(pl_module.history) + 1)
        if pl_module.history:
            # The run may have been killed after its state was written and before the other files: they are written again.
            self._write(trainer, pl_module)

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: Learner) -> None:
        self.began = self.ended = time.perf_counter()
        self.waited, self.seen = 0.0, 0

    def on_train_batch_start(self, *_: Any) -> None:
        self.waited += time.perf_counter() - self.ended

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Learner, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.ended = time.perf_counter()
        self.seen += len(batch[1]) * trainer.world_size

    def on_validation_start(self, *_: Any) -> None:
        self.learnt = time.perf_counter() - self.began

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Learner) -> None:
        figures = {name: float(figure.compute()) for name, figure in pl_module.figures.items()}
        for figure in pl_module.figures.values():
            figure.reset()
        seconds = time.perf_counter() - self.began
        row = {
            "epoch": trainer.current_epoch + 1,
            **figures,
            "lr": max(group["lr"] for group in trainer.optimizers[0].param_groups),
            "seconds": seconds,
            "images_per_second": self.seen / self.learnt,
            "waiting": self.waited / self.learnt,
        }
        if not all(math.isfinite(figures[name]) for name in ("train_loss", "val_loss")):
            raise _diverged(trainer.current_epoch + 1, len(pl_module.history))
        pl_module.history.append(row)
        # The state comes first, since the other files can be made from it.
        trainer.save_checkpoint(self.run.folder / CHECKPOINT)
        if trainer.is_global_zero:
            self._write(trainer, pl_module)
            for name in COLUMNS[1:]:
                self.board.add_scalar(name.replace("_", "/", 1), row[name], row["epoch"])
            self.board.flush()

    def _write(self, trainer: lightning.Trainer, learner: Learner) -> None:
        from cnndsl.training.loop.checkpoint import unpacked

        # The weights are read from the saved state: there they are averaged (`ema`) and whole (`fsdp`).
        state = unpacked(self.run.folder / CHECKPOINT)["state_dict"]
        prefix = "network."
        weights = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        data = _file(weights, self.run)
        write_atomically(self.run.folder / LAST, data)
        here, options = len(learner.history), self.run.options
        # Where all epochs round, the weights in float32 are those that training began with.
        if best_epoch(learner.history, options) == here or not options.epochs_in_float32:
            write_atomically(self.run.folder / BEST, data)
        if best_quantized_epoch(learner.history, options) == here:
            from cnndsl.quantization.file import write_quantization

            write_quantization(self.run.folder / QUANTIZED, learner.quantization())
        write_atomically(self.run.folder / METRICS, _table(learner.history))

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Learner) -> None:
        self.close(trainer, pl_module)

    def on_exception(self, trainer: lightning.Trainer, pl_module: Learner, exception: BaseException) -> None:
        self.close(trainer, pl_module)

    def close(self, trainer: lightning.Trainer, learner: Learner) -> None:
        """Draws the curves of what is done."""
        if self.board is not None:
            self.board.close()
        if trainer.is_global_zero and learner.history:
            write_atomically(self.run.folder / CURVES, curves(learner.history, self.run.graph.name))


def _diverged(epoch: int, done: int) -> CnnError:
    return fault(
        "loss-diverged",
        f"the loss of epoch {epoch} is no number: the weights grew without bound",
        notes=(f"the run keeps the weights of epoch {done}",) if done else (),
        help="train with a smaller `--lr`, or a longer `--warmup`",
    )


def best_epoch(history: Sequence[dict[str, float]], options: Options) -> int:
    """The epoch (from 1) of the highest held-out accuracy among those in float32; of several, that of the lowest loss. 0 where
    there is none."""
    return _best(history, 0, min(len(history), options.epochs_in_float32))


def best_quantized_epoch(history: Sequence[dict[str, float]], options: Options) -> int:
    """The same among those in which numbers were rounded."""
    return _best(history, options.epochs_in_float32, len(history))


def _best(history: Sequence[dict[str, float]], start: int, end: int) -> int:
    order = sorted(range(start, end), key=lambda i: (-history[i]["val_accuracy"], history[i]["val_loss"]))
    return 1 + order[0] if order else 0


def _file(weights: dict[str, torch.Tensor], run: Run) -> bytes:
    return bytes(save(weights, {"graph": run.about.graph, "model": run.about.model, "format": "pt"}))


def _table(history: list[dict[str, float]]) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: row[name] if name == "epoch" else f"{row[name]:.6g}" for name in COLUMNS} for row in history
    )
    return text.getvalue()
