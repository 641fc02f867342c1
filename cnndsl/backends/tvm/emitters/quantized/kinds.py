"""Groups on whole numbers → calls of kernels, by their kind."""

from __future__ import annotations

from collections.abc import Callable

from cnndsl.backends.tvm.emitters.main_function import MainFunction
from cnndsl.backends.tvm.emitters.quantized.elementwise import emit_elementwise, emit_table, emit_window
from cnndsl.backends.tvm.emitters.quantized.moves import emit_move
from cnndsl.backends.tvm.emitters.quantized.products import emit_portable_product
from cnndsl.backends.tvm.emitters.quantized.vnni import emit_vnni_product
from cnndsl.backends.tvm.kernels.words.quads import takes_quads
from cnndsl.backends.tvm.plan.quantized import Kind, QuantizedGroup
from cnndsl.backends.tvm.target import Cpu, Gpu, find_targets
from cnndsl.diagnostics.errors import fault


def emit_quantized(main: MainFunction, group: QuantizedGroup) -> bool:
    """False for groups of kind float."""
    emit = _EMITTERS.get(group.kind)
    if emit is None:
        return False
    emit(main, group)
    return True


def refuse_without_int8(target: Cpu | Gpu) -> None:
    """Raises `CnnError` (unsupported-by-target) for GPUs."""
    if isinstance(target, Gpu):
        raise fault(
            "unsupported-by-target",
            f"there are no kernels on whole numbers for `{target.name}`",
            notes=("expected a processor, or C source",),
            help="leave `--precision int8` out, or compile for processors: `--target portable`",
        )


def without_dot_products(target: str) -> tuple[str, ...]:
    """Of the processors that a target names those which have no instruction for products of whole numbers of 8 bits; there the
    portable kernels compute the same bits, no faster than float32. Raises `CnnError` (unknown-target)."""
    found = find_targets(target)
    return () if isinstance(found, Gpu) else tuple(cpu.name for cpu in found if not takes_quads(cpu))


def emit_product(main: MainFunction, group: QuantizedGroup) -> None:
    """Kind `product`: by the kernels for the processor, where they take it."""
    if not emit_vnni_product(main, group):
        emit_portable_product(main, group)


_EMITTERS: dict[Kind, Callable[[MainFunction, QuantizedGroup], None]] = {
    "product": emit_product,
    "sum": emit_elementwise,
    "scaled": emit_elementwise,
    "norm": emit_elementwise,
    "mean": emit_window,
    "max": emit_window,
    "table": emit_table,
    "move": emit_move,
}
