"""Guards `cnndsl/__init__.py` and `docs/python.md`: the public names, what is said of them, and that nothing else is taught."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import cnndsl
from tests.pages import PAGES, ROOT
from tests.python_examples import SECTIONS
from tests.python_page import PAGE, documentation, page, value

LISTED = [name for section in SECTIONS for name in section.names]
PUBLIC = [name for name in cnndsl.__all__ if name != "__version__"]
INSIDE = {"adding-a-layer.md", "adding-a-kernel.md", "adding-an-architecture.md", "architecture.md"}
"""Pages for those who change the code itself."""
GENERATORS = {
    ROOT / "docs" / name for name in ("architectures/make.py", "playground/make.py", "quantization/training_study.py")
}
"""Scripts that write a page, or build the playground, with code that belongs to it alone."""
_ROOMS = "|".join(sorted(path.stem for path in (ROOT / "cnndsl").iterdir() if not path.name.startswith("_")))
_BELOW = re.compile(rf"^\s*(?:from|import) cnndsl\.|\bcnndsl\.(?:{_ROOMS})\.\w", re.MULTILINE)


def taught() -> list[Path]:
    scripts = [path for path in sorted((ROOT / "docs").rglob("*.py")) if path not in GENERATORS]
    return [*(path for path in PAGES if path.name not in INSIDE), *scripts, *sorted((ROOT / "docs").rglob("*.sh"))]


@pytest.mark.parametrize("path", taught(), ids=lambda path: str(path.relative_to(ROOT)))
def test_docs_import_nothing_from_below_the_package(path: Path) -> None:
    # `python -m cnndsl.syntax.generate` is a command of the repository, no interface.
    assert not _BELOW.findall(path.read_text("utf-8").replace("-m cnndsl.syntax.generate", ""))


def test_every_public_name_is_on_the_page_and_the_page_has_no_other() -> None:
    assert sorted(name for name in LISTED if "." not in name) == sorted(PUBLIC)


def test_every_member_of_a_network_is_on_the_page() -> None:
    network = cnndsl.load("lenet5")
    members = {name for name in dir(network) if not name.startswith("_")} | {"__getitem__"}
    assert {name.partition(".")[2] for name in LISTED if name.startswith("Network.")} == members


@pytest.mark.parametrize("name", LISTED)
def test_every_public_name_says_what_it_does(name: str) -> None:
    said = documentation(name)
    assert said[:1].isupper()
    assert "." in said


@pytest.mark.parametrize("name", [name for name in LISTED if inspect.isfunction(value(name))])
def test_a_docstring_names_no_module_of_the_inside(name: str) -> None:
    assert not re.search(r"`(?:backends|training|benchmarking|analyses|passes)\.", documentation(name))


def test_each_example_uses_what_it_is_for() -> None:
    for section in SECTIONS:
        for name, example in section.names.items():
            word = {"Network.__getitem__": "["}.get(name, f".{name.rpartition('.')[2]}")
            assert word in example, name


def test_the_page_is_the_one_that_the_code_gives() -> None:
    def without_output(text: str) -> str:
        return re.sub(r"```text\n.*?```", "```text\n```", text, flags=re.DOTALL)

    assert without_output(PAGE.read_text("utf-8")) == page(), "run `make docs`"


def test_names_are_listed_once_for_python_and_for_type_checkers_alike() -> None:
    tree = ast.parse(inspect.getsource(cnndsl))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    imports = {
        alias.asname or alias.name: (statement.module, alias.name)
        for statement in checked.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    homes = {name: (home.partition(":")[0], home.partition(":")[2] or name) for name, home in cnndsl._HOMES.items()}
    del homes["load_ipython_extension"]  # IPython asks for it by name, and people do not.
    assert imports == homes
    assert sorted(imports) == sorted(PUBLIC)
    assert set(cnndsl.__all__) <= set(dir(cnndsl))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        cnndsl.laod  # noqa: B018
