"""The page of the Python interface, `docs/python.md`: `python -m tests.python_page` writes it.

Names, signatures and what they do are taken from the code; their order and an example for each stand in
`tests/python_examples.py`. The page tests run the examples, and write beneath them what they print.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cnndsl
from tests.python_examples import NOT_RUN, SECTIONS, Section

PAGE = Path(__file__).resolve().parent.parent / "docs" / "python.md"


HEAD = """# From Python

Everything here is imported from `cnndsl`; modules below it may move without notice. `import cnndsl` loads neither PyTorch, TVM
nor NumPy: each name brings what it needs when it is first used, and where an extra is not installed, `MissingPart` says
how to get it. Written from the code by `make docs`.

- Shapes are without the batch axis, channels first: `(3, 224, 224)` is 3 channels of 224×224.
- Arrays are NumPy's, keyed as in PyTorch's `state_dict()` where they are weights.
- Multiply-adds, FLOPs and bytes are those of one example.
- Functions that take a `graph` take `Network.graph`.
"""


def page() -> str:
    """The page, with what examples print left out: `tests.pages.refreshed` writes it in."""
    parts = [HEAD, "\n".join(f"- {section.title}: {_links(section)}" for section in SECTIONS) + "\n"]
    for section in SECTIONS:
        # A section is called otherwise than what it begins with, so that no two headings have one anchor.
        parts += [f"## {section.title}\n", f"{section.about}\n"]
        for name, example in section.names.items():
            parts += _entry(name, example)
    return "\n".join(parts)


def _links(section: Section) -> str:
    return ", ".join(f"[`{_title(name)}`](#{_anchor(_title(name))})" for name in section.names)


def _anchor(title: str) -> str:
    """The anchor that a heading gets where Markdown is shown: letters, digits and `_` are left of it, in lower case."""
    return re.sub(r"[^a-z0-9_]", "", title.lower())


def _entry(name: str, example: str) -> Iterator[str]:
    yield f"### `{_title(name)}`\n"
    if signature := _signature(name):
        yield f"```py\n{signature}\n```\n"
    yield f"{documentation(name)}\n"
    if members := list(_members(name)):
        yield "\n".join(f"- `{member}`: {said}" for member, said in members) + "\n"
    imports, _, rest = example.partition("\n\n") if example.startswith(("import ", "from ")) else ("", "", example)
    code = f"{imports}\n\nimport cnndsl\n\n{rest}" if imports else f"import cnndsl\n\n{rest}"
    run = name not in NOT_RUN
    yield f"```{'python' if run else 'py'}\n{code}\n```\n"
    if run and "print(" in example:
        yield "```text\n```\n"


def _title(name: str) -> str:
    return "Network[name]" if name == "Network.__getitem__" else name


def value(name: str) -> Any:
    """What a name of the page stands for; of a member the function or property."""
    home, _, member = name.partition(".")
    found = getattr(cnndsl, home)
    return inspect.getattr_static(found, member, None) if member else found


def documentation(name: str) -> str:
    """What the code says of a name: its docstring, or for a value the text below the assignment."""
    found = value(name)
    if callable(found) or isinstance(found, property) or hasattr(found, "func"):
        return inspect.cleandoc(getattr(found, "__doc__", None) or "")
    home, _, member = name.partition(".")
    module = cnndsl._HOMES[home].partition(":")[0]
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    for first, second in _pairs(tree):
        if (
            isinstance(second, ast.Expr)
            and isinstance(second.value, ast.Constant)
            and _assigned(first) == (member or home)
        ):
            return inspect.cleandoc(str(second.value.value))
    return ""


def _members(name: str) -> Iterator[tuple[str, str]]:
    """What can be asked of a class, with the first sentences that its code says of each; those of `Network` have entries."""
    found = value(name)
    if not inspect.isclass(found) or name == "Network":
        return
    for statement, after in _pairs(ast.parse(inspect.getsource(found))):
        member = _assigned(statement)
        if (
            member
            and not member.startswith("_")
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            yield member, _first(str(after.value.value))
    for member, entry in list(vars(found).items()):
        doc = getattr(entry, "__doc__", None)
        is_member = inspect.isfunction(entry) or isinstance(entry, property) or hasattr(entry, "func")
        if doc and is_member and not member.startswith(("_", "model_")):
            called = (
                _plain(str(inspect.signature(entry)).replace("(self, ", "(").replace("(self)", "()"))
                if inspect.isfunction(entry)
                else ""
            )
            yield f"{member}{called}", _first(doc)


def _first(doc: str) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(inspect.cleandoc(doc).split("\n\n")[0].split())


def _pairs(tree: ast.AST) -> Iterator[tuple[ast.stmt, ast.stmt]]:
    """Statements that follow each other, in every body."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            yield from pairwise(body)


def _assigned(statement: ast.stmt) -> str:
    """The name that a statement gives a value: `NAME` of `NAME = …`, of `NAME: type` and of `self.NAME: type = …`."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return ""
    return target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""


def _signature(name: str) -> str:
    """How a function is called; nothing for values, and for classes that users do not make themselves."""
    found = value(name)
    if isinstance(found, property) or not (inspect.isfunction(found) or name == "Source"):
        return ""
    signature = inspect.signature(found)
    parameters = [p for p in signature.parameters.values() if p.name != "self"]
    short = name.rpartition(".")[2]
    whole = _plain(str(signature.replace(parameters=parameters)))
    if len(short) + len(whole) <= 100:
        return f"{short}{whole}"
    inside, arrow, ending = whole.removeprefix("(").rpartition(") -> ") if ") -> " in whole else (whole[1:-1], ")", "")
    # A comma inside brackets parts no parameters.
    lines = re.split(r", (?![^\[]*\])", inside)
    return "\n".join([f"{short}(", *(f"    {line}," for line in lines), f"{arrow.lstrip()}{ending}"])


def _plain(text: str) -> str:
    """Annotations without the quotes and modules that Python writes around them."""
    text = re.sub(r"(: |-> )(?:'([^']*)'|\"([^\"]*)\")", lambda m: m[1] + (m[2] or m[3]), text)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", text).replace("<function <lambda>", "…").replace(" -> None", "")


if __name__ == "__main__":
    from cnndsl.disk.files import write_atomically
    from tests.pages import refreshed

    write_atomically(PAGE, refreshed(page()))
