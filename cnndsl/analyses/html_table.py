"""The outline of a network as an HTML table, for notebooks and pages."""

from __future__ import annotations

from html import escape

from cnndsl.analyses.outline import Outline, Row
from cnndsl.analyses.table import cell, total_lines

STYLE = (
    "<style>.cnndsl table{border-collapse:collapse;font-size:12px;font-variant-numeric:tabular-nums}"
    ".cnndsl th,.cnndsl td{padding:1px 10px 1px 0;text-align:right;white-space:nowrap}"
    ".cnndsl .text{text-align:left}.cnndsl .share{width:80px;background:linear-gradient(#4477aa,#4477aa) 0 60%/0 4px no-repeat}"
    ".cnndsl svg{max-width:100%;height:auto}.cnndsl pre{font-size:12px}</style>"
)
"""Colours are those of the page; the bars' blue is told apart by every kind of colour vision, on light and dark."""


def to_html(outline: Outline) -> str:
    """The table with its totals, inert: what a program says is text in it and nothing else."""
    heads = (("layer", "text"), ("kind", "text"), ("output", "text"), ("parameters", ""), ("share", ""), ("MACs", ""))
    header = "".join(
        f'<th class="{kind}">{name}</th>' for name, kind in (*heads, ("share", ""), ("receptive field", ""))
    )
    body = "".join(_row(row, outline) for row in outline.rows)
    sums = escape("\n".join(total_lines(outline)))
    return f"<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table><pre>{sums}</pre>"


def _row(row: Row, outline: Outline) -> str:
    whole = outline.summary.totals
    indent = f' style="padding-left:{14 * (len(row.branches) - 1)}px"' if len(row.branches) > 1 else ""
    times = f" ×{row.times}" if row.times > 1 else ""
    cells = [f'<td class="text"{indent}>{escape(row.label)}{times}</td>']
    cells += [f'<td class="text">{escape(cell(row, column, outline.summary))}</td>' for column in ("kind", "output")]
    for column, part, all_ in (("params", row.params, whole.params), ("macs", row.macs, whole.macs)):
        share = 100 * part / all_ if all_ else 0.0
        bar = f' style="background-size:{share:.1f}% 4px"' if part else ""
        said = f"{share:.1f} %" if part else ""
        cells.append(f'<td>{escape(cell(row, column, outline.summary))}</td><td class="share"{bar}>{said}</td>')
    cells.append(f"<td>{escape(cell(row, 'rf', outline.summary))}</td>")
    return f"<tr>{''.join(cells)}</tr>"
