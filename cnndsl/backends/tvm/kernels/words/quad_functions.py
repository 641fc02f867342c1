"""The words of `QuadNest` in LLVM's language: for AVX512-VNNI, AVX-VNNI and the dot products of 64-bit Arm."""

from __future__ import annotations

from collections.abc import Iterable

_FEATURES = {
    16: "+avx512f,+avx512bw,+avx512vl,+avx512vnni,+evex512",
    8: "+avx2,+fma,+avxvnni",
    4: "+neon,+dotprod,+i8mm",
}
"""By the sums in a register: the instructions that functions are made of."""
_TABLES = {16: "+avx512vbmi", 4: "+neon"}
"""What looking numbers up takes besides."""

_COMMON = """
declare {F} @llvm.fma.{f}({F}, {F}, {F})
declare {V} @llvm.smax.{v}({V}, {V})
declare {V} @llvm.smin.{v}({V}, {V})

define linkonce_odr {F} @cnndsl_u8_real({V} %sum, {F} %factor, {F} %offset) #0 {{
  %x = sitofp {V} %sum to {F}
  %r = call {F} @llvm.fma.{f}({F} %x, {F} %factor, {F} %offset)
  ret {F} %r
}}

define linkonce_odr {F} @cnndsl_u8_fma({F} %x, {F} %factor, {F} %offset) #0 {{
  %r = call {F} @llvm.fma.{f}({F} %x, {F} %factor, {F} %offset)
  ret {F} %r
}}

define linkonce_odr {V} @cnndsl_u8_widened({Q} %quads) #0 {{
  %b = bitcast {Q} %quads to {B}
  %r = zext {B} %b to {V}
  ret {V} %r
}}

define linkonce_odr {V} @cnndsl_u8_transposed({V} %positions) #0 {{
  %b = bitcast {V} %positions to {B4}
  %s = shufflevector {B4} %b, {B4} poison, <{bytes} x i32> <{transposed}>
  %r = bitcast {B4} %s to {V}
  ret {V} %r
}}

define linkonce_odr {V} @cnndsl_u8_parted({V} %quads) #0 {{
  %b = bitcast {V} %quads to {B4}
  %s = shufflevector {B4} %b, {B4} poison, <{bytes} x i32> <{parted}>
  %r = bitcast {B4} %s to {V}
  ret {V} %r
}}
"""

_DOT = {
    16: """
declare {V} @llvm.x86.avx512.vpdpbusd.512({V}, {V}, {V})

define linkonce_odr {V} @cnndsl_u8_dot({V} %sum, {V} %quads, {V} %weights) #0 {{
  %r = call {V} @llvm.x86.avx512.vpdpbusd.512({V} %sum, {V} %quads, {V} %weights)
  ret {V} %r
}}
""",
    8: """
declare {V} @llvm.x86.avx512.vpdpbusd.256({V}, {V}, {V})

define linkonce_odr {V} @cnndsl_u8_dot({V} %sum, {V} %quads, {V} %weights) #0 {{
  %r = call {V} @llvm.x86.avx512.vpdpbusd.256({V} %sum, {V} %quads, {V} %weights)
  ret {V} %r
}}
""",
    4: """
declare {V} @llvm.aarch64.neon.usdot.v4i32.v16i8({V}, {B4}, {B4})

define linkonce_odr {V} @cnndsl_u8_dot({V} %sum, {V} %quads, {V} %weights) #0 {{
  %u = bitcast {V} %quads to {B4}
  %s = bitcast {V} %weights to {B4}
  %r = call {V} @llvm.aarch64.neon.usdot.v4i32.v16i8({V} %sum, {B4} %u, {B4} %s)
  ret {V} %r
}}
""",
}

_ROUNDED = {
    16: """
declare {V} @llvm.x86.avx512.mask.cvtps2dq.512({F}, {V}, i16, i32)

define linkonce_odr {V} @cnndsl_u8_whole({F} %x) #0 {{
  %r = call {V} @llvm.x86.avx512.mask.cvtps2dq.512({F} %x, {V} zeroinitializer, i16 -1, i32 4)
  ret {V} %r
}}
""",
    8: """
declare {V} @llvm.x86.avx.cvt.ps2dq.256({F})

define linkonce_odr {V} @cnndsl_u8_whole({F} %x) #0 {{
  %r = call {V} @llvm.x86.avx.cvt.ps2dq.256({F} %x)
  ret {V} %r
}}
""",
    4: """
declare {V} @llvm.aarch64.neon.fcvtns.v4i32.v4f32({F})

define linkonce_odr {V} @cnndsl_u8_whole({F} %x) #0 {{
  %r = call {V} @llvm.aarch64.neon.fcvtns.v4i32.v4f32({F} %x)
  ret {V} %r
}}
""",
}

