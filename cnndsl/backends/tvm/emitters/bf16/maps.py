"""Where bfloat16 is used: on which processors, for which groups, and which maps are kept as pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnndsl.backends.tvm.job import Job
from cnndsl.backends.tvm.kernels.choice import Cost, alternatives, cost
from cnndsl.backends.tvm.kernels.direct_conv import DirectConv
from cnndsl.backends.tvm.target import Cpu, Gpu
from cnndsl.diagnostics.errors import fault
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC

if TYPE_CHECKING:
    from cnndsl.backends.tvm.plan.groups import Group
    from cnndsl.backends.tvm.program.steps import Program

FEATURE = "avx512_bf16"
"""The instructions, by Linux's name."""


def refuse_without_bf16(target: Cpu | Gpu) -> None:
    """Raises `CnnError` (unsupported-by-target) for processors without dot products of bfloat16."""
    if isinstance(target, Cpu) and target.kind == "llvm" and FEATURE in target.features:
        return
    raise fault(
        "unsupported-by-target",
        f"`{target.name}` has no instructions for products of bfloat16",
        notes=(
            "expected a processor with AVX512_BF16: AMD from Zen 4 on (`znver4`), Intel's Cooper Lake and "
            "from Sapphire Rapids on (`cooperlake`, `sapphirerapids`)",
        ),
        help="leave `--precision bf16` out, or name such a processor: `--target llvm:znver4`",
    )


def takes_bf16(group: Group, job: Job) -> bool:
    """Whether the group's products are of bfloat16 numbers: of dense convolutions with zeros around, and of `FC` of
    vectors, except where Winograd's algorithm, which bfloat16 would be too coarse for, is faster in float32."""
    if job.options.precision != "bf16":
        return False
    step, op = group.anchor, group.anchor.op
    if isinstance(op, FC):
        return step.xs[0].kind == "vector" and step.xs[0].dtype == "float32"
    if not isinstance(op, Conv) or not step.is_image or op.pad_mode != "zeros" or op.groups != 1:
        return False
    return job.options.strict_numerics or not _faster_in_f32(group, op, job)


def _faster_in_f32(group: Group, op: Conv, job: Job) -> bool:
    step, lanes = group.anchor, job.cpu.lanes
    (x,) = step.xs
    if x.channels < lanes:
        return False
    chunks, chunks_out = -(-x.channels // lanes), -(-step.type.channels // lanes)
    direct = DirectConv(
        job.batch,
        x.size,
        chunks,
        lanes,
        False,
        chunks_out,
        lanes,
        chunks,
        chunks_out,
        op.window_over(x),
        group.ops,
        (1, 1),
    )
    _, *fast = alternatives(direct, job.cpu)
    same = cost(direct)
    # Two products in a multiply-add, with 5 % for reading the maps as pairs; weights of half the size.
    pairs = Cost(same.work / 1.9, same.traffic / 2)
    return any(cost(kernel).cycles < pairs.cycles for kernel in fast)


def kept_as_pairs(groups: Sequence[Group], program: Program, job: Job) -> frozenset[str]:
    """The maps that a convolution in bfloat16 makes and that only convolutions in bfloat16 read."""
    convolutions = [g for g in groups if takes_bf16(g, job) and isinstance(g.anchor.op, Conv)]
    foreign = {name for g in groups if g not in convolutions for name in g.inputs} | set(program.outputs.values())
    return frozenset(g.last.name for g in convolutions) - foreign


def left_in_f32(groups: Sequence[Group], job: Job) -> tuple[str, ...]:
    """The layers that multiply by weights in float32, in order."""
    return tuple(g.anchor.name for g in groups if "weight" in g.anchor.weights and not takes_bf16(g, job))
