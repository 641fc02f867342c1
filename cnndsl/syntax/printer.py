"""Tree to text: the canonical form of a program.

The author's line breaks inside of chains, lists and brackets stay, and so do comments and single blank lines.
Everything else follows from the tree: signs, spaces, indents, and further breaks where a line would be longer
than 100 columns.
"""

from __future__ import annotations

from cnndsl.diagnostics.source import Source
from cnndsl.syntax.parser import parse
from cnndsl.syntax.printing.flat import Flat
from cnndsl.syntax.printing.page import Page
from cnndsl.syntax.printing.statements import Statements
from cnndsl.syntax.scan import MOST_BYTES, too_long


def format_text(source: Source) -> str:
    """The canonical text of a program, which says the same; formatting it again changes nothing.

    Lines end in `\\n`. Raises CnnError for a program that cannot be parsed, and for one that its spaces would make
    too long to be read (`source-too-long`).
    """
    program = parse(source)
    page = Page(source, program.comments)
    Statements(page, Flat(source, program.comments)).statements(program.statements, 0)
    text = page.finish()
    if len(text.encode()) > MOST_BYTES:
        raise too_long(source, f"in canonical form the text has {len(text):,} characters")
    return text
