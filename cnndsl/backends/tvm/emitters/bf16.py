"""Convolutions and fully connected layers with bfloat16 factors, where that precision was asked for."""

from __future__ import annotations

from typing import Literal

from cnndsl.backends.tvm.emitters.assembly import Assembly, Value
from cnndsl.backends.tvm.emitters.bf16_maps import takes_bf16
from cnndsl.backends.tvm.kernels.bf16 import PAIRS, paired
from cnndsl.backends.tvm.kernels.bf16_conv import Bf16Conv, ranked
from cnndsl.backends.tvm.kernels.bf16_dense import Bf16Dense
from cnndsl.backends.tvm.kernels.words.packing import fill_up, pack_conv, pack_dense, pack_flattened, pack_vector
from cnndsl.backends.tvm.library import load_tvm
from cnndsl.backends.tvm.plan.groups import Group
from cnndsl.ops.conv import Conv


def emit_bf16(a: Assembly, group: Group) -> bool:
    """False for float32, and for layers without such a kernel."""
    if not takes_bf16(group, a.cpu, a.options):
        return False
    (_convolution if isinstance(group.anchor.op, Conv) else _dense)(a, group)
    return True


def _convolution(a: Assembly, group: Group) -> None:
    import numpy as np

    step, op = group.anchor, group.anchor.op
    assert isinstance(op, Conv)
    (x,), name, source = step.xs, group.last.name, a.values[step.inputs[0]]
    kind: Literal["pairs", "packed", "plain"] = "packed"
    if source.pairs is not None:
        kind, data = "pairs", source.pairs
    elif x.channels < a.lanes and source.plain is not None:
        kind, data = "plain", source.plain
    else:
        data = a.packed(step.inputs[0])
    slot = a.slot(name)
    as_pairs = tuple(a.values[r].pairs is not None for r in group.residuals)
    chunks_out, width = a.chunks(step.type.channels), step.type.size[-1]
    gives_pairs = name in a.kept_as_pairs and slot is None
    kernel = a.choose(
        Bf16Conv(
            source=kind,
            batch=a.batch,
            channels=x.channels,
            size=x.size,
            chunks_out=chunks_out,
            window=op.window_over(x),
            tail=group.ops,
            residual_pairs=as_pairs,
            gives_pairs=gives_pairs,
            tile=ranked(chunks_out, width)[0],
        )
    )
    weight = paired(pack_conv(step.weights["weight"], 2 * kernel.pairs, a.lanes), -2)
    bias = pack_vector(step.weights.get("bias", np.zeros(step.type.channels, np.float32)), a.lanes)
    arguments = [data, a.constant(f"{step.name}.weight", weight), a.constant(f"{step.name}.bias", bias)]
    for residual, pairs in zip(group.residuals, as_pairs, strict=True):
        arguments.append(a.values[residual].pairs if pairs else a.packed(residual))
    shape = a.packed_shape(step.type)
    if gives_pairs:
        made = a.call(kernel, arguments, (*shape[:-1], PAIRS), dtype="int32")
        a.values[name] = Value(group.last.type, pairs=made)
    else:
        made = a.call(kernel, arguments, shape, a.memory(slot, step.type) if slot else None)
        a.values[name] = Value(group.last.type, packed=made, slot=slot)


def _dense(a: Assembly, group: Group) -> None:
    import numpy as np

    step = group.anchor
    relax, units, source = load_tvm().relax, step.type.channels, a.values[step.inputs[0]].flattened
    weight = step.weights["weight"]
    if source is None:
        data = a.plain(step.inputs[0])
        if weight.shape[1] % 2:
            weight = fill_up(weight, 1, 2)
            data = a.builder.emit(relax.op.nn.pad(data, [0, 0, 0, 1]))
    else:
        image = a.values[source].type
        weight = pack_flattened(weight, image.channels, image.elements // image.channels, a.lanes)
        data = a.builder.emit(relax.op.reshape(a.packed(source), (a.batch, weight.shape[1])))
    vectors = min(4, a.chunks(units))
    bias = fill_up(step.weights.get("bias", np.zeros(units, np.float32)), 0, vectors * a.lanes)
    bias = bias.reshape(-1, vectors, a.lanes)
    packed = paired(pack_dense(weight, vectors, a.lanes), 1)
    kernel = Bf16Dense(a.batch, weight.shape[1], len(bias), vectors, group.ops)
    arguments = [data, a.constant(f"{step.name}.weight", packed), a.constant(f"{step.name}.bias", bias)]
    y = a.call(kernel, arguments, (a.batch, *bias.shape))
    y = a.builder.emit(relax.op.reshape(y, (a.batch, bias.size)))
    if bias.size != units:
        y = a.builder.emit(relax.op.strided_slice(y, [1], [0], [units]))
    a.values[group.last.name] = Value(group.last.type, plain=y)
