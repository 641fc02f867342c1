"""Attention over packed maps of one axis: `softmax(Q·Kᵀ)·V` in each head.

One task is a run of queries of one head. It lays the head's keys out with positions in lanes, once; then a tile of
queries at a time makes its scores, turns them into powers and sums values by them, both products in registers. The
scores of a tile stay in the first level cache for a thousand keys.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from cnndsl.backends.tvm.kernels.words.demand import Demand, share
from cnndsl.backends.tvm.kernels.words.functions import Functions
from cnndsl.backends.tvm.kernels.words.nest import Nest, parts

_QUERIES = 512
"""Queries of a task, at most: there are tasks enough, and keys are laid out seldom."""


@dataclass(frozen=True)
class _Queries:
    """A tile of queries of one head, and the buffers that it is computed from and in."""

    data: Any
    result: Any
    keys: Any
    """The head's keys, laid out with positions in lanes."""
    scores: Any
    image: Any
    """Which example of the batch."""
    head: Any
    """The first chunk of the head."""
    first: Any
    """The position of the first query."""
    width: int
    """How many queries."""


@dataclass(frozen=True)
class AttentionHeads:
    """Arguments: input `(batch, 3·heads·depth, positions, lanes)`, chunk by chunk the heads' queries, which come
    scaled, then all keys, then all values; output `(batch, heads·depth, positions, lanes)`."""

    batch: int
    heads: int
    depth: int
    """Chunks of a head."""
    positions: int
    lanes: int
    tile: tuple[int, int]
    """Queries × vectors of results that stay in registers."""

    def candidates(self) -> tuple[Self, ...]:
        """The same with other tiles."""
        tiles = [(6, 4), (8, 3), (4, 4), (4, 6), (12, 2), (3, 4), (4, 3), (2, 4)]
        most = self.tile[0] * self.tile[1] + max(self.tile)
        return (self, *(replace(self, tile=t) for t in tiles if t != self.tile and t[0] * t[1] <= most))

    @property
    def vectors(self) -> int:
        """Vectors that hold a number for each key."""
        return -(-self.positions // self.lanes)

    def demand(self, threads: int) -> Demand:
        """What a call takes: the scores of all pairs, an exponential of each, and the sums of values by them."""
        heads, n = self.batch * self.heads, self.positions
        part = share(heads * -(-n // _QUERIES), threads)
        scores = heads * n * self.vectors * self.depth * self.lanes * part
        sums = heads * n * n * self.depth * part
        return Demand("AttentionHeads", scores + sums, 0, 0, heads * n * self.vectors * part)

    def prim_func(self) -> Any:
        """The function, as loops."""
        n = Nest(self.lanes)
        chunks = self.heads * self.depth
        with n.function():
            data = n.argument("data", (self.batch, 3 * chunks, self.positions, self.lanes))
            result = n.argument("result", (self.batch, chunks, self.positions, self.lanes))
            runs = -(-self.positions // _QUERIES)
            run = -(-self.positions // runs)
            with n.block(), n.parallel(self.batch * self.heads * runs) as task:
                head = n.bind(task // runs % self.heads * self.depth)
                image, start = n.bind(task // (runs * self.heads)), n.bind(task % runs * run)
                keys = n.local((self.depth * self.lanes, self.vectors, self.lanes))
                self._lay_out_keys(n, data, keys, image, chunks + head)
                scores = n.local((self.tile[0], self.vectors, self.lanes))
                for first, tiles, width in parts(run, self.tile[0]):
                    with n.serial(tiles) as tile:
                        query = n.bind(start + first + tile * width)
                        inside = query + width <= self.positions
                        # The last run is shorter: its last tiles reach back, and compute a few results again.
                        with n.when(query < self.positions, runs * run != self.positions):
                            q = (
                                query
                                if runs * run == self.positions
                                else n.bind(n.tir.Select(inside, query, n.tir.IntImm("int32", self.positions - width)))
                            )
                            self._attend(n, _Queries(data, result, keys, scores, image, head, q, width))
        return n.finished()

    def _lay_out_keys(self, n: Nest, data: Any, keys: Any, image: Any, chunk: Any) -> None:
        """Zeros stand behind the last key."""
        with n.serial(self.depth) as c, n.serial(self.vectors) as v:
            for j in range(self.lanes):
                position = v * self.lanes + j
                with n.vector() as lane:
                    value = data[image, chunk + c, n.minimum(position, self.positions - 1), lane]
                    n.store(keys, value, (c * self.lanes + lane, v, j))

    def _attend(self, n: Nest, tile: _Queries) -> None:
        """The results of a tile of queries: their scores, the powers of these, and the values summed by them."""
        for first, blocks, vectors in parts(self.vectors, self.tile[1]):
            with n.serial(blocks) as block:
                self._score(n, tile, first + block * vectors, vectors)
        factors = [self._powers(n, tile.scores, q) for q in range(tile.width)]
        for first, blocks, vectors in parts(self.depth, self.tile[1]):
            with n.serial(blocks) as block:
                self._gather(n, tile, tile.head + (first + block * vectors), vectors, factors)

    def _score(self, n: Nest, tile: _Queries, v: Any, vectors: int) -> None:
        """Scores of the tile's queries for the keys in `vectors` vectors from `v` on."""
        sums = [n.local((tile.width, self.lanes)) for _ in range(vectors)]
        n.clear(sums)
        with n.serial(self.depth) as c, n.serial(self.lanes // 4) as outer, n.vector() as lane:
            for inner in range(4):
                channel = outer * 4 + inner
                factors = [n.bind(tile.keys[c * self.lanes + channel, v + i, lane]) for i in range(vectors)]
                for q in range(tile.width):
                    value = n.bind(tile.data[tile.image, tile.head + c, tile.first + q, channel])
                    for i in range(vectors):
                        n.store(sums[i], sums[i][q, lane] + factors[i] * value, (q, lane))
        with n.vector() as lane:
            for i in range(vectors):
                for q in range(tile.width):
                    n.store(tile.scores, sums[i][q, lane], (q, v + i, lane))

    def _powers(self, n: Nest, scores: Any, q: int) -> Any:
        """Turns a query's scores into powers, zeros behind the last key; one over their sum."""
        behind = self.positions % self.lanes
        lanes = n.local((self.lanes,))

        def tree(combine: Any) -> Any:
            left = [lanes[i] for i in range(self.lanes)]
            while len(left) > 1:
                left = [combine(left[i], left[i + 1]) for i in range(0, len(left), 2)]
            return n.bind(left[0])

        # What stands behind the last key is a copy of it, and changes no maximum.
        with n.vector() as lane:
            n.store(lanes, scores[q, 0, lane], (lane,))
        with n.serial(self.vectors) as v, n.vector() as lane:
            n.store(lanes, n.tir.max(lanes[lane], scores[q, v, lane]), (lane,))
        most = tree(n.tir.max)
        with n.vector() as lane:
            n.store(lanes, n.number(0), (lane,))
        with n.serial(self.vectors) as v, n.vector() as lane:
            power = n.bind(Functions(n.tir).exp(scores[q, v, lane] - most))
            n.store(scores, power, (q, v, lane))
            n.store(lanes, lanes[lane] + power, (lane,))
        if behind:
            with n.vector() as lane:
                power = scores[q, self.vectors - 1, lane]
                n.store(lanes, lanes[lane] - n.tir.Select(lane < behind, n.number(0), power), (lane,))
        total = tree(lambda a, b: a + b)
        return n.bind(n.number(1) / total)

    def _gather(self, n: Nest, tile: _Queries, chunk: Any, vectors: int, factors: list[Any]) -> None:
        """Stores the tile's results in `vectors` chunks from `chunk` on; `factors` has one over the sum of powers of
        each query."""
        values = 2 * self.heads * self.depth
        sums = [n.local((tile.width, self.lanes)) for _ in range(vectors)]
        n.clear(sums)

        def add(v: Any, key: int) -> None:
            with n.vector() as lane:
                at = (v * self.lanes + key, lane)
                added = [n.bind(tile.data[(tile.image, values + chunk + i, *at)]) for i in range(vectors)]
                for q in range(tile.width):
                    share = n.bind(tile.scores[q, v, key])
                    for i in range(vectors):
                        n.store(sums[i], sums[i][q, lane] + added[i] * share, (q, lane))

        whole, rest = divmod(self.positions, self.lanes)
        if whole:
            with n.serial(whole) as v:
                for key in range(self.lanes):
                    add(v, key)
        for key in range(rest):
            add(whole, key)
        with n.vector() as lane:
            for i in range(vectors):
                for q in range(tile.width):
                    at = (tile.image, chunk + i, tile.first + q, lane)
                    n.store(tile.result, sums[i][q, lane] * factors[q], at)
