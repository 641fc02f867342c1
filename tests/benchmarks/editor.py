"""What typing costs: a tree for each state, and from an edit to diagnostics and hints. Run by `make bench`.

CPU milliseconds of this process, so that a busy machine does not count; the median of the trees, and the 95th percentile of
what the language server does between an edit and its answer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from statistics import median, quantiles

from cnndsl.diagnostics.source import Source
from cnndsl.disk import shelf
from cnndsl.lsp.serve import settle
from cnndsl.service.analysis import Analysis
from cnndsl.service.facts import facts, kept
from cnndsl.service.problems import problems
from cnndsl.syntax.tolerant.parse import parse_tolerant
from tests.syntax.typing_states import states

ASKED = {"resnet": 50.0, "efficientnet": 120.0}
STATES = 80


def milliseconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def typed(source: Source, seed: int) -> list[tuple[str, int]]:
    """Texts as somebody types an element of a chain again, and where the cursor is."""
    draw, text = random.Random(seed), source.text
    starts = [i for i in range(len(text)) if text.startswith("→ ", i)]
    found: list[tuple[str, int]] = []
    while len(found) < STATES:
        start = draw.choice(starts)
        end = text.find("\n", start)
        for number, state in enumerate(states(text, start, end, closing=draw.random() < 0.5)):
            found.append((state, start + number))
    return draw.sample(found, STATES)


def studied(name: str, text: str, offset: int) -> None:
    """What the server works out before it answers."""
    analysis = Analysis(Source(name, text))
    first = [analysis.model_at(offset)] if analysis.models else []
    now = facts(analysis, first)
    problems(analysis, first)
    kept(now, text, text, now, whole=False)


def studying(name: str, text: str, offset: int) -> float:
    return milliseconds(lambda: studied(name, text, offset))


def main() -> None:
    settle()
    sources = {source.name[14:-4]: source for source in shelf.sources()}
    trees = []
    for seed, source in enumerate(random.Random(1).sample(list(sources.values()), 8)):
        trees += [milliseconds(lambda t=t: parse_tolerant(Source("net.cnn", t))) for t, _ in typed(source, seed)[:20]]  # type: ignore[misc]
    print(f"a tree for a state of typing, {len(trees)} states: median {median(trees):.1f} ms (asked: 15)")
    for name, asked in ASKED.items():
        source = sources[name]
        studied(source.name, source.text, 0)
        taken = [studying(source.name, text, offset) for text, offset in typed(source, 0)]
        last = quantiles(taken, n=20)[-1]
        print(
            f"{name}.cnn, edit to diagnostics and hints: median {median(taken):.1f} ms, p95 {last:.1f} ms (asked: {asked:.0f})"
        )


if __name__ == "__main__":
    main()
