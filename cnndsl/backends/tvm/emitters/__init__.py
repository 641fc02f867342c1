"""Groups → calls of kernels. An emitter takes a group of its kind and answers True, or answers False and does nothing.

In `EMITTERS` each group goes to the first that takes it; the last one takes everything.
"""

from collections.abc import Callable

from cnndsl.backends.tvm.emitters.attention_heads import emit_attention
from cnndsl.backends.tvm.emitters.bf16 import emit_bf16
from cnndsl.backends.tvm.emitters.convolution import emit_convolution
from cnndsl.backends.tvm.emitters.dense import emit_dense, emit_flatten
from cnndsl.backends.tvm.emitters.elementwise import emit_elementwise
from cnndsl.backends.tvm.emitters.layout import emit_laid_out, emit_moved_channels
from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.norms import emit_embedding, emit_group_norm, emit_position_norm
from cnndsl.backends.tvm.emitters.plain_form import emit_plain_form
from cnndsl.backends.tvm.emitters.pooling import emit_global_pooling, emit_pooling, emit_unchanged
from cnndsl.backends.tvm.emitters.projections import emit_projection
from cnndsl.backends.tvm.emitters.resampling import emit_pixel_shuffle, emit_resampling
from cnndsl.backends.tvm.emitters.routing import emit_route
from cnndsl.backends.tvm.plan.groups import Group

Emitter = Callable[[MainFunction, Group], bool]

EMITTERS: tuple[Emitter, ...] = (
    emit_bf16,
    emit_projection,
    emit_convolution,
    emit_attention,
    emit_position_norm,
    emit_group_norm,
    emit_embedding,
    emit_moved_channels,
    emit_laid_out,
    emit_unchanged,
    emit_global_pooling,
    emit_pooling,
    emit_dense,
    emit_flatten,
    emit_route,
    emit_resampling,
    emit_pixel_shuffle,
    emit_elementwise,
    emit_plain_form,
)
