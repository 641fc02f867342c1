"""Guards `analyses/differences/`: what is told of two networks, and that it is empty for one, and a mirror image both ways."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings

from cnndsl.analyses.differences.difference import difference
from cnndsl.analyses.differences.document import Difference
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.pipeline import load, parse_text
from tests.random_programs import networks

BASE = "input 3×32×32\nconv1: Conv3x3(32) → BN → ReLU → conv2: Conv3x3(64) → BN → ReLU → GlobalAvgPool → fc: FC(10)"
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def graph(text: str) -> Graph:
    return parse_text(text).graph


def told(old: str, new: str) -> Difference:
    return difference(graph(old), graph(new))


def kinds(found: Difference) -> dict[str | None, tuple[str, ...]]:
    """What is told of each layer, by the name it had, or else has."""
    return {layer.old or layer.new: layer.kinds for layer in found.layers}


def lines(found: Difference, mark: str) -> list[str]:
    """The lines of the account that begin with a mark, without the figures behind."""
    return [line.strip() for line in str(found).splitlines() if line.startswith(f"  {mark} ")]


# -- Properties


@FEW
@given(networks())
def test_a_network_does_not_differ_from_itself(text: str) -> None:
    found = told(text, text)
    assert found.equal
    assert (found.layers, found.ports, found.weights.loads) == ((), (), "as it is")
    assert all(old == new for old, new in found.key_map.items())


@FEW
@given(networks(), networks())
def test_both_ways_round_are_mirror_images(first: str, second: str) -> None:
    a, b = graph(first), graph(second)
    there, back = difference(a, b), difference(b, a)
    other = {"added": "removed", "removed": "added"}
    mirrored = {
        (layer.new, layer.old, tuple(other.get(kind, kind) for kind in layer.kinds), layer.new_op, layer.old_op)
        for layer in back.layers
    }
    assert {(x.old, x.new, x.kinds, x.old_op, x.new_op) for x in there.layers} == mirrored
    assert there.key_map == {new: old for old, new in back.key_map.items()}
    assert there.unchanged == back.unchanged
    assert {(p.port, p.old, p.new) for p in there.ports} == {(p.port, p.new, p.old) for p in back.ports}


@FEW
@given(networks())
def test_every_layer_of_both_networks_is_accounted_for_once(text: str) -> None:
    new = text.replace("ReLU", "SiLU", 1).replace("Conv3(", "Conv1(", 1)
    try:
        a, b = graph(text), graph(new)
    except CnnError:
        assume(False)
    found = difference(a, b)
    before = [layer.old for layer in found.layers if layer.old is not None]
    after = [layer.new for layer in found.layers if layer.new is not None]
    assert len(set(before)) == len(before)
    assert len(set(after)) == len(after)
    assert len(before) + found.unchanged == len(a.nodes)
    assert len(after) + found.unchanged == len(b.nodes)
    told = found.weights
    assert told.carried + len(told.reshaped) + len(told.left_over) == len(a.weights)
    assert told.carried + len(told.reshaped) + len(told.missing) == told.total == len(b.weights)


@FEW
@given(networks())
def test_renaming_every_label_is_told_as_renaming_and_the_key_map_is_whole(text: str) -> None:
    a = graph(text)
    head, chain = text.rsplit("\n", 1)
    found = difference(a, graph(f"{head}\nbody: [{chain}]"))
    assert {kind for layer in found.layers for kind in layer.kinds} <= {"renamed"}
    assert found.weights.loads in ("renamed", "as it is")
    assert len(found.key_map) == len(a.weights)


# -- Equal graphs from different texts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (BASE, f"let c = 16\n{BASE.replace('32)', '2 × c)')}"),
        (BASE, BASE.replace("conv2: Conv3x3(64)", "conv2: Conv3(64, stride=(1, 1), pad=1, bias=true)")),
        (BASE, BASE.replace("Conv3x3(32)", "Conv(32, window=(3, 3), dilation=1)")),
        ("input 8×9×9\nConv3x3(8) → ReLU → ReLU", "input 8×9×9\nConv3x3 → [ReLU]×2"),
        ("input 8×9×9\nadd{ a: Conv3x3 | id }", "input 8×9×9\nadd{ id | a: Conv3x3 }"),
        ("input 8×9×9\nadd{ a: Conv3x3 | b: Conv1x1 }", "input 8×9×9\nadd{ b: Conv1x1 | a: Conv3x3 }"),
        (
            "input 8×9×9\nblock Unit(c) { Conv3x3(c) → BN → ReLU }\na: Unit(4) → b: Unit(6)",
            "input 8×9×9\na: [Conv3x3(4) → BN → ReLU] → b: [Conv3x3(6) → BN → ReLU]",
        ),
    ],
)
def test_equal_graphs_from_different_texts_are_equal(one: str, other: str) -> None:
    found = told(one, other)
    assert found.layers == ()
    assert found.equal
    assert str(found).startswith("network is the same network: ")


# -- What an engineer says


def test_a_renamed_layer_is_told_as_renamed_with_its_keys() -> None:
    found = told(BASE, BASE.replace("conv1", "stem"))
    assert kinds(found) == {"conv1": ("renamed",)}
    assert lines(found, "=") == ["= conv1  is now called stem"]
    assert found.weights.loads == "renamed"
    assert [(key.old, key.new) for key in found.weights.renamed] == [
        ("conv1.weight", "stem.weight"),
        ("conv1.bias", "stem.bias"),
    ]
    assert "the old checkpoint loads once 2 tensors are renamed" in str(found)


def test_a_widened_layer_is_changed_and_what_follows_takes_other_shapes() -> None:
    found = told(BASE, BASE.replace("Conv3x3(32)", "Conv3x3(48)"))
    assert kinds(found) == {"conv1": ("changed",), "1": ("resized",), "2": ("resized",), "conv2": ("resized",)}
    assert lines(found, "~") == ["~ conv1  Conv3x3: channels 32 → 48  +448 parameters, +442,368 MACs"]
    assert [key.old for key in found.weights.reshaped] == [
        *("conv1.weight", "conv1.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "conv2.weight"),
    ]


def test_a_layer_that_was_widened_and_renamed_is_still_the_same_layer() -> None:
    found = told(BASE, BASE.replace("conv1: Conv3x3(32)", "stem: Conv5x5(48)"))
    assert kinds(found)["conv1"] == ("renamed", "changed")


def test_a_moved_layer_is_told_as_moved() -> None:
    found = told(BASE, BASE.replace("BN → ReLU → conv2", "ReLU → BN → conv2"))
    assert kinds(found) == {"1": ("renamed", "moved")}
    assert lines(found, "=") == ["= 1  is now called 2; BN moved: now after 1, was after conv1"]


def test_an_activation_in_the_place_of_another_is_changed() -> None:
    found = told(BASE, BASE.replace("ReLU → conv2", "SiLU → conv2"))
    assert kinds(found) == {"2": ("changed",)}
    assert lines(found, "~") == ["~ 2  ReLU became SiLU"]
    assert "the old checkpoint loads as it is, but what changed computes something else with it" in str(found)


def test_layers_put_between_others_are_added_and_those_behind_keep_their_places() -> None:
    found = told(BASE, BASE.replace("conv2:", "[DWConv3x3 → BN → ReLU] → conv2:"))
    assert [(layer.old, layer.new, layer.kinds) for layer in found.layers] == [
        (None, "3", ("added",)),
        (None, "4", ("added",)),
        (None, "5", ("added",)),
        ("4", "7", ("renamed",)),
    ]
    assert lines(found, "+") == ["+ 3 … 5  DWConv3x3 → BN → ReLU, after 2  +384 parameters, +294,912 MACs"]


def test_a_scope_around_layers_is_told_once() -> None:
    head, chain = BASE.split("\n")
    found = told(BASE, f"{head}\nbody: [{chain}]")
    assert lines(found, "=") == ["= *  5 layers lie now in body"]
    assert lines(told(f"{head}\nbody: [{chain}]", BASE), "=") == ["= body.*  5 layers lie no longer in body"]
    assert lines(told(f"{head}\nbody: [{chain}]", f"{head}\nnet: [{chain}]"), "=") == [
        "= body.*  5 layers are now called net.*"
    ]


def test_a_skip_from_elsewhere_is_told_as_read_from_elsewhere() -> None:
    text = "input 8×9×9\nConv3x3 as a → ReLU as b → Conv3x3 → add{ id | b }"
    found = told(text, text.replace("| b", "| a"))
    assert kinds(found) == {"add": ("rewired",)}
    assert lines(found, "~") == ["~ add  reads 2 and 0 instead of 2 and 1"]


def test_operands_in_another_order_count_where_order_does() -> None:
    assert kinds(told("input 8×9×9\nsub{ id | Conv3x3 }", "input 8×9×9\nsub{ Conv3x3 | id }")) == {"sub": ("rewired",)}


def test_blocks_that_came_are_told_together() -> None:
    found = difference(load("resnet18").graph, load("resnet34").graph)
    assert lines(found, "+") == [
        "+ layer1.2 … layer4.2  8 blocks of 7 layers  +10,108,160 parameters, +1,849,688,064 MACs"
    ]
    assert (found.unchanged, found.weights.carried, found.weights.total) == (69, 122, 218)


def test_resnet50_and_resnext50_as_their_papers_compare_them() -> None:
    found = difference(load("resnet50").graph, load("resnext50_32x4d").graph)
    assert lines(found, "~") == [
        "~ layer*.*.conv1  16 layers, Conv1x1: channels ×2 (64 → 128 … 512 → 1024)"
        "                 +4,329,472 parameters, +937,689,088 MACs",
        "~ layer*.*.conv2  16 layers, Conv3x3: channels ×2 (64 → 128 … 512 → 1024), groups 1 → 32"
        "  -9,902,592 parameters, -1,618,477,056 MACs",
    ]
    assert (found.old.totals.params, found.new.totals.params) == (25_557_032, 25_028_904)
    assert (found.weights.loads, found.weights.carried, len(found.weights.reshaped)) == ("in part", 144, 176)


def test_keys_that_changed_places_are_a_trap_and_told_as_one() -> None:
    text = "input 8×9×9\na: Conv3x3 → ReLU → b: Conv3x3"
    found = told(text, "input 8×9×9\nb: Conv3x3 → ReLU → a: Conv3x3")
    assert found.key_map == {"a.weight": "b.weight", "a.bias": "b.bias", "b.weight": "a.weight", "b.bias": "a.bias"}
    assert "loaded without that, some would land in other layers than their own" in str(found)


def test_inputs_and_outputs_that_differ_are_told() -> None:
    found = told("input image: 8×9×9\nConv3x3(4)", "input picture: 8×7×7\nConv3x3(4) → Conv3x3(2)")
    assert [(p.port, p.old, p.new) for p in found.ports] == [
        ("input", "image 8×9×9", "picture 8×7×7"),
        ("output", "0 4×9×9", "1 2×7×7"),
    ]


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (BASE.replace("FC(10)", "FC(11)"), "does not load whole: 14 of 16 tensors fit, 96.5 % of the elements"),
        (BASE.replace(" → fc: FC(10)", ""), "has all 14 tensors of the new network, and 2 more"),
        ("input 3×32×32\nConv1x1(7, bias=false)", "nothing of the old checkpoint fits"),
    ],
)
def test_it_is_said_how_much_of_a_checkpoint_fits(new: str, said: str) -> None:
    assert f"the old checkpoint {said}".replace("the old checkpoint nothing", "nothing") in str(told(BASE, new))
