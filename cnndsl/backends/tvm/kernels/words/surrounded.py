"""A map of quads with its zero point around it."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from cnndsl.backends.tvm.kernels.words.portable_quads import PortableQuadNest
from cnndsl.ir.window import Window


def places(task: Any, shape: Sequence[int]) -> list[Any]:
    """The place on every axis of the number of a task, the last axis fastest."""
    found = []
    for n in reversed(shape[1:]):
        found.append(task % n)
        task = task // n
    return [task, *reversed(found)]


def surrounded(n: PortableQuadNest, data: Any, window: Window, quad: Any, *, split: bool = False) -> Any:
    """The map `(batch, chunks, *size, words)` copied, with a quad all around it as far as the window reaches; itself where
    it reaches nowhere outside. With `split` it is copied as the two halves that `split` makes of its quads, `(batch, chunks,
    *padded, 2, words)`."""
    batch, chunks, *size, words = (int(length) for length in data.shape)
    before, after = window.before, reach_after(window, tuple(size))
    if not split and not any((*before, *after)):
        return data
    padded = tuple(b + s + a for b, s, a in zip(before, size, after, strict=True))
    ready = n.local_whole((batch, chunks, *padded, *((2, words) if split else (words,))))
    halves = n.split(quad)
    with n.parallel(batch * chunks * prod(padded[:-1])) as task:
        image, chunk, *rows = places(task, (batch, chunks, *padded[:-1]))
        seen = [r - b for r, b in zip(rows, before, strict=False)]
        inside = [c for r, s in zip(seen, size, strict=False) for c in (r >= 0, r < s)]

        def filled(start: int, count: int) -> None:
            if count:
                with n.serial(count) as x:
                    for half in range(2) if split else ():
                        n.fill(ready, (image, chunk, *rows, start + x, half), halves[half])
                    if not split:
                        n.fill(ready, (image, chunk, *rows, start + x), quad)

        def row() -> None:
            filled(0, before[-1])
            with n.serial(size[-1]) as x:
                to, there = (image, chunk, *rows, before[-1] + x), (image, chunk, *seen, x)
                if split:
                    for half, numbers in enumerate(n.split(n.quads(data, there), words)):
                        n.store_quads(ready, numbers, (*to, half))
                else:
                    n.copy(ready, to, data, there)
            filled(before[-1] + size[-1], after[-1])

        if any((*before[:-1], *after[:-1])):
            n.either(n.all(*inside), row, lambda: filled(0, padded[-1]))
        else:
            row()
    return ready


def reach_after(window: Window, size: tuple[int, ...]) -> tuple[int, ...]:
    """Positions behind each axis that the windows of the result read."""
    out = window.output_size(size)
    return tuple(
        max(0, (o - 1) * s + e - b - length)
        for o, s, e, b, length in zip(out, window.stride, window.extent, window.before, size, strict=True)
    )
