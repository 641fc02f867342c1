"""One scheduled kernel → a C function that reads like its loops.

`parallel` loops get OpenMP's pragma, vector loops `omp simd`, unrolled loops GCC's; a compiler that knows none of them
gives the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from cnndsl.backends.tvm.library import load_tvm
from cnndsl.diagnostics.errors import MissingPart

TYPES = {
    "float32": "float", "float64": "double", "int64": "int64_t", "int32": "int32_t", "int16": "int16_t",
    "int8": "int8_t", "uint32": "uint32_t", "uint8": "uint8_t", "bool": "uint8_t",
}  # fmt: skip

_BINARY = {
    "Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Mod": "%", "EQ": "==", "NE": "!=", "LT": "<", "LE": "<=",
    "GT": ">", "GE": ">=", "And": "&&", "Or": "||", "LShift": "<<", "RShift": ">>", "BitwiseAnd": "&",
    "BitwiseOr": "|", "BitwiseXor": "^",
}  # fmt: skip
_ASSOCIATIVE = {"+", "*", "&&", "||"}
_OPERATORS = {"shift_left": "<<", "shift_right": ">>", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^"}
_FUNCTIONS = {
    "exp", "log", "log2", "log1p", "exp2", "sqrt", "tanh", "sinh", "cosh", "sin", "cos", "tan", "atan", "atan2", "erf",
    "pow", "fabs", "floor", "ceil", "round", "nearbyint", "trunc", "fmod", "fma",
}  # fmt: skip
_BITS = {("int32", "float32"): "float_of_bits", ("float32", "int32"): "bits_of_float"}
_MOST_ON_STACK = 16 * 1024
"""Bytes of one array inside a parallel loop; larger ones are allocated."""
_LINE = 64
"""Bytes that every array starts at a multiple of."""


class CFunction:
    """The text of a kernel, `text`, and how many bytes of scratch memory it takes, `scratch`, as its last argument."""

    def __init__(self, name: str, function: Any) -> None:
        self.name = name
        self.scratch = 0
        self._tirx = load_tvm().tirx
        self._names: dict[Any, str] = {}
        self._taken = {"scratch", name}
        self._parallel = 0
        types = [(TYPES[buffer_type(p)], p) for p in function.params]
        arguments = [
            f"{'' if i == len(types) - 1 else 'const '}{type} *restrict {self._named(p)}"
            for i, (type, p) in enumerate(types)
        ]
        body = "\n".join(self._statement(function.body, 1))
        arguments.append("unsigned char *restrict scratch")
        self.arguments = len(types)
        unused = "" if self.scratch else "  (void)scratch;\n"
        self.text = f"static void {name}({', '.join(arguments)}) {{\n{unused}{body}\n}}\n"

    def _named(self, variable: Any) -> str:
        if variable not in self._names:
            word = "".join(c if c.isalnum() and c.isascii() else "_" for c in variable.name) or "v"
            word = word if word[0].isalpha() and word not in _KEYWORDS else f"v_{word}"
            name, number = word, 0
            while name in self._taken:
                number += 1
                name = f"{word}_{number}"
            self._taken.add(name)
            self._names[variable] = name
        return self._names[variable]

    # ---- statements

    def _statement(self, s: Any, depth: int) -> Iterator[str]:
        pad = "  " * depth
        match type(s).__name__:
            case "SeqStmt":
                yield from self._sequence(s, depth)
            case "For":
                yield from self._loop(s, depth)
            case "BufferStore":
                place = f"{self._named(s.buffer)}[{self._value(s.indices[0])}]"
                yield f"{pad}{place} = {_bare(self._value(s.value))};"
            case "IfThenElse":
                yield f"{pad}if ({_bare(self._value(s.condition))}) {{"
                yield from self._statement(s.then_case, depth + 1)
                if s.else_case is not None:
                    yield f"{pad}}} else {{"
                    yield from self._statement(s.else_case, depth + 1)
                yield f"{pad}}}"
            case "Bind":
                yield f"{pad}{_type_of(s.value)} {self._named(s.var)} = {_bare(self._value(s.value))};"
            case "AttrStmt":
                yield from self._statement(s.body, depth)
            case "DeclBuffer":
                self._names[s.buffer] = self._named(_root(s.data))
            case "AllocBuffer":
                yield from (pad + line for line in self._allocated(s.buffer))
            case "Evaluate" if _is_hint(s.value):
                return
            case other:
                raise _unwritten(self.name, other)

    def _sequence(self, s: Any, depth: int) -> Iterator[str]:
        held = []
        for part in s.seq:
            yield from self._statement(part, depth)
            if type(part).__name__ == "AllocBuffer" and self._parallel and _bytes(part.buffer) > _MOST_ON_STACK:
                held.append(self._named(part.buffer))
        yield from (f"{'  ' * depth}free({name});" for name in held)

    def _loop(self, s: Any, depth: int) -> Iterator[str]:
        pad, kind, name = "  " * depth, int(s.kind), self._named(s.loop_var)
        kinds = self._tirx.ForKind
        first = _bare(self._value(s.min))
        last = self._value(s.min + s.extent)
        if kind == kinds.PARALLEL and not self._parallel:
            yield f"{pad}#pragma omp parallel for"
        elif kind == kinds.VECTORIZED:
            yield f"{pad}#pragma omp simd"
        elif kind == kinds.UNROLLED:
            yield f"{pad}UNROLL({self._value(s.extent)})"
        elif kind not in (kinds.SERIAL, kinds.PARALLEL):
            raise _unwritten(self.name, f"a loop of kind {kind}")
        yield f"{pad}for (int32_t {name} = {first}; {name} < {_bare(last)}; ++{name}) {{"
        self._parallel += kind == kinds.PARALLEL
        yield from self._statement(s.body, depth + 1)
        self._parallel -= kind == kinds.PARALLEL
        yield f"{pad}}}"

    def _allocated(self, buffer: Any) -> Iterator[str]:
        type, name, count = TYPES[buffer_type(buffer)], self._named(buffer), _count(buffer)
        if not self._parallel:
            yield f"{type} *restrict {name} = ({type} *)(scratch + {self.scratch});"
            self.scratch += -(-_bytes(buffer) // _LINE) * _LINE
        elif _bytes(buffer) <= _MOST_ON_STACK:
            yield f"_Alignas({_LINE}) {type} {name}[{count}];"
        else:
            yield f"{type} *restrict {name} = malloc({count} * sizeof({type}));"

    # ---- values; all but names, numbers and calls are in parentheses

    def _value(self, e: Any) -> str:
        kind = type(e).__name__
        if kind in _BINARY:
            return self._binary(_BINARY[kind], e.a, e.b)
        match kind:
            case "Var":
                return self._named(e)
            case "IntImm":
                return f"INT64_C({e.value})" if abs(e.value) >= 2**31 else str(e.value)
            case "FloatImm":
                return _number(float(e.value), _dtype(e))
            case "Min" | "Max":
                return f"{kind.upper()}({_bare(self._value(e.a))}, {_bare(self._value(e.b))})"
            case "Not":
                return f"(!{self._value(e.a)})"
            case "Cast":
                return f"({TYPES[_dtype(e)]})({_bare(self._value(e.value))})"
            case "Select":
                return self._chosen(e.condition, e.true_value, e.false_value)
            case "TensorLoad":
                return f"{self._named(e.source)}[{_bare(self._value(e.indices[0]))}]"
            case "Call":
                return self._call(e)
            case other:
                raise _unwritten(self.name, other)

    def _binary(self, sign: str, a: Any, b: Any) -> str:
        left, right = self._value(a), self._value(b)
        if sign in _ASSOCIATIVE and _BINARY.get(type(a).__name__) == sign:
            left = _bare(left)
        return f"({left} {sign} {right})"

    def _chosen(self, condition: Any, yes: Any, no: Any) -> str:
        return f"({_bare(self._value(condition))} ? {self._value(yes)} : {self._value(no)})"

    def _call(self, e: Any) -> str:
        name = str(e.op.name).removeprefix("tirx.").removeprefix("prim.")
        arguments = list(e.args)
        if name in ("call_extern", "call_pure_extern"):
            name, arguments = str(arguments[0].value), arguments[1:]
            name = name.removesuffix("f") if name.removesuffix("f") in _FUNCTIONS else name
        if name == "if_then_else":
            return self._chosen(*arguments)
        if name == "likely":
            return self._value(arguments[0])
        if name == "reinterpret" and (_dtype(arguments[0]), _dtype(e)) in _BITS:
            return f"{_BITS[_dtype(arguments[0]), _dtype(e)]}({_bare(self._value(arguments[0]))})"
        if name in _OPERATORS:
            return self._binary(_OPERATORS[name], *arguments)
        if name in _FUNCTIONS:
            ending = "f" if _dtype(e) == "float32" else ""
            return f"{name}{ending}({', '.join(_bare(self._value(a)) for a in arguments)})"
        raise _unwritten(self.name, name)


_KEYWORDS = {
    "auto",
    "case",
    "const",
    "do",
    "double",
    "float",
    "for",
    "if",
    "int",
    "long",
    "register",
    "short",
    "static",
}


def buffer_type(buffer: Any) -> str:
    """The type of a buffer's elements."""
    return str(buffer.dtype)