_PACKED1 = {
    16: """
declare {B} @llvm.x86.avx512.mask.pmovus.db.512({V}, {B}, i16)

define linkonce_odr {Q} @cnndsl_u8_packed1({V} %x) #0 {{
  %p = call {V} @llvm.smax.{v}({V} %x, {V} zeroinitializer)
  %b = call {B} @llvm.x86.avx512.mask.pmovus.db.512({V} %p, {B} zeroinitializer, i16 -1)
  %r = bitcast {B} %b to {Q}
  ret {Q} %r
}}
"""
}
_PACKED1[8] = _PACKED1[4] = """
define linkonce_odr {Q} @cnndsl_u8_packed1({V} %x) #0 {{
  %p = call {V} @llvm.smax.{v}({V} %x, {V} zeroinitializer)
  %q = call {V} @llvm.smin.{v}({V} %p, {V} {largest})
  %b = trunc {V} %q to {B}
  %r = bitcast {B} %b to {Q}
  ret {Q} %r
}}
"""

_PACKED4 = """
declare <{half} x i16> @llvm.x86.{packssdw}({V}, {V})
declare {B4} @llvm.x86.{packuswb}(<{half} x i16>, <{half} x i16>)

define linkonce_odr {V} @cnndsl_u8_packed4({V} %a, {V} %b, {V} %c, {V} %d) #0 {{
  %ab = call <{half} x i16> @llvm.x86.{packssdw}({V} %a, {V} %b)
  %cd = call <{half} x i16> @llvm.x86.{packssdw}({V} %c, {V} %d)
  %p = call {B4} @llvm.x86.{packuswb}(<{half} x i16> %ab, <{half} x i16> %cd)
  %q = bitcast {B4} %p to {V}
  %r = shufflevector {V} %q, {V} poison, <{lanes} x i32> <{unpacked}>
  ret {V} %r
}}
"""
_PACKED4_ARM = """
declare <16 x i32> @llvm.smax.v16i32(<16 x i32>, <16 x i32>)
declare <16 x i32> @llvm.smin.v16i32(<16 x i32>, <16 x i32>)

define linkonce_odr {V} @cnndsl_u8_packed4({V} %a, {V} %b, {V} %c, {V} %d) #0 {{
  %ab = shufflevector {V} %a, {V} %b, <8 x i32> <{first8}>
  %cd = shufflevector {V} %c, {V} %d, <8 x i32> <{first8}>
  %all = shufflevector <8 x i32> %ab, <8 x i32> %cd, <16 x i32> <{first16}>
  %p = call <16 x i32> @llvm.smax.v16i32(<16 x i32> %all, <16 x i32> zeroinitializer)
  %q = call <16 x i32> @llvm.smin.v16i32(<16 x i32> %p, <16 x i32> {largest16})
  %t = trunc <16 x i32> %q to {B4}
  %r = bitcast {B4} %t to {V}
  ret {V} %r
}}
"""

_EXTREME = """
declare <{count} x i8> @llvm.{instruction}.v{count}i8(<{count} x i8>, <{count} x i8>)

define linkonce_odr {T} @cnndsl_u8_{word}{positions}({T} %a, {T} %b) #0 {{
  %x = bitcast {T} %a to <{count} x i8>
  %y = bitcast {T} %b to <{count} x i8>
  %m = call <{count} x i8> @llvm.{instruction}.v{count}i8(<{count} x i8> %x, <{count} x i8> %y)
  %r = bitcast <{count} x i8> %m to {T}
  ret {T} %r
}}
"""

