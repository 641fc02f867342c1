"""Speed of learning: our resnet18 against torchvision's under the same loop, and augmentation against kornia's.

    python tests/benchmarks/training.py [--compile] [--network] [--batch 16] [--size 112] [--blocks 20]

Blocks of steps of the two networks alternate in one process, so that whatever else the machine does falls on both; the ratio
is the median of the blocks' ratios.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

import cnndsl
from cnndsl.backends.pytorch.live.in_place import work_in_place
from cnndsl.training.train import quiet
from tests.oracle import published

Step = Callable[[], Any]


def step(network: Any, graph: Any, batch: int, compiled: bool) -> Step:
    """A step of learning as `cnndsl train` takes it, from stored pictures to changed weights, with that network in it."""
    with quiet():
        from cnndsl.training.data.batches import Examples
        from cnndsl.training.data.preparation import Preparation
        from cnndsl.training.loop.learner import Learner
        from cnndsl.training.options import Options

    shape = graph.inputs[0].type.shape
    generator = np.random.default_rng(0)
    stored = generator.integers(0, 256, (4 * batch, *shape), dtype=np.uint8)
    examples = Examples(stored, generator.integers(0, 10, len(stored)), np.arange(len(stored)))
    learner = Learner(graph, Options(batch=batch, augment=("crop", "flip")), Preparation(), (examples, examples))
    learner.network = network.train().to(memory_format=torch.channels_last)
    if compiled:
        learner.network.compile()
    optimizer = torch.optim.AdamW(learner.network.parameters(), lr=1e-3)

    def one() -> None:
        loss = learner.training_step(examples.__getitems__(range(batch)), 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return one


def seconds(work: Step, times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def alternate(works: dict[str, Step], blocks: int, times: int) -> dict[str, list[float]]:
    """Seconds of each, block by block; each has run once before."""
    for work in works.values():
        work()
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(blocks):
        # Whoever comes second finds other caches than who comes first.
        for name in list(works)[:: 1 - 2 * (number % 2)]:
            found[name].append(seconds(works[name], times))
    return found


def networks(batch: int, size: int, blocks: int, compiled: bool) -> None:
    graph = cnndsl.load("resnet18", classes=10, input=(3, size, size)).graph
    torch.manual_seed(0)
    theirs = published("resnet18", num_classes=10)
    ours = cnndsl.load("resnet18", classes=10, input=(3, size, size)).to_torch()
    ours.load_state_dict(theirs.state_dict())
    # As `cnndsl train` has it; torchvision's rectifiers and sums work in place, too.
    work_in_place(ours, graph)
    works = {"cnndsl": step(ours, graph, batch, compiled), "torchvision": step(theirs, graph, batch, compiled)}
    found = alternate(works, blocks, 1)
    title = f"resnet18, {batch} of 3×{size}×{size}, {torch.get_num_threads()} threads, {'compiled' if compiled else 'eager'}"
    print(title)
    for name, times in found.items():
        print(f"  {name:<12} {batch / median(times):7.1f} images/s")
    ratios = [theirs / ours for ours, theirs in zip(*found.values(), strict=True)]
    best = min(found["torchvision"]) / min(found["cnndsl"])
    print(
        f"  ratio: of the blocks {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}), of the fastest ones {best:.3f}"
    )


def augmentation() -> None:
    """Milliseconds for a batch, ours and kornia's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from kornia import augmentation as theirs
    except ImportError:
        print("kornia is not installed")
        return
    from cnndsl.training.data.augment import mix, vary

    for count, channels, size in ((32, 1, 32), (32, 3, 224)):
        pictures, labels = torch.rand(count, channels, size, size), torch.randint(0, 10, (count,))
        pairs: dict[str, tuple[Step, Step]] = {
            "flip": (partial(vary, pictures, ["flip"]), partial(theirs.RandomHorizontalFlip(), pictures)),
            "crop": (
                partial(vary, pictures, ["crop"]),
                partial(theirs.RandomCrop((size, size), padding=size // 8), pictures),
            ),
            "mixup": (
                partial(mix, pictures, labels, 10),
                partial(theirs.RandomMixUpV2(data_keys=["input", "class"]), pictures, labels),
            ),
        }
        if channels == 3:
            # kornia's takes three channels alone.
            pairs["jitter"] = (
                partial(vary, pictures, ["jitter"]),
                partial(theirs.ColorJiggle(0.2, 0.2, 0.2), pictures),
            )
        print(f"augmentation of {count} pictures of {channels}×{size}×{size}, milliseconds")
        for name, (ours, other) in pairs.items():
            found = alternate({"cnndsl": ours, "kornia": other}, 5, 3)
            print("  " + f"{name:<7}" + "".join(f"{who} {1e3 * median(t):8.2f}   " for who, t in found.items()))


def loading() -> None:
    """Images a second of whole runs, and the share of the time in which no batch was ready."""
    print("whole runs on digits: images/s of learning, share of it without a batch")
    with TemporaryDirectory() as folder:
        whole: dict[str, dict[str, Any]] = {"lenet5": {"epochs": 4}, "resnet18": {"epochs": 1, "batch": 64}}
        for name, options in whole.items():
            size: Any = {} if name == "lenet5" else {"classes": 10, "input": (3, 32, 32)}
            made = cnndsl.load(name, **size).train(folder=Path(folder) / name, **options)
            last = made.history[-1]
            print(f"  {name:<10} {last['images_per_second']:8.0f} images/s   {last['waiting']:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compile", action="store_true", help="compile both networks with torch.compile")
    parser.add_argument("--network", action="store_true", help="the networks alone")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--blocks", type=int, default=20)
    given = parser.parse_args()
    networks(given.batch, given.size, given.blocks, given.compile)
    if not given.compile and not given.network:
        augmentation()
        loading()


if __name__ == "__main__":
    main()