def _count(buffer: Any) -> int:
    return math.prod(int(n) for n in buffer.shape)


def _bytes(buffer: Any) -> int:
    sizes = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "int16": 2}
    return _count(buffer) * sizes.get(buffer_type(buffer), 1)


def _dtype(e: Any) -> str:
    return str(e.dtype) if hasattr(e, "dtype") else str(e.ty.dtype)


def _type_of(e: Any) -> str:
    return TYPES[_dtype(e)]


def _root(data: Any) -> Any:
    """The buffer that an address belongs to."""
    return data.args[0] if type(data).__name__ == "Call" else data


def _is_hint(value: Any) -> bool:
    """Whether a call changes nothing: a number, or a prefetch."""
    if type(value).__name__ != "Call":
        return type(value).__name__ in ("IntImm", "FloatImm")
    return "prefetch" in str(value.op.name) or any("prefetch" in str(a) for a in value.args[:1])


def literal(value: float, dtype: str) -> str:
    """A number of an array as C has it."""
    return _number(value, dtype) if dtype.startswith("float") else str(int(value))


def _number(value: float, dtype: str) -> str:
    ending = "f" if dtype == "float32" else ""
    if math.isfinite(value):
        return f"{value!r}{ending}" if value >= 0 else f"({value!r}{ending})"
    return "NAN" if math.isnan(value) else "INFINITY" if value > 0 else "(-INFINITY)"


def _bare(text: str) -> str:
    """Without parentheses around the whole."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and place < len(text) - 1:
            return text
    return text[1:-1]


def _unwritten(kernel: str, what: str) -> MissingPart:
    return MissingPart(
        f"the kernel {kernel} has `{what}`, which is not written as C", "compile with `--target llvm`, and tell us"
    )
