"""A network, data and options become a run. This is the page of the room to read first."""

from __future__ import annotations

import logging
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnndsl.diagnostics.errors import MissingPart, fault
from cnndsl.diagnostics.extras import how_to_install
from cnndsl.disk.files import is_file
from cnndsl.ir.graph import Graph
from cnndsl.ir.written import sizes
from cnndsl.published.table import Published, find
from cnndsl.published.weights import which
from cnndsl.training.advice import doubts
from cnndsl.training.check import check_fits, check_rounding
from cnndsl.training.config import merged
from cnndsl.training.data.collection import Collection
from cnndsl.training.data.find import find_data
from cnndsl.training.layers import Beginning, beginning, frozen
from cnndsl.training.loop.chosen import computed_once, learner_for
from cnndsl.training.machine import check_machine
from cnndsl.training.options import Options
from cnndsl.training.run import (
    CHECKPOINT,
    About,
    Run,
    begin,
    first_process,
    free_folder,
    graph_hash,
    lengthened,
    open_run,
    refuse_occupied,
)

if TYPE_CHECKING:
    import numpy as np

    from cnndsl.training.loop.learner import Learner

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """A run that came to its end, and its figures epoch by epoch."""

    run: Run
    history: tuple[dict[str, float], ...]

    @property
    def best(self) -> dict[str, float]:
        """The figures of the epoch whose weights are the run's best; where all epochs round, those of the quantised network."""
        from cnndsl.training.loop.recorder import best_epoch

        epoch = best_epoch(self.history, self.run.options)
        return self.history[epoch - 1] if epoch else self.quantized or {}

    @property
    def quantized(self) -> dict[str, float] | None:
        """The figures of the epoch whose quantised network is the run's; None where no epoch rounds."""
        from cnndsl.training.loop.recorder import best_quantized_epoch

        epoch = best_quantized_epoch(self.history, self.run.options)
        return self.history[epoch - 1] if epoch else None


def train(graph: Graph, options: Options, folder: Path | None = None, say: Say | None = None) -> Trained:
    """Trains a network in a new run folder, `runs/NAME` where none is given. `say` gets notes line by line.

    Everything that can be known before is checked before. Raises `CnnError` (those of `find_data`, `check_fits`,
    `beginning`, `frozen`, `check_machine` and `refuse_occupied`), `MissingPart`, and KeyboardInterrupt when all that is done
    has been written.
    """
    say = say or (lambda _: None)
    folder = folder or free_folder(graph.name)
    refuse_occupied(folder)
    entry = _published(graph, options)
    if entry is not None and "normalize" not in options.model_fields_set:
        # What weights know of pictures holds for pictures that are read as theirs were.
        options = merged(options, {"normalize": "published"})
    reading = entry.use.reading if entry is not None and options.normalize == "published" else {}
    data = find_data(options.data, reading)
    check_fits(graph, data)
    options = _settled(options, data)
    fixed = frozen(graph, options.freeze, options.head_only)
    start = beginning(graph, options.init, say) if options.init else None
    parts = data.parts(options.validation, options.seed)
    check_machine(options, len(parts[0]))
    if options.quantize:
        check_rounding(graph, options)
    about = About(
        model=graph.name,
        classes=list(data.classes),
        graph=graph_hash(graph),
        data=_fingerprint(data),
        fit=data.fit,
        reading=dict(reading) if data.shape is None else {},
        options=options.model_dump(mode="json", by_alias=True, exclude_none=True),
    )
    for line in _notes(graph, data, parts, start):
        say(line)
    examples = data.read(graph.inputs[0].type.shape)
    run = begin(folder, graph, options, about)
    say(f"training {graph.name} in {run.folder}")
    return _fit(run, Lesson(examples, data.labels, parts, fixed, start), say, resume=False)


def resume(folder: Path, say: Say | None = None, epochs: int | None = None) -> Trained:
    """Goes on with a run from its last whole epoch, as if nothing had happened; with `epochs`, more than it had, it is made
    longer.

    Raises `CnnError` (not-a-run, damaged-run; data-changed) besides what `train` raises.
    """
    say = say or (lambda _: None)
    run = open_run(folder)
    if epochs is not None:
        run = lengthened(run, epochs)
    data = find_data(run.options.data, run.about.reading)
    if _fingerprint(data) != run.about.data:
        raise fault(
            "data-changed",
            f"{run.options.data} is not what {folder} was trained with",
            notes=("its classes, the number of examples or their order are others",),
            help="put the data back, or begin a new run with `--init` of this one's weights",
        )
    parts = data.parts(run.options.validation, run.options.seed)
    check_machine(run.options, len(parts[0]))
    fixed = frozen(run.graph, run.options.freeze, run.options.head_only)
    known = is_file(folder / CHECKPOINT)
    start = beginning(run.graph, run.options.init, say) if run.options.init else None
    examples = data.read(run.graph.inputs[0].type.shape)
    say(f"going on with {run.graph.name} in {folder}")
    return _fit(run, Lesson(examples, data.labels, parts, fixed, start), say, resume=known)


