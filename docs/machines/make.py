"""Draws `docs/images/latency.svg` from `study.json`: what networks took, against what was estimated before they were compiled."""

from __future__ import annotations

import json
from math import log10
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIDE, LEFT, BOTTOM = 520, 56, 44
LOW, HIGH = -5.2, -1.5
"""Decimal logarithms of seconds at the edges."""
BAND = 0.25
TICKS = ((1e-5, "10 µs"), (1e-4, "0.1 ms"), (1e-3, "1 ms"), (1e-2, "10 ms"))


def place(seconds: float) -> float:
    """Pixels from the left or lower edge of the field."""
    return (log10(seconds) - LOW) / (HIGH - LOW) * (WIDE - LEFT - 12)


def drawn(rows: list[dict[str, float | str]]) -> str:
    side = WIDE - LEFT - 12
    x0, y0 = LEFT, 12 + side
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {y0 + BOTTOM}" font-family="sans-serif" font-size="12">',
        "<title>Estimated against measured latency</title>",
        f'<rect width="{WIDE}" height="{y0 + BOTTOM}" fill="#ffffff"/>',
    ]
    for seconds, _ in TICKS:
        at = place(seconds)
        parts.append(f'<path d="M{x0 + at:.1f} {y0}v-{side}M{x0} {y0 - at:.1f}h{side}" stroke="#e4e7eb"/>')
    shift = log10(1 + BAND) / (HIGH - LOW) * side
    band = f"{x0},{y0} {x0 + side},{12} {x0 + side},{12 + shift:.1f} {x0 + shift:.1f},{y0}"
    parts.append(f'<polygon points="{band}" fill="#dbe7f3"/>')
    parts.append(
        f'<polygon points="{x0},{y0} {x0},{y0 - shift:.1f} {x0 + side - shift:.1f},12 {x0 + side},12" fill="#dbe7f3"/>'
    )
    parts.append(f'<line x1="{x0}" y1="{y0}" x2="{x0 + side}" y2="12" stroke="#7a8ba0"/>')
    for seconds, word in TICKS:
        at = place(seconds)
        parts.append(f'<line x1="{x0 + at:.1f}" y1="{y0}" x2="{x0 + at:.1f}" y2="{y0 + 4}" stroke="#333"/>')
        parts.append(f'<text x="{x0 + at:.1f}" y="{y0 + 18}" text-anchor="middle">{word}</text>')
        parts.append(f'<line x1="{x0 - 4}" y1="{y0 - at:.1f}" x2="{x0}" y2="{y0 - at:.1f}" stroke="#333"/>')
        parts.append(f'<text x="{x0 - 7}" y="{y0 - at + 4:.1f}" text-anchor="end">{word}</text>')
    parts.append(f'<rect x="{x0}" y="12" width="{side}" height="{side}" fill="none" stroke="#333"/>')
    for row in rows:
        x, y = place(float(row["measured"])), place(float(row["estimated"]))
        told = f"{row['network']}: measured {1e3 * float(row['measured']):.3g} ms, estimated {1e3 * float(row['estimated']):.3g} ms"
        parts.append(
            f'<circle cx="{x0 + x:.1f}" cy="{y0 - y:.1f}" r="4" fill="#1f5fa8" fill-opacity="0.75"><title>{told}</title></circle>'
        )
        # Those outside of the band are named, on the side where the band is not.
        if abs(y - x) > shift:
            anchor, away = ("end", -8) if y > x else ("start", 8)
            name = str(row["network"]).partition(" at ")[0]
            parts.append(
                f'<text x="{x0 + x + away:.1f}" y="{y0 - y + 4:.1f}" font-size="11" text-anchor="{anchor}">{name}</text>'
            )
    parts.append(f'<text x="{x0 + side / 2:.0f}" y="{y0 + 38}" text-anchor="middle">measured</text>')
    parts.append(
        f'<text x="14" y="{12 + side / 2:.0f}" text-anchor="middle" transform="rotate(-90 14 {12 + side / 2:.0f})">estimated</text>'
    )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    rows = json.loads((HERE / "study.json").read_text("utf-8"))["rows"]
    (HERE.parent / "images" / "latency.svg").write_text(drawn(rows), "utf-8")
