"""Groups → calls of kernels. An emitter takes a group of its kind and answers True, or answers False and does nothing.

Each group goes to the first emitter of `EMITTERS` that takes it; the last one takes everything.
"""

from collections.abc import Callable

from cnndsl.backends.tvm.emitters.attention_heads import emit_attention
from cnndsl.backends.tvm.emitters.bf16.products import emit_bf16
from cnndsl.backends.tvm.emitters.convolution import emit_convolution
from cnndsl.backends.tvm.emitters.dense import emit_dense, emit_flatten
from cnndsl.backends.tvm.emitters.elementwise import emit_elementwise
from cnndsl.backends.tvm.emitters.layout import emit_laid_out, emit_moved_channels
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.norms import emit_embedding, emit_group_norm, emit_position_norm
from cnndsl.backends.tvm.emitters.parametric_relu import emit_parametric_relu
from cnndsl.backends.tvm.emitters.plain_form import emit_plain_form
from cnndsl.backends.tvm.emitters.pooling import emit_global_pooling, emit_pooling, emit_unchanged
from cnndsl.backends.tvm.emitters.projections import emit_projection
from cnndsl.backends.tvm.emitters.resampling import emit_pixel_shuffle, emit_resampling
from cnndsl.backends.tvm.emitters.routing import emit_route
from cnndsl.backends.tvm.plan.groups import Group

Emitter = Callable[[MainFunction, Group], bool]

EMITTERS: tuple[Emitter, ...] = (
    # Before all float32 kernels of convolutions and fully connected layers: it takes those whose products were asked
    # for in bfloat16, and no others.
    emit_bf16,
    # Before other convolutions: a window of one is a matrix product, whose kernel needs no padding and keeps wider
    # tiles.
    emit_projection,
    # All other convolutions.
    emit_convolution,
    # The next five take layers that no other emitter takes; they could stand in any order.
    emit_attention,
    emit_position_norm,
    emit_group_norm,
    emit_embedding,
    emit_parametric_relu,
    # An exchange of axes or a reshape that leaves the packed memory as it is: no kernel at all.
    emit_moved_channels,
    emit_laid_out,
    # `AdaptiveAvgPool` has four forms, the cheapest first: nothing to do, the mean of everything, windows of one
    # size, and windows of several sizes, which `emit_resampling` takes below.
    emit_unchanged,
    emit_global_pooling,
    emit_pooling,
    # The next two meet: `emit_flatten` computes nothing, and `emit_dense` then reads the packed map that was flattened.
    emit_dense,
    emit_flatten,
    # The next three take packed maps only: what arrives plain is left to the plain form, which then need not be packed.
    emit_route,
    emit_resampling,
    emit_pixel_shuffle,
    # Pointwise steps, sums and products that no other layer took into its tail; could stand anywhere before the last.
    emit_elementwise,
    # Last: every layer has a plain form.
    emit_plain_form,
)
