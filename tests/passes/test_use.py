"""Guards `passes/library/`. `use`: blocks and models of other files, and what may not be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import check, load


def project(folder: Path, files: dict[str, str]) -> Path:
    """The files in a project of their own; its main file."""
    root = folder / "project"
    root.mkdir()
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root / "main.cnn"


def built(folder: Path, **files: str) -> Graph:
    return load(str(project(folder, {f"{name.replace('__', '/')}.cnn": text for name, text in files.items()}))).graph


def refused(folder: Path, **files: str) -> list[tuple[str, str, int, int]]:
    """Id, file, line and column of each diagnostic."""
    with pytest.raises(CnnError) as caught:
        built(folder, **files)
    places = [(d.id, d.span.place) for d in caught.value.diagnostics if d.span]
    return [(id, Path(place.file).name, place.line, place.column) for id, place in places]


def keys(graph: Graph) -> list[str]:
    return [e.key for e in graph.weights if e.weight.trained]


def test_blocks_of_a_file_come_with_what_they_need(tmp_path: Path) -> None:
    graph = built(
        tmp_path,
        main='use A from "lib.cnn"\ninput 3×4×4\nA(5)',
        lib="let w = 2\nblock A(c) { B(c) → Conv3x3(c × w) }\nblock B(c) { Conv1x1(c) }",
    )
    assert [(n.name, n.type.channels) for n in graph.nodes] == [("0.0.0", 5), ("0.1", 10)]


def test_names_may_be_changed_and_files_may_use_files(tmp_path: Path) -> None:
    graph = built(
        tmp_path,
        main='use A as X, B from "parts/a.cnn"\ninput 3×4×4\nX → B',
        parts__a='use C from "deep/c.cnn"\nblock A { C }\nblock B { ReLU }',
        parts__deep__c="block C { Conv1x1(7) }",
    )
    assert [n.name for n in graph.nodes] == ["0.0.0", "1.0"]


def test_defaults_stay_in_their_own_file(tmp_path: Path) -> None:
    graph = built(
        tmp_path,
        main='use A from "lib.cnn"\ndefault Conv(stride=2)\ninput 3×8×8\nA → Conv3x3(2)',
        lib="default Conv(bias=false)\nblock A { Conv3x3(4) }",
    )
    assert keys(graph) == ["0.0.weight", "1.weight", "1.bias"]
    assert [n.type.size for n in graph.nodes] == [(8, 8), (4, 4)]


def test_models_of_another_file_are_blocks(tmp_path: Path) -> None:
    graph = built(
        tmp_path,
        main='use Tiny, small from "lib.cnn"\ninput 3×8×8\nTiny(2) → Conv1x1(3) → small',
        lib="model Tiny(c) { param k: int = 3  input image: 3×32×32  Conv(c, window=k) }\nmodel small = Tiny(5, k=1)",
    )
    assert {e.key: e.weight.shape for e in graph.weights if e.slot == "weight"} == {
        "0.0.weight": (2, 3, 3, 3),
        "1.weight": (3, 2, 1, 1),
        "2.0.weight": (5, 3, 1, 1),
    }


def test_a_file_without_a_model_is_a_model_of_its_own_name(tmp_path: Path) -> None:
    graph = built(
        tmp_path,
        main='use tiny as T from "tiny.cnn"\ninput 3×8×8\nT → T(c=3)',
        tiny='use B from "lib.cnn"\nparam c: int = 3\ninput 3×32×32\nB(c)',
        lib="block B(c) { Conv1x1(c) }",
    )
    assert keys(graph) == ["0.0.0.weight", "0.0.0.bias", "1.0.0.weight", "1.0.0.bias"]


def test_blocks_of_a_built_in_architecture(tmp_path: Path) -> None:
    graph = built(
        tmp_path, main="use Basic as B, resnet18 from resnet\ninput 3×64×64\nB(4) → Conv1x1(3) → resnet18(classes=7)"
    )
    assert graph.nodes[-1].name == "2.fc"
    assert graph.nodes[-1].type.channels == 7
    assert graph["0.downsample.0"].type.shape == (4, 64, 64)


def test_a_built_in_architecture_that_is_one_model(tmp_path: Path) -> None:
    graph = built(tmp_path, main="use lenet5 from lenet5\ninput 1×32×32\nlenet5(classes=3)")
    assert keys(graph)[:2] == ["0.features.conv1.weight", "0.features.conv1.bias"]
    assert graph.nodes[-1].type.shape == (3,)


def test_the_same_block_may_be_used_twice_and_another_of_its_name_not(tmp_path: Path) -> None:
    twice = 'use A from "lib.cnn"\nuse A, B from "lib.cnn"\ninput 3×4×4\nA → B'
    lib = "block A { ReLU }\nblock B { SiLU }"
    assert [n.op.word for n in built(tmp_path, main=twice, lib=lib).nodes] == ["ReLU", "SiLU"]


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    text = 'use A from "lib.cnn"\nblock A { ReLU }\ninput 3×4×4\nA'
    assert refused(tmp_path, main=text, lib="block A { ReLU }") == [("duplicate-name", "main.cnn", 1, 5)]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main": 'use A from "no.cnn"\ninput 3\nA'}, ("file-not-found", "main.cnn", 1, 12)),
        ({"main": 'use A from ""\ninput 3\nA'}, ("file-not-found", "main.cnn", 1, 12)),
        ({"main": 'use A from "."\ninput 3\nA'}, ("file-not-found", "main.cnn", 1, 12)),
        ({"main": 'use A from "../outside.cnn"\ninput 3\nA'}, ("path-outside-project", "main.cnn", 1, 12)),
        ({"main": 'use A from "/etc/hostname"\ninput 3\nA'}, ("path-outside-project", "main.cnn", 1, 12)),
        ({"main": "use A from resnett\ninput 3\nA"}, ("unknown-architecture", "main.cnn", 1, 12)),
        ({"main": "use Basic, Botleneck from resnet\ninput 3\nBasic"}, ("unknown-name", "main.cnn", 1, 12)),
        ({"main": 'use A, C from "n.cnn"\ninput 3\nA', "n": "block A { ReLU }"}, ("unknown-name", "main.cnn", 1, 8)),
        ({"main": 'use A from "n.cnn"\ninput 3\nA', "n": "block A { ReLU "}, ("unclosed-bracket", "n.cnn", 1, 9)),
        (
            {"main": 'use A from "n.cnn"\nblock B { ReLU }\ninput 3\nA', "n": 'use B from "main.cnn"\nblock A { B }'},
            ("use-cycle", "n.cnn", 1, 12),
        ),
        ({"main": 'use main from "main.cnn"\ninput 3\nmain'}, ("use-cycle", "main.cnn", 1, 15)),
        (
            {
                "main": 'use A from "a.cnn"\ninput 3\nA',
                "a": 'use B from "b.cnn"\nblock A { B }',
                "b": 'use A from "a.cnn"\nblock B { A }',
            },
            ("use-cycle", "b.cnn", 1, 12),
        ),
        (
            {"main": 'use A from "n.cnn"\ninput 3\nA', "n": "block A { FC(3, unit=2) }"},
            ("unknown-argument", "n.cnn", 1, 17),
        ),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, files: dict[str, str], expected: tuple[str, str, int, int]) -> None:
    (tmp_path / "outside.cnn").write_text("block A { ReLU }", "utf-8")
    assert refused(tmp_path, **files)[:1] == [expected]


def test_links_are_resolved_before_the_project_is_left(tmp_path: Path) -> None:
    (tmp_path / "outside.cnn").write_text("block A { ReLU }", "utf-8")
    main = project(tmp_path, {"main.cnn": 'use A from "link.cnn"\ninput 3\nA'})
    (main.parent / "link.cnn").symlink_to(tmp_path / "outside.cnn")
    with pytest.raises(CnnError, match="path-outside-project"):
        load(str(main))
    (tmp_path / "pyproject.toml").write_text("", "utf-8")
    # The root is the nearest folder above that holds a pyproject.toml or .git.
    assert [n.op.word for n in load(str(main)).graph.nodes] == ["ReLU"]


def test_a_folder_above_may_be_used_inside_the_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "lib.cnn").write_text("block A { ReLU }", "utf-8")
    main = project(tmp_path, {"main.cnn": 'use A from "../lib.cnn"\ninput 3\nA'})
    assert len(load(str(main)).graph.nodes) == 1


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    main = project(tmp_path, {"main.cnn": 'use A from "n.cnn"\ninput 3\nA'})
    (main.parent / "n.cnn").write_bytes("block A { ReLU } # é".encode() + b"\xff")
    with pytest.raises(CnnError) as caught:
        load(str(main))
    (only,) = caught.value.diagnostics
    assert only.id == "not-utf8"
    assert only.span is not None
    assert (only.span.place.line, only.span.place.column) == (1, 21)


def test_a_file_of_blocks_alone_is_a_library(tmp_path: Path) -> None:
    main = project(tmp_path, {"main.cnn": "let w = 2\nblock A(c) { Conv3x3(c × w) }"})
    assert check(str(main)) == ()
    with pytest.raises(CnnError, match="nothing-to-build"):
        load(str(main))


def test_which_of_several_models_is_meant(tmp_path: Path) -> None:
    text = (
        "model a { input 3 ReLU } model {} {{ input 3 SiLU }} model b {{ input 3 Tanh }} model c(n) {{ input 3 FC(n) }}"
    )
    main = project(tmp_path, {"main.cnn": text.replace("{} {{", "main {").replace("{{", "{").replace("}}", "}")})
    assert load(str(main)).graph.name == "main"
    assert load(f"{main}:b").graph.nodes[0].op.word == "Tanh"
    main.write_text(main.read_text("utf-8").replace("model main", "model other"), "utf-8")
    assert load(str(main)).graph.name == "b"
    assert load(f"{main}:c", {"n": 4}).graph.nodes[0].type.shape == (4,)
    with pytest.raises(CnnError, match="missing-argument"):
        load(f"{main}:c")
    with pytest.raises(CnnError, match="unknown-model"):
        load(f"{main}:d")


def test_a_file_that_is_one_model_is_named_after_itself(tmp_path: Path) -> None:
    main = project(tmp_path, {"main.cnn": "input 3 ReLU"})
    assert load(str(main)).graph.name == "main"
    assert load(f"{main}:main").graph.name == "main"
    with pytest.raises(CnnError, match="unknown-model"):
        load(f"{main}:other")


def test_a_byte_order_mark_and_crlf_change_nothing(tmp_path: Path) -> None:
    main = project(tmp_path, {})
    main.write_bytes("\ufeff# one\r\ninput 3×4×4\r\nConv3x3(4)\r\n  → ReLUU\r\n".encode())
    with pytest.raises(CnnError) as caught:
        load(str(main))
    (only,) = caught.value.diagnostics
    assert only.span is not None
    assert only.span.place.range == (4, 5, 4, 10)
