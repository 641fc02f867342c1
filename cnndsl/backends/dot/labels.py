"""What stands in boxes and on clusters, as Graphviz's HTML-like labels."""

from __future__ import annotations

from cnndsl.backends.dot.caption import called, essentials, word
from cnndsl.backends.dot.diagram import Box, Cell, Cluster, Folded, Port
from cnndsl.backends.dot.escape import html, html_tooltip, identifier
from cnndsl.backends.dot.figures import Figures, leaving
from cnndsl.backends.dot.palette import Palette


class Labels:
    """Writes labels in one look: `upright` stacks the ops of a box, `shapes` and `costs` say what small type there is."""

    def __init__(self, figures: Figures, palette: Palette, *, upright: bool, shapes: bool, costs: bool) -> None:
        self._figures = figures
        self._colours = palette
        self._upright = upright
        self._shapes = shapes
        self._costs = costs
        self._lent: set[str] = set()

    def port(self, port: Port) -> str:
        ink = self._colours.text if port.training else self._colours.port_text
        type = f'<FONT POINT-SIZE="9">{html(self._figures.type(port.node))}</FONT>'
        return f'<FONT COLOR="{ink}"><B>{html(port.title)}</B>  {type}</FONT>'

    def cluster(self, cluster: Cluster) -> str:
        """The heading of a cluster. What it says of shared weights, the boxes in it do not repeat."""
        if cluster.shared:
            self._lent |= {node.name for node in cluster.nodes}
        title = self._title(cluster)
        cells = (f"<TD>{title}</TD>" if title else "") + self._badge(cluster.times)
        return (
            f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="2"><TR>{cells}</TR></TABLE>'
            if cells
            else ""
        )

    def folded(self, item: Folded) -> str:
        lines = [self._title(item) or "repeat"]
        if self._shapes and item.leaving:
            lines.append(self._small(f"→ {leaving(item)}"))
        if self._costs and (cost := self._figures.cost(item.nodes, total=True)):
            lines.append(self._small(cost))
        cells = f"<TD>{_rows(lines, 1)}</TD>" + self._badge(item.times)
        return _table(cells, self._colours.depths[0], self._colours.badge, dashed=item.shared)

    def box(self, box: Box) -> str:
        cells = [self._head(box) if cell is box.head else self._chip(cell) for cell in box.cells]
        if self._upright:
            rows = "".join(f"<TR>{cell}</TR>" for cell in cells)
            cells = [f'<TD><TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="2">{rows}</TABLE></TD>']
        fill, line = self._colours.fills[box.head.node.op.category]
        dashed = self._figures.borrows(box.head.node)
        return _table("".join(cells) + self._badge(box.times), fill, line, dashed=dashed)

    def _head(self, box: Box) -> str:
        """The op a box is named after, and in small type its label, its cost and whose weights it uses."""
        node, nodes = box.head.node, box.head.nodes
        sign = f'<FONT POINT-SIZE="14">{html(node.op.symbol)}</FONT>' if node.op.symbol else html(word(node))
        arguments = essentials(node)
        lines = [f"<B>{sign}</B>" + (f"  {html(arguments)}" if arguments else "")]
        notes = [box.label or called(nodes), self._figures.cost(nodes) if self._costs else "", self._whose(box.head)]
        if any(notes):
            lines.append(self._small(" · ".join(note for note in notes if note)))
        return f"<TD{self._mark(box.head) if len(box.cells) > 1 else ''}>{_rows(lines, 0)}</TD>"

    def _chip(self, cell: Cell) -> str:
        fill, _ = self._colours.fills[cell.node.op.category]
        text = html(f"{word(cell.node)} {essentials(cell.node)}".strip())
        return f'<TD{self._mark(cell)} BGCOLOR="{fill}" STYLE="ROUNDED"><FONT POINT-SIZE="9">{text}</FONT></TD>'

    def _mark(self, cell: Cell) -> str:
        """The id and tooltip of one op of several in a box."""
        tip = html_tooltip(self._figures.op(cell.nodes))
        return f' ID="{identifier(f"op:{cell.node.name}")}" TOOLTIP="{tip}"'

    def _whose(self, cell: Cell) -> str:
        """Whose weights a layer uses, where they are another's and no cluster around it says so."""
        if not self._figures.borrows(cell.node) or cell.node.name in self._lent:
            return ""
        first, last = cell.nodes[0].weights_of, cell.nodes[-1].weights_of
        return f"weights of {first}" + (f" … {last}" if last != first else "")

    def _title(self, item: Cluster | Folded) -> str:
        quiet = self._colours.quiet
        words = [f"<B>{html(item.label or item.title)}</B>"] if item.label or item.title else []
        if item.label and item.title:
            words.append(f'<FONT COLOR="{quiet}">{html(item.title)}</FONT>')
        if item.shared:
            words.append(f'<FONT COLOR="{quiet}" POINT-SIZE="9"><I>shared weights</I></FONT>')
        return "  ".join(words)

    def _badge(self, times: int) -> str:
        """`×3` in a cell of its own; nothing for once."""
        if times == 1:
            return ""
        text = f'<FONT COLOR="{self._colours.badge_text}" POINT-SIZE="10"><B> ×{times} </B></FONT>'
        return f'<TD BGCOLOR="{self._colours.badge}" STYLE="ROUNDED" CELLPADDING="2">{text}</TD>'

    def _small(self, text: str) -> str:
        return f'<FONT POINT-SIZE="8.5" COLOR="{self._colours.quiet}">{html(text)}</FONT>'


def _rows(lines: list[str], padding: int) -> str:
    rows = "".join(f'<TR><TD ALIGN="LEFT">{line}</TD></TR>' for line in lines)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="{padding}" CELLSPACING="{1 - padding}">{rows}</TABLE>'


def _table(cells: str, fill: str, line: str, *, dashed: bool) -> str:
    style = "ROUNDED,DASHED" if dashed else "ROUNDED"
    look = f'BORDER="1" CELLBORDER="0" CELLPADDING="3" CELLSPACING="3" STYLE="{style}" BGCOLOR="{fill}" COLOR="{line}"'
    return f"<TABLE {look}><TR>{cells}</TR></TABLE>"