_LOOKED_UP = {
    16: """
declare {B4} @llvm.x86.avx512.vpermi2var.qi.512({B4}, {B4}, {B4})

define linkonce_odr {V} @cnndsl_u8_looked_up4({V} %numbers, {given}) #1 {{
  %i = bitcast {V} %numbers to {B4}
  %a = bitcast {V} %t0 to {B4}
  %b = bitcast {V} %t1 to {B4}
  %c = bitcast {V} %t2 to {B4}
  %d = bitcast {V} %t3 to {B4}
  %low = call {B4} @llvm.x86.avx512.vpermi2var.qi.512({B4} %a, {B4} %i, {B4} %b)
  %high = call {B4} @llvm.x86.avx512.vpermi2var.qi.512({B4} %c, {B4} %i, {B4} %d)
  %is = icmp slt {B4} %i, zeroinitializer
  %v = select <{bytes} x i1> %is, {B4} %high, {B4} %low
  %r = bitcast {B4} %v to {V}
  ret {V} %r
}}
"""
}
_LOOKED_UP[4] = (
    """
declare {B4} @llvm.aarch64.neon.tbl4.v16i8({B4}, {B4}, {B4}, {B4}, {B4})

define linkonce_odr {V} @cnndsl_u8_looked_up4({V} %numbers, {given}) #1 {{
  %i0 = bitcast {V} %numbers to {B4}
"""
    + "".join(f"  %b{i} = bitcast {{V}} %t{i} to {{B4}}\n" for i in range(16))
    + "".join(f"  %i{i + 1} = sub {{B4}} %i{i}, {{quarter}}\n" for i in range(3))
    + "".join(
        f"  %f{i} = call {{B4}} @llvm.aarch64.neon.tbl4.v16i8("
        + ", ".join(f"{{B4}} %b{4 * i + j}" for j in range(4))
        + f", {{B4}} %i{i})\n"
        for i in range(4)
    )
    + """  %f01 = or {B4} %f0, %f1
  %f23 = or {B4} %f2, %f3
  %f = or {B4} %f01, %f23
  %r = bitcast {B4} %f to {V}
  ret {V} %r
}}
"""
)
_LOOKED_UP1 = """
define linkonce_odr {Q} @cnndsl_u8_looked_up1({Q} %numbers, {given}) #1 {{
  %b = bitcast {Q} %numbers to {B}
  %w = shufflevector {B} %b, {B} poison, <{bytes} x i32> <{again}>
  %wide = bitcast {B4} %w to {V}
  %found = call {V} @cnndsl_u8_looked_up4({V} %wide, {passed})
  %l = bitcast {V} %found to {B4}
  %n = shufflevector {B4} %l, {B4} poison, <{lanes} x i32> <{first}>
  %r = bitcast {B} %n to {Q}
  ret {Q} %r
}}
"""

_ATTRIBUTES = """
attributes #{number} = {{ alwaysinline nounwind "target-features"="{features}" "prefer-vector-width"="{width}" "min-legal-vector-width"="{width}" }}
"""


def functions(lanes: int) -> str:
    """Those for registers of so many sums, as a module in LLVM's language."""
    quads, bytes_ = lanes // 4, 4 * lanes
    packs = {16: ("avx512.packssdw.512", "avx512.packuswb.512"), 8: ("avx2.packssdw", "avx2.packuswb")}
    words = {
        "V": f"<{lanes} x i32>",
        "F": f"<{lanes} x float>",
        "B": f"<{lanes} x i8>",
        "B4": f"<{bytes_} x i8>",
        "Q": "i32" if quads == 1 else f"<{quads} x i32>",
        "v": f"v{lanes}i32",
        "f": f"v{lanes}f32",
        "lanes": lanes,
        "bytes": bytes_,
        "half": 2 * lanes,
        "packssdw": packs.get(lanes, ("", ""))[0],
        "packuswb": packs.get(lanes, ("", ""))[1],
        "transposed": _places(position * lanes + channel for channel in range(lanes) for position in range(4)),
        "parted": _places(4 * quad + place for place in range(4) for quad in range(lanes)),
        "unpacked": _places(part * 4 + position for position in range(4) for part in range(quads)),
        "again": _places(i % lanes for i in range(bytes_)),
        "first": _places(range(lanes)),
        "first8": _places(range(8)),
        "first16": _places(range(16)),
        "largest": _all(255, lanes, "i32"),
        "largest16": _all(255, 16, "i32"),
        "quarter": _all(64, bytes_, "i8"),
        "given": ", ".join(f"<{lanes} x i32> %t{i}" for i in range(64 // lanes)),
        "passed": ", ".join(f"<{lanes} x i32> %t{i}" for i in range(64 // lanes)),
    }
    packed4 = _PACKED4_ARM if lanes == 4 else _PACKED4
    found = "".join([_COMMON, _DOT[lanes], _ROUNDED[lanes], _PACKED1[lanes], packed4]).format(**words)
    for positions in (1, 4):
        kind = words["Q"] if positions == 1 else words["V"]
        for word, instruction in (("larger", "umax"), ("smaller", "umin")):
            count = lanes * positions
            found += _EXTREME.format(T=kind, count=count, positions=positions, word=word, instruction=instruction)
    if lanes in _TABLES:
        found += (_LOOKED_UP[lanes] + _LOOKED_UP1).format(**words)
        both = f"{_FEATURES[lanes]},{_TABLES[lanes]}"
        found += _ATTRIBUTES.format(number=1, features=both, width=32 * lanes)
    return found + _ATTRIBUTES.format(number=0, features=_FEATURES[lanes], width=32 * lanes)


def _places(numbers: Iterable[int]) -> str:
    return ", ".join(f"i32 {number}" for number in numbers)


def _all(number: int, count: int, kind: str) -> str:
    return "<" + ", ".join([f"{kind} {number}"] * count) + ">"
