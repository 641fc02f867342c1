"""A small network with several kinds of kernels."""

from __future__ import annotations

import cnndsl
from cnndsl.arrays.weights import initial_weights
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.backends.tvm.tuning.problems import Subject

TEXT = """
input 3×30×30
Conv3x3(24, stride=2) → ReLU → Conv1x1(32) → ReLU → Conv3x3(32) → ReLU → GlobalAvgPool → Flatten → FC(50)
"""


def subject_of(text: str, batch: int = 1) -> Subject:
    graph = cnndsl.parse(text, "small").graph
    return Subject(graph.name, program_of(graph, initial_weights(graph, 0)), Job(find_cpu("llvm"), batch=batch))
