"""Random networks of what published ones are made of, and of every layer and merge there is; each seed gives one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from math import prod
from random import Random

from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.op import registry
from cnndsl.pipeline import parse_text
from tests.trust.motifs import BLANKS, HEADS, KINDS, Kind

BIGGEST = 120_000
"""Elements of the largest map that a network here grows to."""

WORK = 150_000_000
"""Multiply-adds of the largest network here."""

WEIGHTS = 3_000_000

SHAPES = ("12", "4×9", "6×24", "3×8×8", "4×9×10", "8×14×15", "16×17×17", "5×5×7", "2×4×6×6", "3×5×5×5")


@cache
def examples() -> tuple[str, ...]:
    """Every layer's own examples; those that give names to tensors cannot be put behind each other."""
    texts = [text for _, op in sorted(registry().items()) for text, _ in op.examples if op.word != "Embedding"]
    return tuple(dict.fromkeys(text for text in texts if not re.search(r"\bas\b|=\s*in\b|^\w+:|→ \w+: ", text)))


@cache
def kinds() -> tuple[Kind, ...]:
    """Those of networks, and one of everything."""
    return (*KINDS.values(), Kind(SHAPES, examples()))


@dataclass(frozen=True)
class Case:
    """A program, and how it is compiled and run; as a file its first line says how."""

    text: str
    target: str = "llvm"
    precision: str = "f32"
    strict: bool = False
    batch: tuple[int, ...] = (1,)
    count: int = 1
    """Examples that are given at once."""
    tuned: int = 0
    """What draws other settings for kernels than the rules', as tuning may find them; 0 draws none."""

    def __str__(self) -> str:
        batch = "+".join(map(str, self.batch))
        how = f"target={self.target} precision={self.precision} strict={int(self.strict)} batch={batch}"
        return f"# {how} count={self.count} tuned={self.tuned}\n{self.text}\n"


def case_of(file: str) -> Case:
    """What `str` of a case gave; only the program where it is no more."""
    how, _, text = file.partition("\n")
    words = dict(word.split("=", 1) for word in how.removeprefix("#").split() if "=" in word)
    if "target" not in words:
        return Case(file.strip())
    batch, count, tuned = tuple(map(int, words["batch"].split("+"))), int(words["count"]), int(words.get("tuned", 0))
    return Case(text.strip(), words["target"], words["precision"], words["strict"] == "1", batch, count, tuned)


def case(seed: int) -> Case:
    """The network of a seed: kinds take turns. Half are compiled for this machine, one example, in float32, by
    the rules."""
    random = Random(seed)
    text = network(random, kinds()[seed % len(kinds())])
    way = random.randrange(18)
    if way == 0:
        return Case(text, strict=True)
    if way in (1, 2):
        return Case(text, precision="bf16", batch=(random.randint(1, 2),), count=random.randint(1, 3))
    if way in (3, 4):
        return Case(text, batch=random.choice([(2,), (1, 2), (3,)]), count=random.randint(1, 3))
    if way in (5, 6):
        return Case(text, target=random.choice(["x86-64-v3", "x86-64-v2"]), count=random.randint(1, 2))
    if way in (7, 8, 9):
        return Case(text, tuned=seed + 1)
    return Case(text)


def network(random: Random, kind: Kind) -> str:
    """A program that builds: each element drawn is kept if the network still builds with it."""
    shape = random.choice(kind.inputs)
    lines = [filled(random, kind.blocks)] if kind.blocks else []
    chain: list[str] = []
    if random.randrange(8) == 0:
        lines += [f"input left: {shape}", f"input right: {shape}"]
        merge = random.choice(["add", "cat", "mul", "max"])
        chain.append(f"{merge}{{ left | right }}")
    else:
        lines.append(f"input image: {shape}")

    def grown(element: str) -> bool:
        # `in` of a block is what arrives at it.
        name = f"Part{len(lines)}"
        block, word = ([f"block {name} {{ {element} }}"], name) if "in." in element else ([], element)
        longer, further = [*block, *lines], [*chain, word]
        if not builds("\n".join([*longer, " → ".join(further)])):
            return False
        lines[:], chain[:] = longer, further
        return True

    if kind.first:
        grown(filled(random, random.choice(kind.first)))
    wanted = random.choice([1, 2, 2, 3, 3, 4, 5])
    for _ in range(3 * wanted):
        source = kind if random.randrange(6) else random.choice(kinds()[:-1])
        wanted -= grown(filled(random, random.choice(source.elements)))
        if wanted == 0:
            break
    if random.randrange(3) == 0:
        grown(filled(random, random.choice(HEADS)))
    chain = chain or ["Identity"]
    return with_taps(random, lines, chain) or "\n".join([*lines, " → ".join(chain)])


def with_taps(random: Random, lines: list[str], chain: list[str]) -> str | None:
    """The network with outputs on its way, now and then, where it has such places."""
    if len(chain) < 2 or random.randrange(4):
        return None
    taps = sorted(random.sample(range(len(chain) - 1), random.randint(1, min(2, len(chain) - 1))))
    named = [f"[{part}] as tap{i}" if i in taps else part for i, part in enumerate(chain)]
    named[-1] = f"[{named[-1]}] as last"
    outputs = [*(f"tap{i}" for i in taps), "last"]
    random.shuffle(outputs)
    text = "\n".join([*lines, " → ".join(named), f"output {', '.join(outputs)}"])
    return text if builds(text) else None


def filled(random: Random, text: str) -> str:
    """The text with its holes filled."""
    text = text.replace("{w}", random.choice(BLANKS["w"]))
    while found := re.search(r"\{(\w+)\}", text):
        text = text[: found.start()] + random.choice(BLANKS[found[1]]) + text[found.end() :]
    return text


def builds(text: str) -> bool:
    """Whether it is a network, and a small one."""
    try:
        graph = parse_text(text).graph
    except CnnError:
        return False
    macs = sum(node.op.macs(graph.input_types(node), node.type) for node in graph.nodes)
    weights = sum(prod(entry.weight.shape) for entry in graph.weights)
    return macs <= WORK and weights <= WEIGHTS and all(node.type.elements <= BIGGEST for node in graph.nodes)