def _published(graph: Graph, options: Options) -> Published | None:
    """The published weights that training begins with. Raises `CnnError` (no-published-weights, wrong-option)."""
    name = which(options.init) if options.init else None
    if name is not None:
        return find(graph.name, name)
    if options.normalize == "published":
        raise fault(
            "wrong-option",
            "`normalize` is as published weights say, and none are loaded",
            help="give them with `--init published`, or say how pictures are normalised",
        )
    return None


def _settled(options: Options, data: Collection) -> Options:
    """The options, with a value for those whose default depends on the data. Raises `CnnError` (wrong-option)."""
    if options.backbone_lr and not options.init:
        raise fault(
            "wrong-option",
            "`backbone-lr` is the rate of what was loaded, and nothing is",
            help="give weights with `--init`, or say `--lr`",
        )
    if options.augment and data.shape is not None:
        raise fault(
            "wrong-option",
            f"`augment` is for pictures, and {data.name} has numbers",
            help="leave it out, or give pictures as uint8",
        )
    return merged(options, {"augment": ("crop",) if data.shape is None else ()}) if options.augment is None else options


def _fingerprint(data: Collection) -> str:
    return sha256("\n".join([data.name, *data.classes]).encode() + data.labels.tobytes()).hexdigest()


def _notes(
    graph: Graph, data: Collection, parts: tuple[np.ndarray, np.ndarray], start: Beginning | None
) -> Iterator[str]:
    shape = sizes(graph.inputs[0].type.shape)
    yield f"{data.name}: {len(parts[0]):,} examples to learn from, {len(parts[1]):,} held out, {len(data.classes)} classes"
    if data.size and data.size != shape:
        yield f"its pictures of {data.size} are resized to the network's input, {shape}"
    if start:
        yield from start.lines()


@dataclass(frozen=True)
class Lesson:
    """What a network is taught: the examples (N×shape), their labels (N), and which of them are for what.

    `parts` are the numbers of the examples to learn from, and of those held out. `fixed` are the layers that stay as they
    are, `start` the weights that training begins with, where a file was given.
    """

    examples: np.ndarray
    labels: np.ndarray
    parts: tuple[np.ndarray, np.ndarray]
    fixed: frozenset[str]
    start: Beginning | None


def _fit(run: Run, lesson: Lesson, say: Say, *, resume: bool) -> Trained:
    with quiet():
        try:
            import lightning.pytorch as lightning

            from cnndsl.training.data.batches import Examples
            from cnndsl.training.data.preparation import Preparation
        except ImportError as error:
            raise MissingPart(f"training takes {error.name}", how_to_install("train")) from None
        lightning.seed_everything(run.options.seed, verbose=False)
        training, held_out = (Examples(lesson.examples, lesson.labels, part) for part in lesson.parts)
        loaded = lesson.start.loaded if lesson.start else {}
        once = computed_once(run, lesson.examples, lesson.fixed)
        if once and run.options.augment:
            say(f"with `--augment none` the layers up to {once} would be computed once, not in every epoch")
        learner = learner_for(
            run, once, Preparation(run.reading), (training, held_out), lesson.fixed, frozenset(loaded)
        )
        if loaded:
            load_arrays(learner.network, loaded)
        _run_trainer(run, learner, resume, say)
    for line in doubts(run, learner.history, len(lesson.parts[0])):
        say(line)
    return Trained(run, tuple(learner.history))


def load_arrays(network: Any, arrays: Any) -> None:
    """Copies arrays by state-dict key into a module. Weights that they do not name stay as they are."""
    import torch

    # Copied: arrays from a mapped file are read-only, and torch warns of tensors that share read-only memory.
    network.load_state_dict({key: torch.tensor(array) for key, array in arrays.items()}, strict=False)


def _run_trainer(run: Run, learner: Learner, resume: bool, say: Say) -> None:
    from cnndsl.training.loop.trainer import make_trainer

    trainer = make_trainer(run)
    interrupted = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(learner, ckpt_path=str(run.folder / CHECKPOINT) if resume else None, weights_only=True)
    except SystemExit:
        if not trainer.interrupted:
            raise
        # Lightning ends the process with SystemExit after Ctrl-C.
        say(f"stopped after {len(learner.history)} epochs; go on with `cnndsl train --resume {run.folder}`")
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, interrupted)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the advice of Lightning and of the libraries below it off the terminal. Errors are still shown."""
    names = (
        "lightning",
        "lightning.pytorch",
        "lightning.fabric",
        "lightning_utilities",
        "torch.distributed",
        "tensorboard",
    )
    loggers = {name: logging.getLogger(name) for name in names}
    levels = {name: logger.level for name, logger in loggers.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # These libraries set the levels of their loggers when they are imported.
            import lightning.pytorch  # noqa: F401

            for logger in loggers.values():
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for name, logger in loggers.items():
                logger.setLevel(levels[name])


__all__ = ["Trained", "first_process", "resume", "train"]
