"""Shows on stderr how learning goes: a line for each epoch, and on a terminal a bar as well."""

from __future__ import annotations

import sys
import time
from typing import Any

import lightning.pytorch as lightning

from cnndsl.training.loop.learner import Learner

REFRESH = 0.1
"""Seconds between two updates of the bar: to read the figures, the program must wait for the device."""


class Progress(lightning.Callback):  # type: ignore[misc]
    """Loss, accuracy, images a second, time left."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.task: Any = None
        self.began = self.looked = 0.0
        self.first = 0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Learner) -> None:
        self.began, self.first = time.perf_counter(), trainer.current_epoch
        if not trainer.is_global_zero or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        total = (trainer.max_epochs - self.first) * trainer.num_training_batches
        self.task = self.bar.add_task("", total=total, figures="")
        self.bar.start()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Learner, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now = time.perf_counter()
        last = batch_idx + 1 == trainer.num_training_batches
        if self.bar is None or (now - self.looked < REFRESH and not last):
            return
        self.looked = now
        steps = (trainer.current_epoch - self.first) * trainer.num_training_batches + batch_idx + 1
        seen = steps * len(batch[1]) * trainer.world_size
        figures = pl_module.figures
        self.bar.update(
            self.task,
            completed=steps,
            # The end of an epoch is always drawn, however short the epoch is.
            refresh=last,
            description=f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}",
            figures=f"loss {float(figures['train_loss'].compute()):.3f}  "
            f"accuracy {float(figures['train_accuracy'].compute()):.1%}  {seen / (now - self.began):,.0f} images/s",
        )

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Learner) -> None:
        if not trainer.is_global_zero or not pl_module.history:
            return
        row = pl_module.history[-1]
        done = trainer.current_epoch + 1
        left = (time.perf_counter() - self.began) / (done - self.first) * (trainer.max_epochs - done)
        line = (
            f"epoch {done:>{len(str(trainer.max_epochs))}}/{trainer.max_epochs}"
            f"  loss {row['train_loss']:.4f}  accuracy {row['train_accuracy']:6.2%}"
            f"  held out: loss {row['val_loss']:.4f}  accuracy {row['val_accuracy']:6.2%}"
            f"  {row['images_per_second']:,.0f} images/s  {_time(left)} left"
        )
        if self.bar is not None:
            self.bar.console.print(line, highlight=False)
        else:
            print(line, file=sys.stderr, flush=True)

    def on_train_end(self, *_: Any) -> None:
        self._stop()

    def on_exception(self, *_: Any) -> None:
        self._stop()

    def _stop(self) -> None:
        if self.bar is not None:
            self.bar.stop()


def _time(seconds: float) -> str:
    whole = round(seconds)
    return (
        f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02}"
    )
