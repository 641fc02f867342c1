"""Guards `backends/tvm/emitters/parametric_relu.py` and `backends/tvm/kernels/parametric_relu.py`. PyTorch's
numbers; `docs/adding-a-kernel.md`, which shows both.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnndsl.arrays.weights import initial_weights
from cnndsl.backends import tvm
from cnndsl.backends.tvm.emitters.assemble import assemble
from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.parametric_relu import ParametricReLU
from cnndsl.backends.tvm.program.passes import program_of
from cnndsl.backends.tvm.target import find_cpu
from cnndsl.pipeline import parse_text
from tests.backends.tvm.against_torch import relative_error
from tests.few import few

ROOT = Path(__file__).parents[4]


@pytest.mark.tvm
@pytest.mark.parametrize(
    "text",
    [
        "input 3×5×7\nConv3x3(20) → PReLU → Conv1x1(4)",
        "input 3×5×7\nConv3x3(20) → PReLU(per_channel=true) → Conv1x1(4)",
        "input 3×133\nConv3(17) → PReLU(per_channel=true)",
        "input 2×3×4×5\nConv3x3x3(20) → PReLU(per_channel=true) → cat{ id | Conv1x1x1(16) } → MaxPool2x2x2",
    ],
)
@pytest.mark.parametrize(("batch", "target"), few([(2, "llvm:x86-64-v3"), (1, "llvm")], 1))
def test_between_convolutions(text: str, batch: int, target: str) -> None:
    graph = parse_text(text).graph
    cpu = find_cpu(target)
    calls = assemble(program_of(graph, initial_weights(graph, 0)), Job(cpu, batch=batch)).calls
    assert [type(call.kernel) for call in calls].count(ParametricReLU) == 1
    assert relative_error(graph, batch=batch, count=batch, target=target) < 1e-5


def test_the_page_on_adding_a_kernel_shows_the_files_as_they_are() -> None:
    page = (ROOT / "docs" / "adding-a-kernel.md").read_text("utf-8")
    shown = re.findall(r"^   ```py\n(.*?)^   ```$", page, re.DOTALL | re.MULTILINE)
    room = ROOT / "cnndsl" / "backends" / "tvm"
    files = [(room / name / "parametric_relu.py").read_text("utf-8") for name in ("kernels", "emitters")]
    assert [re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in shown] == files


def test_the_page_on_adding_a_kernel_has_the_glossary_of_the_room() -> None:
    page = (ROOT / "docs" / "adding-a-kernel.md").read_text("utf-8")
    assert tvm.__doc__ is not None
    _, bullet, words = tvm.__doc__.partition("- ")
    assert len(words.splitlines()) > 20
    assert bullet + words.rstrip() in page
