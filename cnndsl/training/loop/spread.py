"""Weights and the optimizer's state spread over several processors (FSDP), for networks that fit no single one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.strategies import ModelParallelStrategy
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard

from cnndsl.training.loop.checkpoint import unpacked
from cnndsl.training.loop.learner import Learner

WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


class SpreadLearner(Learner):
    """A learner each of whose processes keeps a part of every weight, and gathers a layer's when it computes it."""

    # Weights are divided by rows as they lie in memory; gradients in another layout could not be divided so.
    channels_last = False

    def configure_model(self) -> None:
        if self.device_mesh is None:
            return
        if self.device.type == "cuda":
            self.network = torch.nn.SyncBatchNorm.convert_sync_batchnorm(self.network)
        fully_shard(self.network, mesh=self.device_mesh["data_parallel"])

    def on_fit_end(self) -> None:
        # All processes end together: one that ended while another still talks to it would make that one fail.
        self.trainer.strategy.barrier()


class Spread(ModelParallelStrategy):  # type: ignore[misc]
    """Lightning's strategy with states as ours are: whole weights and the optimizer's state by their names, in a file
    from which nothing is unpickled."""

    def optimizer_state(self, optimizer: Any) -> dict[str, Any]:
        own = getattr(optimizer, "_optimizer", optimizer)
        state: dict[str, Any] = get_optimizer_state_dict(self.model, own, options=WHOLE)
        return state

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict[str, Any]:
        """Raises `CnnError` (damaged-run)."""
        # Every process reads the whole file and keeps its part.
        state = unpacked(Path(self.broadcast(checkpoint_path)))
        set_model_state_dict(self.model, state["state_dict"], options=WHOLE)
        for optimizer, its_state in zip(self.optimizers, state["optimizer_states"], strict=True):
            set_optimizer_state_dict(self.model, optimizer, its_state, options=WHOLE)
        return state
