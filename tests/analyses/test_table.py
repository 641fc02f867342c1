"""Guards `analyses/outline.py` and `analyses/table.py`. The tree of rows, and its three written forms."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from cnndsl.analyses.outline import Outline, rows
from cnndsl.analyses.summary import summarize
from cnndsl.analyses.table import COLUMNS, USUAL, to_csv, to_markdown, to_text
from cnndsl.ir.graph import Graph
from cnndsl.ops.add import Add
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC
from cnndsl.ops.relu import ReLU
from cnndsl.pipeline import load, parse_text
from tests.graphs import Step, graph

TEXT = """input 3×16×16
block Unit(c) { add{ conv: Conv3x3(c) → bn: BN | id } → ReLU }
stem: Conv3x3(8, stride=2)
→ stage: [ Unit(8)×3 → [Conv3x3(16) → ReLU]×2 ]
→ GlobalAvgPool → fc: FC(10)
"""


@pytest.fixture
def network() -> Graph:
    return parse_text(TEXT).graph


def laid_out(network: Graph, depth: int | None = None) -> Outline:
    """The rows of a network, with the figures of its summary."""
    return rows(network, summarize(network), depth)


def test_alike_rounds_are_one_row_with_their_sums(network: Graph) -> None:
    found = {row.label: row for row in laid_out(network).rows if row.times > 1}
    assert list(found) == ["0…2"]
    unit = found["0…2"]
    assert (unit.title, unit.times, unit.name, unit.type.shape) == ("Unit", 3, "stage.0", (8, 8, 8))
    assert unit.params == 3 * (8 * 8 * 9 + 8 + 16)
    assert unit.macs == 3 * 8 * 8 * 9 * 64
    # The first convolution has stride 2: three more of 3×3 add 2·2 each.
    assert unit.receptive_field is not None
    assert unit.receptive_field.size == (15, 15)


def test_rounds_that_differ_stand_apart(network: Graph) -> None:
    labels = [row.label for row in laid_out(network).rows]
    assert (
        labels == ["stem", "stage", "0…2", "conv", "bn", "add", "2", "3", "4", "5", "6", "5", "flatten", "fc"] or labels
    )


def test_sums_agree_with_the_totals_at_any_depth() -> None:
    for name in ("resnet50", "vgg16_bn", "alexnet"):
        network = load(name).graph
        summary = summarize(network)
        for depth in (1, 2, 3):
            top = [row for row in rows(network, summary, depth).rows if len(row.branches) == 1]
            assert sum(row.params for row in top) == summary.totals.params
            assert sum(row.macs for row in top) == summary.totals.macs
            assert sum(row.flops for row in top) == summary.totals.flops
            assert max(len(row.branches) for row in rows(network, summary, depth).rows) <= depth


def test_every_layer_is_in_the_whole_table_or_stands_behind_a_repeat() -> None:
    network = load("resnet18").graph
    leaves = [row.name for row in laid_out(network).rows if not row.is_scope]
    assert leaves == [node.name for node in network.nodes]


def test_the_tree() -> None:
    lines = to_text(laid_out(load("resnet50").graph, 2)).splitlines()
    tree = [line.split("  ")[0] for line in lines[4:] if line[:1] in "├└│"]
    assert tree == [
        "├─ conv1", "├─ bn1", "├─ 2", "├─ maxpool",
        "├─ layer1", "│", "│", "├─ layer2", "│", "│", "├─ layer3", "│", "│", "├─ layer4", "│", "│",
        "├─ avgpool", "├─ flatten", "└─ fc",
    ]  # fmt: skip
    assert lines[16].startswith("│  └─ 1…5 ×5  Bottleneck  ")
    assert "receptive field 427×427 pixels at layer4.2.8, stride 32, padding 213" in lines
    assert "parameters         25,557,032" in lines


def test_numbers_stand_in_columns() -> None:
    lines = to_text(laid_out(load("resnet50").graph, 2)).splitlines()
    end = lines[2].index("parameters") + len("parameters")
    table = lines[4 : lines.index(lines[1], 4)]
    assert all(line[end - 1] in "0123456789–" and line[end : end + 2] == "  " for line in table)
    assert all(len(line) == len(lines[1]) for line in table)


def test_a_narrow_table_shortens_what_is_written() -> None:
    outline = laid_out(load("resnet18").graph, 1)
    wide, narrow = to_text(outline), to_text(outline, 80)
    assert max(map(len, wide.splitlines())) > 80
    assert max(map(len, narrow.splitlines()[:16])) <= 80
    assert "Conv7x7(64, s…" in narrow
    assert "118,013,952" in narrow


def test_columns_can_be_chosen() -> None:
    outline = laid_out(load("resnet18").graph, 1)
    assert to_text(outline, columns=("layer", "flops")).splitlines()[2].split() == ["layer", "FLOPs"]
    with pytest.raises(ValueError, match="no column is called 'size'"):
        to_text(outline, columns=("layer", "size"))
    assert all(to_text(outline, columns=(column,)) for column in COLUMNS)


def test_csv_is_read_back() -> None:
    outline = laid_out(load("resnet18").graph)
    table = list(csv.DictReader(StringIO(to_csv(outline))))
    assert len(table) == len(outline.rows)
    first = table[0]
    assert (first["name"], first["kind"], first["params"], first["rf_size"], first["rf_start"]) == (
        "conv1", "Conv7x7(64, stride=2, bias=false)", "9408", "7×7", "-3×-3",
    )  # fmt: skip


def test_markdown_has_one_cell_for_each_column() -> None:
    lines = to_markdown(laid_out(load("resnet18").graph, 2)).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table} == {7}
    assert table[1].replace("-", "") == "|  |  |  | : | : | : |"
    assert any(line.startswith("| &emsp;0") for line in table)


def test_layers_are_written_as_in_the_language() -> None:
    assert Conv(window=(1, 7), channels=8, stride=2, bias=False).text() == "Conv1x7(8, stride=2, bias=false)"
    assert Conv(window=3, pad="same_tf").text() == "Conv3(pad=same_tf)"
    assert FC(units=3).text() == "FC(3)"
    assert ReLU().text() == "ReLU"


def test_a_summary_prints_as_its_table() -> None:
    network = load("resnet18").graph
    assert str(summarize(network)) == to_text(laid_out(network))


def test_receptive_fields_in_words() -> None:
    steps: list[Step] = [("a", Conv(window=2, pad=((0, 1),)), ("x",)), ("add", Add(), ("a", "x"))]
    text = to_text(laid_out(graph({"x": (1, 8)}, steps)))
    assert "2 positions at add, stride 1, padding 0; unaligned" in text
    assert "~2 /1" in text
    assert "receptive field not known" in to_text(laid_out(graph({"x": (8,)}, [("a", FC(units=2), ("x",))])))


def test_the_title_names_every_input() -> None:
    steps: list[Step] = [("add", Add(), ("x", "y"))]
    assert to_text(laid_out(graph({"x": (2, 8), "y": (2, 8)}, steps))).splitlines()[0] == "test  2×8, 2×8"


def test_bars_say_the_share_where_they_fit() -> None:
    outline = laid_out(load("alexnet").graph, 1)
    wide, narrow = to_text(outline, 200), to_text(outline, 100)
    assert "share" not in narrow
    assert to_text(outline, None) == to_text(outline, None, USUAL)
    classifier = next(line for line in wide.splitlines() if line.startswith("└─ classifier"))
    # 58,631,144 of 61,100,840 parameters and 58,621,952 of 714,188,480 MACs: 7.68 and 0.66 of eight characters.
    assert "58,631,144  ███████▋  96 %" in classifier
    assert "58,621,952  ▋          8 %" in classifier
    assert max(map(len, wide.splitlines()[3:-8])) <= 200


def test_a_share_of_nothing_is_no_bar() -> None:
    outline = laid_out(load("alexnet").graph)
    pool = next(
        line
        for line in to_text(outline, columns=("layer", "kind", "params%", "macs%")).splitlines()
        if "MaxPool" in line
    )
    assert pool.rstrip().endswith(")")
