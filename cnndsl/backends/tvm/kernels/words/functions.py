"""Functions of one number that vectorise: what `Op.pointwise` is given to write with.

TVM's own `exp` and its kin call the C library once per lane. These are polynomials over the whole vector, to about
two units in the last place of float32 (Cephes, Moshier 1989; `erf` by Abramowitz and Stegun 7.1.26, 1.5e-7 absolute).
"""

from __future__ import annotations

from typing import Any

_LIGHT = 2
"""Instructions of a light op."""
_OPERANDS = ("a", "b", "value", "condition", "true_value", "false_value")
"""Attributes of TIR's nodes that hold an operand; those of calls are in `args`."""
_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
_LOG = (
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
_ERF = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


class Functions:
    """The vocabulary of `tvm.tirx`, with `exp`, `log1p`, `sigmoid`, `tanh` and `erf` replaced for float32."""

    def __init__(self, tir: Any) -> None:
        self._tir = tir

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tir, name)

    def exp(self, x: Any) -> Any:
        """`2^n · e^r` with whole n and |r| ≤ ln 2 / 2; beyond ±87 the nearest finite value."""
        tir = self._tir
        x = tir.max(tir.min(x, _f32(tir, 88.0)), _f32(tir, -87.0))
        n = tir.floor(x * _f32(tir, 1.44269504088896341) + _f32(tir, 0.5))
        # ln 2 in two parts, of which the first is exact in few bits.
        r = x - n * _f32(tir, 0.693359375) + n * _f32(tir, 2.12194440e-4)
        power = tir.reinterpret("float32", (n.astype("int32") + tir.const(127, "int32")) << tir.const(23, "int32"))
        return (_polynomial(tir, _EXP, r) * r * r + r + _f32(tir, 1)) * power

    def log1p(self, x: Any) -> Any:
        """`ln(1 + x)` for finite x from 0 on."""
        tir = self._tir
        u = _f32(tir, 1) + x
        # u = 2^n · (1 + r) with 1 + r between √½ and √2, read from its bits; r is x itself, not yet rounded, where n
        # is 0.
        bits, mantissa = tir.reinterpret("int32", u), tir.const(23, "int32")
        n = (bits - tir.const(0x3F3504F3, "int32")) >> mantissa
        r = tir.reinterpret("float32", bits - (n << mantissa)) - _f32(tir, 1)
        r = tir.Select(tir.EQ(n, tir.const(0, "int32")), x, r)
        e = n.astype("float32")
        series = _polynomial(tir, _LOG, r) * r * r * r - e * _f32(tir, 2.12194440e-4) - _f32(tir, 0.5) * r * r
        return series + r + e * _f32(tir, 0.693359375)

    def sigmoid(self, x: Any) -> Any:
        one = _f32(self._tir, 1)
        return one / (one + self.exp(-x))

    def tanh(self, x: Any) -> Any:
        one, two = _f32(self._tir, 1), _f32(self._tir, 2)
        return one - two / (self.exp(two * x) + one)

    def erf(self, x: Any) -> Any:
        tir = self._tir
        size = tir.max(x, -x)
        t = _f32(tir, 1) / (_f32(tir, 1) + _f32(tir, 0.3275911) * size)
        y = _f32(tir, 1) - _polynomial(tir, _ERF, t) * t * self.exp(-size * size)
        return tir.Select(x < _f32(tir, 0), -y, y)


def _f32(tir: Any, number: float) -> Any:
    return tir.const(number, "float32")


def _polynomial(tir: Any, coefficients: tuple[float, ...], x: Any) -> Any:
    result = _f32(tir, coefficients[0])
    for coefficient in coefficients[1:]:
        result = result * x + _f32(tir, coefficient)
    return result


def finish(tir: Any, value: Any, tail: tuple[Any, ...], residuals: list[Any]) -> Any:
    """An element after its tail: the pointwise ops in order, None the sum with the next of `residuals`."""
    functions, left = Functions(tir), iter(residuals)
    for op in tail:
        value = value + next(left) if op is None else op.pointwise(functions, value)
    return value


def is_light(tir: Any, op: Any) -> bool:
    """Whether the pointwise op is an instruction or two, such as a rectifier's."""
    return _operations(op.pointwise(Functions(tir), tir.Var("x", "float32"))) <= _LIGHT


def _operations(expression: Any) -> int:
    """The operations of a TIR expression; of a long one some number above `_LIGHT`, as it is not counted to its end."""
    count, left = 0, [expression]
    while left and count <= _LIGHT:
        node = left.pop()
        operands = [part for name in _OPERANDS if hasattr(part := getattr(node, name, None), "ty")]
        operands += getattr(node, "args", ())
        count += bool(operands)
        left += operands
    return count
