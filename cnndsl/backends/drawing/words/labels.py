"""What stands in boxes and on clusters, as Graphviz's HTML-like labels."""

from __future__ import annotations

from cnndsl.backends.drawing.colours.measure import TITLES, Heat, written
from cnndsl.backends.drawing.colours.palette import Palette
from cnndsl.backends.drawing.diagram.caption import KNOWN, called, essentials, sign, word
from cnndsl.backends.drawing.diagram.diagram import Box, Cell, Cluster, Folded, Port
from cnndsl.backends.drawing.words.escape import html, html_tooltip, identifier
from cnndsl.backends.drawing.words.numbers import Numbers, leaving

LINE = 20
"""A cluster's heading with more characters than these has two lines: its label, and below it its block."""

LONGEST = 28
"""Beside a heading with a line of more characters a frame gets no room for the arrow: it would be mostly empty."""


class Labels:
    """Writes labels in one look: `upright` stacks the ops of a box, `shapes` and `costs` say what small type there is, `heat`
    colours boxes by a measure instead of by what they are."""

    def __init__(
        self, numbers: Numbers, palette: Palette, heat: Heat | None, *, upright: bool, shapes: bool, costs: bool
    ) -> None:
        self._numbers = numbers
        self._colours = palette
        self._heat = heat
        self._upright = upright
        self._shapes = shapes
        self._costs = costs
        self._lent: set[str] = set()

    def port(self, port: Port) -> str:
        ink = self._colours.text if port.training else self._colours.port_text
        type = f'<FONT POINT-SIZE="9">{html(self._numbers.type(port.node))}</FONT>'
        return f'<FONT COLOR="{ink}"><B>{html(port.title)}</B>  {type}</FONT>'

    def cluster(self, cluster: Cluster, *, aside: bool) -> str:
        """The heading of a cluster, on the right if `aside`, else on the left. Where it says that weights are shared, the
        boxes in the cluster do not say it again."""
        if cluster.shared:
            self._lent |= {node.name for node in cluster.nodes}
        words = self._words(cluster, self._colours.quiet)
        badge = self._badge(cluster.times)
        long = len("  ".join(word for word, _ in words))
        if long > LINE or cluster.shared:
            title, long = _rows([text for _, text in words], 0), max((len(word) for word, _ in words), default=0)
        else:
            title = "  ".join(text for _, text in words)
        cells = (f"<TD>{title}</TD>" if title else "") + badge
        if cells and not self._upright and not aside and long <= LONGEST:
            # The heading gets as much room again on its right: an arrow into the middle then passes beside the words.
            cells += f'<TD WIDTH="{7 * long + 38 * (cluster.times > 1) + 12}"></TD>'
        return (
            f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="2"><TR>{cells}</TR></TABLE>'
            if cells
            else ""
        )

    def folded(self, item: Folded) -> str:
        fill, text, quiet = self.look(item)
        lines = [self._title(item, quiet, text) or f'<FONT COLOR="{text}">repeat</FONT>']
        if self._shapes and item.leaving:
            lines.append(self._small(f"→ {leaving(item)}", quiet))
        if self._costs and (cost := self._numbers.cost(item.nodes, total=True)):
            lines.append(self._small(cost, quiet))
        if self._heat and (note := self._heat.note(item.key)):
            lines.append(self._small(note, quiet))
        cells = f"<TD>{_rows(lines, 1)}</TD>" + self._badge(item.times)
        return _table(cells, fill, self._colours.badge, dashed=item.shared)

    def box(self, box: Box) -> str:
        look = self.look(box)
        cells = [self._head(box, look) if cell is box.head else self._chip(cell, look) for cell in box.cells]
        if self._upright:
            rows = "".join(f"<TR>{cell}</TR>" for cell in cells)
            cells = [f'<TD><TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="2">{rows}</TABLE></TD>']
        line = self._colours.fills[box.head.node.op.category][1] if self._heat is None else self._colours.arrow
        dashed = self._numbers.borrows(box.head.node)
        return _table("".join(cells) + self._badge(box.times), look[0], line, dashed=dashed)

    def look(self, box: Box | Folded) -> tuple[str, str, str]:
        """The fill of a box, and the colours of its text and of the small type in it."""
        c = self._colours
        if self._heat:
            step = self._heat.step(box.key)
            return (c.paper, c.text, c.quiet) if step is None else (*c.heat[step], c.heat[step][1])
        fill = c.depths[0] if isinstance(box, Folded) else c.fills[box.head.node.op.category][0]
        return fill, c.text, c.quiet

    def legend(self) -> str:
        """What the shades of a heat map stand for; empty where there is nothing to tell."""
        if self._heat is None or self._heat.ends is None:
            return ""
        c, measure = self._colours, self._heat.measure
        low, high = (html(written(number, measure)) for number in self._heat.ends)
        low = f"≤ {low}" if self._heat.below else low
        scale = "linear" if measure == "rf" else "logarithmic"
        shades = "".join(f'<TD BGCOLOR="{fill}" WIDTH="11" HEIGHT="11" FIXEDSIZE="TRUE"></TD>' for fill, _ in c.heat)
        words = (
            f'<TD><FONT COLOR="{c.text}"><B>{TITLES[measure]}</B></FONT>  {self._small(scale, c.quiet)}   {low} </TD>'
        )
        cells = f"<TD> {high}</TD>"
        look = 'BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="0"'
        return f"<TABLE {look}><TR>{words}{shades}{cells}</TR></TABLE>"

    def _head(self, box: Box, look: tuple[str, str, str]) -> str:
        """The op a box is named after, and in small type its label, its cost and whose weights it uses."""
        node, nodes = box.head.node, box.head.nodes
        called_so = html(sign(node))
        name = f'<FONT POINT-SIZE="14">{called_so}</FONT>' if node.op.symbol in KNOWN else called_so
        arguments = essentials(node)
        _, text, quiet = look
        # Without a colour of its own, Graphviz paints an argument that is a bare number in another font.
        lines = [f'<FONT COLOR="{text}"><B>{name}</B>' + (f"  {html(arguments)}" if arguments else "") + "</FONT>"]
        notes = [
            box.label or called(nodes),
            self._numbers.cost(nodes) if self._costs else "",
            self._heat.note(box.key) if self._heat else "",
            self._whose(box.head),
        ]
        if any(notes):
            lines.append(self._small(" · ".join(note for note in notes if note), quiet))
        return f"<TD{self._mark(box.head) if len(box.cells) > 1 else ''}>{_rows(lines, 0)}</TD>"

    def _chip(self, cell: Cell, look: tuple[str, str, str]) -> str:
        fill, _ = self._colours.fills[cell.node.op.category]
        ground = f'BGCOLOR="{fill}"' if self._heat is None else f'BORDER="1" COLOR="{look[1]}"'
        text = html(f"{word(cell.node)} {essentials(cell.node)}".strip())
        font = f'<FONT POINT-SIZE="9" COLOR="{look[1]}">{text}</FONT>'
        return f'<TD{self._mark(cell)} {ground} STYLE="ROUNDED">{font}</TD>'

    def _mark(self, cell: Cell) -> str:
        """The id and tooltip of one op of several in a box."""
        tip = html_tooltip(self._numbers.op(cell.nodes))
        return f' ID="{identifier(f"op:{cell.node.name}")}" TOOLTIP="{tip}"'

    def _whose(self, cell: Cell) -> str:
        """Which layer's weights a layer uses, if it has none of its own and no cluster around it says so."""
        if not self._numbers.borrows(cell.node) or cell.node.name in self._lent:
            return ""
        first, last = cell.nodes[0].weights_of, cell.nodes[-1].weights_of
        return f"weights of {first}" + (f" … {last}" if last != first else "")

    def _title(self, item: Folded, quiet: str, text: str) -> str:
        words = [written for _, written in self._words(item, quiet)]
        return f'<FONT COLOR="{text}">{"  ".join(words)}</FONT>' if words else ""

    def _words(self, item: Cluster | Folded, quiet: str) -> list[tuple[str, str]]:
        """The words of a cluster's heading, each as plain text and as HTML: its label, its block, whether its weights are shared."""
        name = item.label or item.title
        words = [(name, f"<B>{html(name)}</B>")] if name else []
        if item.label and item.title:
            words.append((item.title, f'<FONT COLOR="{quiet}">{html(item.title)}</FONT>'))
        if item.shared:
            # Two short lines: in a narrow frame a long one would reach under the arrow that enters its middle.
            small = f'<FONT COLOR="{quiet}" POINT-SIZE="9"><I>shared{{}}weights</I></FONT>'
            line_end = '<BR ALIGN="LEFT"/>' if isinstance(item, Cluster) else " "
            words.append(("shared", small.format(line_end)))
        return words

    def _badge(self, times: int) -> str:
        """`×3` in a cell of its own; nothing for once."""
        if times == 1:
            return ""
        text = f'<FONT COLOR="{self._colours.badge_text}" POINT-SIZE="10"><B> ×{times} </B></FONT>'
        return f'<TD BGCOLOR="{self._colours.badge}" STYLE="ROUNDED" CELLPADDING="2">{text}</TD>'

    def _small(self, text: str, colour: str) -> str:
        return f'<FONT POINT-SIZE="8.5" COLOR="{colour}">{html(text)}</FONT>'


def _rows(lines: list[str], padding: int) -> str:
    rows = "".join(f'<TR><TD ALIGN="LEFT">{line}</TD></TR>' for line in lines)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="{padding}" CELLSPACING="{1 - padding}">{rows}</TABLE>'


def _table(cells: str, fill: str, line: str, *, dashed: bool) -> str:
    style = "ROUNDED,DASHED" if dashed else "ROUNDED"
    look = f'BORDER="1" CELLBORDER="0" CELLPADDING="3" CELLSPACING="3" STYLE="{style}" BGCOLOR="{fill}" COLOR="{line}"'
    return f"<TABLE {look}><TR>{cells}</TR></TABLE>"
