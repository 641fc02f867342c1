"""Guards `backends/tvm/emitters/recording/memory.py`. The memory of a plan is that of the compiled network, byte for byte, and no two
tensors that are needed at the same time lie in each other's place.
"""

from __future__ import annotations

import pytest

from cnndsl.arrays.weights import initial_weights
from cnndsl.backends.tvm.code.sequence import sequence
from cnndsl.backends.tvm.emitters.assemble import assemble
from cnndsl.backends.tvm.emitters.recording.memory import Room, place, room_of
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.lower import lowered_module
from cnndsl.backends.tvm.program.passes import program_of, program_without_weights
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.pipeline import load, parse_text

RESIDUAL = "input 3×32×32\nConv3x3(32) → ReLU → [add{ Conv3x3(32) → ReLU → Conv3x3(32) | id } → ReLU]×2 → GlobalAvgPool → FC(10)"
JOINED = (
    "input 16×16×16\ncat{ Conv1x1(32) → ReLU | Conv3x3(64) → ReLU } → cat{ id | Conv3x3(32) } → MaxPool → Conv1x1(20)"
)
TWO = "input 16×16×16\nConv3x3(32) → ReLU as a → Conv3x3(32) as b\noutput a\noutput b"


def test_rooms_that_are_needed_together_do_not_overlap() -> None:
    rooms = [Room(100, 0, 1), Room(200, 1, 2), Room(60, 2, 3), Room(300, 3, 4), Room(64, 0, 4)]
    whole = place(rooms)
    for a in rooms:
        assert a.at % 64 == 0
        assert a.at + a.size <= whole
        for b in rooms:
            if a is not b and a.first <= b.last and b.first <= a.last:
                assert a.at + a.size <= b.at or b.at + b.size <= a.at


def test_memory_is_used_again() -> None:
    assert place([Room(640, 0, 1), Room(640, 2, 3), Room(640, 1, 2)]) == 1280


@pytest.mark.tvm
@pytest.mark.parametrize("text", ["lenet5", RESIDUAL, JOINED, TWO])
def test_the_plan_knows_the_memory_of_the_compiled_network(text: str) -> None:
    graph = load(text).graph if text == "lenet5" else parse_text(text).graph
    job = Job(find_cpu("llvm"))
    _, lowered, constants, _ = lowered_module(program_of(graph, initial_weights(graph, 0)), job)
    assert room_of(assemble(program_without_weights(graph), job)) == sequence(lowered, list(constants)).room
