"""Guards `docs/architecture.md`: what the map names exists, every room is on it, and the rules that it states hold."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

import cnndsl.ops  # noqa: F401  (fills the registry of layers)
from cnndsl import pipeline
from cnndsl.ir.op import registry

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "cnndsl"
MAP = (ROOT / "docs" / "architecture.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
MOST_FILES, MOST_LINES = 16, 300
FLAT = {"ops", "cli", "analyses/lints", "backends/tvm/kernels"}
"""Rooms that are lists of one kind, found by their names."""
LONG = {"backends/tvm/predict.py", "network.py", "syntax/tables.py"}
"""What ships alone as one file, the list of all that can be asked of a network, and what is generated."""


def rooms() -> list[str]:
    """Every folder of Python files below the package, as the map writes it: `passes/walk/`."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}
    return sorted(f"{folder.relative_to(PACKAGE).as_posix()}/" for folder in folders if any(folder.iterdir()))


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def table(heading: str) -> list[str]:
    """What stands in the first column of the table below a heading."""
    below = MAP.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [
        name for row in re.findall(r"^\| (`[^|]*) \|", below, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    ]


@pytest.mark.parametrize("page", [MAP, CONTRIBUTING], ids=["map", "CONTRIBUTING"])
def test_every_path_on_the_page_exists(page: str) -> None:
    paths = re.findall(r"`(?:\.venv/bin/python -m pytest )?([\w./-]+(?:/|\.(?:py|md|cnn|lark|toml|txt)))`", page)
    assert len(paths) > 10
    assert [path for path in paths if not ((ROOT / path).exists() or (PACKAGE / path).exists())] == []


def test_every_room_and_every_loose_file_is_on_the_map_once() -> None:
    loose = [path.name for path in PACKAGE.glob("*.py")]
    folders = [path for name in ("assets", "driver") for path in PACKAGE.rglob(name) if path.is_dir()]
    assets = [f"{path.relative_to(PACKAGE).as_posix()}/" for path in folders]
    assert Counter(table("Rooms")) == Counter([*rooms(), *loose, *assets])


def test_every_folder_of_tests_is_on_the_map() -> None:
    there = {
        f"tests/{path.name}/" for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    assert there | {"tests/"} == set(table("Tests"))


def test_the_map_quotes_the_one_account_of_the_pipeline() -> None:
    account = re.findall(
        r"^    \S.*$", inspect.getsource(pipeline).partition('"""')[2].partition('"""')[0], re.MULTILINE
    )
    assert len(account) == 5
    assert "```text\n" + "\n".join(account) + "\n```" in MAP


def test_the_ways_in_lead_to_what_is_there() -> None:
    for name in re.findall(r"`((?:\w+\.)+\w+)`", MAP.partition("## Ways in")[2].partition("\n## ")[0]):
        module, _, function = name.rpartition(".")
        path = PACKAGE / module.replace(".", "/")
        file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        if file.exists():
            defined = {
                node.name for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)
            }
            assert function in defined, name


def test_no_grammar_rule_names_a_layer() -> None:
    grammar = re.sub(r"//.*", "", (ROOT / "grammars" / "cnn.lark").read_text("utf-8"))
    # Rules have names of their own: `sub` is a rule for differences, and a merge.
    keywords = {word for literal in re.findall(r'"([^"\n]*)"', grammar) for word in re.findall(r"\w+", literal)}
    assert "block" in keywords
    assert keywords & set(registry()) == set()


def test_an_op_raises_a_reason_without_a_place() -> None:
    for path in (PACKAGE / "ops").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cnndsl.diagnostics"):
                assert [alias.name for alias in node.names] == ["Refusal"], path.name


def test_a_graph_is_never_changed() -> None:
    graph = pipeline.load("lenet5").graph
    with pytest.raises(ValidationError, match="frozen"):
        graph.name = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        graph.nodes[0].name = "other"  # type: ignore[misc]


def test_an_init_imports_nothing_but_where_a_room_is_one_thing_in_several_files() -> None:
    several = {"", "cli", "ops", "analyses/lints", "backends/tvm/emitters", "syntax/build", "syntax/tree"}
    for path in PACKAGE.rglob("__init__.py"):
        room = path.parent.relative_to(PACKAGE).as_posix().removeprefix(".")
        tree = ast.parse(path.read_text("utf-8"))
        imports = [
            node
            for node in tree.body
            if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != "__future__")
        ]
        assert not imports or room in several, room


def test_no_folder_has_more_files_than_one_takes_in() -> None:
    counted = Counter(path.parent.relative_to(PACKAGE).as_posix() for path in files() if path.name != "__init__.py")
    assert {room: n for room, n in counted.items() if n > MOST_FILES and room not in FLAT} == {}


def test_no_file_is_longer_than_a_reader_bears() -> None:
    lengths = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8").count("\n") for path in files()}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES and name not in LONG} == {}


@pytest.mark.parametrize("word", ["util", "helper", "manager", "misc", "common"])
def test_no_file_is_named_for_nothing(word: str) -> None:
    assert [path.name for path in files() if word in path.stem] == []


def test_every_test_file_says_first_what_it_guards() -> None:
    # A name may leave out the rooms that the test's own folder says: `drawing/colours`, `widening.py`.
    known = [f"/{path.relative_to(ROOT).as_posix()}" for path in [*PACKAGE.rglob("*"), *(ROOT / "tests").rglob("*")]]
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        first = ast.get_docstring(ast.parse(path.read_text("utf-8")))
        assert first, path.name
        guarded = re.findall(r"`(\w*[./][\w./]*)`", first.partition(". ")[0]) if first.startswith("Guards ") else []
        for name in guarded:
            there = (ROOT / name).exists() or any(file.endswith(f"/{name.rstrip('/')}") for file in known)
            assert there, f"{path.name}: {name}"
