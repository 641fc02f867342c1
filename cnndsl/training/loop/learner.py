"""The network as Lightning trains it: one step of learning, and one of being examined."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import lightning.pytorch as lightning
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy

from cnndsl.backends.pytorch.live.in_place import work_in_place
from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.ir.graph import Graph
from cnndsl.training.check import AUXILIARY
from cnndsl.training.data.augment import mix, vary
from cnndsl.training.data.batches import Examples, batches
from cnndsl.training.data.preparation import Preparation
from cnndsl.training.loop.optimizer import optimizer, rate
from cnndsl.training.options import Options


class Learner(lightning.LightningModule):  # type: ignore[misc]
    """`network` is the compiled module; `history` has a row of figures for each finished epoch. `frozen` are the layers that
    stay as they are, `old` the state-dict keys whose weights came from a file."""

    channels_last = True
    """Whether pictures and the weights of convolutions lie in memory with the channels last."""

    def __init__(
        self,
        graph: Graph,
        options: Options,
        preparation: Preparation,
        parts: tuple[Examples, Examples],
        frozen: Collection[str] = (),
        old: Collection[str] = (),
    ) -> None:
        super().__init__()
        self.options = options
        self.preparation = preparation
        self.parts = parts
        self.old = old
        self.frozen = frozen
        self.network = to_torch(graph)
        work_in_place(self.network, graph)
        self.outputs = {output.name: output.training for output in graph.outputs}
        self.classes = next(graph.types[output.node].shape[0] for output in graph.outputs if not output.training)
        self.shares = _ends_in_softmax(graph)
        self.last = self.channels_last and any(len(graph.types[name].shape) == 3 for name in graph.types)
        self.history: list[dict[str, float]] = []
        for name in frozen:
            for weight in self._layer(name):
                weight.requires_grad_(False)
        figures = [(part, kind) for part in ("train", "val") for kind in ("loss", "accuracy")]
        self.figures = nn.ModuleDict(
            {
                f"{part}_{kind}": MeanMetric()
                if kind == "loss"
                else MulticlassAccuracy(self.classes, average="micro", validate_args=False)
                for part, kind in figures
            }
        )

    def _layer(self, name: str) -> list[nn.Parameter]:
        layer: Any = self.network
        for part in name.split("."):
            layer = getattr(layer, part)
        return [layer] if isinstance(layer, nn.Parameter) else list(layer.parameters())

    def setup(self, stage: str) -> None:
        # Convolutions are faster with channels last (docs/training.md has the figures), and their results are the same. It is
        # set here, before several processes agree on the layout of gradients: otherwise they would add different elements.
        if self.last:
            self.network.to(memory_format=torch.channels_last)

    def on_fit_start(self) -> None:
        if self.options.compile:
            self.network.compile()

    def on_train_epoch_start(self) -> None:
        # The random numbers of an epoch depend on nothing before it, so that a resumed run draws the same ones.
        epoch = [self.options.seed, self.current_epoch, self.global_rank]
        torch.manual_seed(int(np.random.SeedSequence(epoch).generate_state(1)[0]))
        for name, layer in self.network.named_modules():
            if name in self.frozen:
                # In evaluation mode a frozen batch norm keeps its statistics.
                layer.eval()

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        """The loss of a batch of examples as they are stored, and their labels."""
        stored, labels = batch
        x = self.preparation.scaled(stored)
        targets = labels
        if self.options.augment:
            x = vary(x, self.options.augment)
            if "mixup" in self.options.augment:
                x, targets = mix(x, labels, self.classes)
        outputs = self._outputs(x)
        named = outputs if isinstance(outputs, dict) else {next(iter(self.outputs)): outputs}
        loss = torch.zeros((), device=labels.device)
        for name, output in named.items():
            part = functional.cross_entropy(self._scores(output), targets, label_smoothing=self.options.label_smoothing)
            loss = loss + (AUXILIARY * part if self.outputs[name] else part)
            if not self.outputs[name]:
                self.figures["train_accuracy"].update(output.detach(), labels)
        self.figures["train_loss"].update(loss.detach(), len(labels))
        return loss

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> None:
        """Counts what the network says of held-out examples."""
        stored, labels = batch
        scores = self.scores(stored)
        losses = functional.cross_entropy(scores, labels, reduction="none")
        self.figures["val_loss"].update(losses)
        self.figures["val_accuracy"].update(scores, labels)

    def on_validation_epoch_end(self) -> None:
        for name in ("val_loss", "val_accuracy"):
            self.log(name, self.figures[name].compute())

    def scores(self, stored: torch.Tensor) -> torch.Tensor:
        """N×classes for examples as they are stored, ready for a softmax."""
        return self._scores(self._outputs(self.preparation.scaled(stored)))

    def _outputs(self, x: torch.Tensor) -> Any:
        """What the network gives for examples, pictures from 0 to 1."""
        return self.network(self._laid_out(self.preparation.normalized(x)))

    def _laid_out(self, x: torch.Tensor) -> torch.Tensor:
        return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 and self.channels_last else x

    def _scores(self, output: torch.Tensor) -> torch.Tensor:
        output = output.float()
        # A softmax of the logarithm of shares gives the shares back, so cross-entropy may take it for scores.
        return output.clamp_min(1e-12).log() if self.shares else output

    def train_dataloader(self) -> Any:
        return batches(self.parts[0], self.options.batch, self.options.seed, self.trainer)

    def val_dataloader(self) -> Any:
        return batches(self.parts[1], self.options.batch, None, self.trainer)

    def named_weights(self) -> Iterator[tuple[str, nn.Parameter]]:
        """All weights that may learn, by state-dict key."""
        yield from self.network.named_parameters()

    def configure_optimizers(self) -> dict[str, Any]:
        chosen = optimizer(self.named_weights(), self.options, self.old)
        steps = max(1, len(self.parts[0]) // min(self.options.batch, len(self.parts[0])))
        schedule = torch.optim.lr_scheduler.LambdaLR(chosen, rate(self.options, steps))
        return {"optimizer": chosen, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.history = checkpoint["history"]


def _ends_in_softmax(graph: Graph) -> bool:
    last = next(output.node for output in graph.outputs if not output.training)
    return any(node.name == last and node.op.per_position == "softmax" and node.op.is_plain for node in graph.nodes)
