"""Guards `passes/draft/name.py`. Names of weights: scopes, labels, positions, order. The rules of the page, one by one."""

from __future__ import annotations

import pytest

from cnndsl.diagnostics.errors import CnnError
from cnndsl.pipeline import parse_text
from tests.passes.reading import keys, names, net, weights, wrong

IN = "input 3×8×8\n"


# -- 1. A label and a block call open a scope; brackets, repeats, branches and conditions do not.


def test_brackets_repeats_branches_and_conditions_open_nothing() -> None:
    text = (
        "[Conv1x1(2) → [BN]]×2 → add{ [Conv1x1(2)] | [[BN]] } → [Conv1x1(3) → BN] if true else ReLU → BN for i in 1..2"
    )
    assert names(IN + text) == [
        "0 Conv",
        "1 BN",
        "2 Conv",
        "3 BN",
        "4 Conv",
        "5 BN",
        "add add",
        "6 Conv",
        "7 BN",
        "8 BN",
        "9 BN",
    ]


def test_labels_and_block_calls_open_scopes() -> None:
    text = "block B { Conv1x1(2) → inner: [BN → C] }\nblock C { Conv1x1(3) }\nB → x: B → y: [B → Conv1x1(4)]"
    assert list(weights(IN + text)) == [
        "0.0.weight",
        "0.inner.0.weight",
        "0.inner.1.0.weight",
        "x.0.weight",
        "x.inner.0.weight",
        "x.inner.1.0.weight",
        "y.0.0.weight",
        "y.0.inner.0.weight",
        "y.0.inner.1.0.weight",
        "y.1.weight",
    ]


def test_a_label_on_a_merge_opens_a_scope_for_its_branches() -> None:
    text = "m: cat{ Conv1x1(4) | a: Conv1x1(5) | [Conv1x1(3) → BN] } → Conv1x1(4)"
    assert names(IN + text) == ["m.0 Conv", "m.a Conv", "m.2 Conv", "m.3 BN", "m.cat cat", "0 Conv"]


# -- 2. Positions.


def test_positions_count_layers_and_blocks_in_reading_order() -> None:
    text = "block B { BN }\nConv1x1(2) → ReLU → B → Flatten → FC(3) → Dropout → FC(4)"
    assert list(weights(IN + text)) == ["0.weight", "2.0.weight", "4.weight", "6.weight"]


def test_what_takes_no_position() -> None:
    text = (
        "share s = BN\nid → Conv1x1(3) as t → id → cat{ t | id } → Conv1x1(3) → s → Conv1x1(3) if false → BN"
        " → s → add{ in | id } → FC(5) → ReLU×0 → FC(6)"
    )
    assert list(weights(IN + text)) == ["s.weight", "1.weight", "2.weight", "3.weight", "4.weight", "5.weight"]


def test_the_flatten_that_fc_brings_takes_none_and_a_written_one_does() -> None:
    assert names(IN + "FC(5) → FC(6)") == ["flatten Flatten", "0 FC", "1 FC"]
    assert names(IN + "Flatten → FC(5)") == ["0 Flatten", "1 FC"]
    assert names(IN + "a: FC(5)") == ["flatten Flatten", "a FC"]


def test_labelled_elements_take_their_position_too() -> None:
    assert list(weights(IN + "a: Conv1x1(2) → Conv1x1(3) → b: [BN] → Conv1x1(4)")) == [
        "a.weight",
        "1.weight",
        "b.0.weight",
        "3.weight",
    ]


def test_branches_count_from_left_to_right() -> None:
    assert list(weights(IN + "BN → cat{ Conv1x1(2) → BN | Conv1x1(3) } → BN")) == [f"{i}.weight" for i in range(5)]


def test_a_layer_without_weights_gives_way_to_a_label() -> None:
    assert names(IN + "1: Conv3x3(8) → ReLU → Conv3x3(8)") == ["1 Conv", "relu_1 ReLU", "2 Conv"]
    assert names(IN + "ReLU → 0: Conv3x3(8)") == ["relu_0 ReLU", "0 Conv"]
    assert names(IN + "a: [ReLU → 0: BN]") == ["a.relu_0 ReLU", "a.0 BN"]
    assert names(IN + "Dropout → 0: ReLU") == ["dropout_0 Dropout", "0 ReLU"]


def test_as_in_torch() -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        nn.Sequential(nn.Conv2d(4, 5, 1, bias=False), nn.BatchNorm2d(5)),
        nn.Sequential(*(nn.Conv2d(5, 5, 1) for _ in range(2))),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 7),
    )
    text = "Conv3x3(4) → ReLU → 2: [Conv1x1(5, bias=false) → BN] → 3: [Conv1x1(5)]×2 → GlobalAvgPool → Flatten → FC(7)"
    graph = net(IN + text)
    assert [(e.key, e.weight.shape) for e in graph.weights] == [
        (k, tuple(v.shape)) for k, v in module.state_dict().items()
    ]


# -- 3. Labels on repeats and choices.


def test_a_labelled_repeat_numbers_its_rounds() -> None:
    block = "block Basic(c) { conv1: Conv3x3(c) → bn1: BN → ReLU }\n"
    text = "layer1: Basic(4)×2 → layer2: Basic(4) → layer3: Basic(4)×1 → layer4: Basic(c) for c in [5, 6]"
    assert list(weights(IN + block + text)) == [
        "layer1.0.conv1.weight",
        "layer1.0.bn1.weight",
        "layer1.1.conv1.weight",
        "layer1.1.bn1.weight",
        "layer2.conv1.weight",
        "layer2.bn1.weight",
        "layer3.0.conv1.weight",
        "layer3.0.bn1.weight",
        "layer4.0.conv1.weight",
        "layer4.0.bn1.weight",
        "layer4.1.conv1.weight",
        "layer4.1.bn1.weight",
    ]


def test_features_and_downsample() -> None:
    text = "features: [[Conv3x3(4) → ReLU]×2 → MaxPool] → downsample: [Conv1x1(5) → BN]"
    assert list(weights(IN + text)) == [
        "features.0.weight",
        "features.2.weight",
        "downsample.0.weight",
        "downsample.1.weight",
    ]


def test_a_label_on_a_repeated_group_is_one_scope() -> None:
    assert list(weights(IN + "l: [Conv1x1(4) → ReLU]×2")) == ["l.0.weight", "l.2.weight"]
    assert wrong(IN + "l: [c: Conv1x1(3)]×2") == [("duplicate-name", 2, 8)]


def test_a_label_covers_both_sides_of_a_choice() -> None:
    text = "a: Conv1x1(8) if {} else [Conv1x1(9) → BN]"
    assert list(weights(IN + text.format("true"))) == ["a.weight"]
    assert list(weights(IN + text.format("false"))) == ["a.0.weight", "a.1.weight"]


def test_an_unlabelled_repeat_opens_nothing() -> None:
    assert list(weights(IN + "block B { BN }\nB×2 → B for i in 1..2 → Conv1x1(2)")) == [
        "0.0.weight",
        "1.0.weight",
        "2.0.weight",
        "3.0.weight",
        "4.weight",
    ]


# -- 4. What a label may be.


@pytest.mark.parametrize(
    "label",
    ["conv1", "1", "0", "0-1", "a_b", "if", "for", "in", "id", "input", "default", "ReLU", "Conv", "cat", "_", "7b"],
)
def test_any_word_may_be_a_label(label: str) -> None:
    assert list(weights(IN + f"{label}: Conv1x1(2)")) == [f"{label}.weight"]
    assert list(weights(IN + f"x: [ReLU → {label} : Conv1x1(2)]")) == [f"x.{label}.weight"]


def test_a_label_may_equal_any_other_name() -> None:
    assert list(weights(IN + "let c = 2\nt = BN\nt → c: Conv1x1(c) → t: BN → input: BN")) == [
        "0.weight",
        "c.weight",
        "t.weight",
        "input.weight",
    ]


def test_labels_with_values_name_each_round() -> None:
    rows = "let rows = [(4, 1), (5, 2)]\n"
    assert list(weights(IN + rows + "s{i+1}: Conv1x1(c) for i, (c, n) in enumerate(rows)")) == [
        "s1.weight",
        "s2.weight",
    ]
    assert list(weights(IN + "{i}-{j}: Conv1x1(8) for i, j in [(1, 2), (3, 4)]")) == ["1-2.weight", "3-4.weight"]
    assert list(weights(IN + "{i}: [Conv1x1(4) → BN] for i in [3, 5]")) == [
        "3.0.weight",
        "3.1.weight",
        "5.0.weight",
        "5.1.weight",
    ]
    assert list(weights(IN + 'x{n}y: Conv1x1(4) for n in ["a", "b-c"]')) == ["xay.weight", "xb-cy.weight"]
    assert list(weights(IN + "[b{i}: [c{j}: Conv1x1(2) for j in 0..1]] for i in 0..1")) == [
        "b0.c0.weight",
        "b0.c1.weight",
        "b1.c0.weight",
        "b1.c1.weight",
    ]


def test_a_whole_double_is_a_whole_number_also_in_a_label() -> None:
    assert names(IN + "{0.5 * 4}: BN → {6 / 2}: BN") == ["2 BN", "3 BN"]
    assert wrong(IN + "{0.5}: BN") == [("wrong-type", 2, 2)]


def test_a_value_that_is_no_round_of_its_own_names_the_whole() -> None:
    assert list(weights(IN + "block B { BN }\nlet i = 7\ns{i}: B×2")) == ["s7.0.0.weight", "s7.1.0.weight"]
    assert list(weights(IN + "block B { BN }\n[s{i}: B for j in 0..1] for i in 1..2")) == [
        "s1.0.0.weight",
        "s1.1.0.weight",
        "s2.0.0.weight",
        "s2.1.0.weight",
    ]


def test_a_dot_descends() -> None:
    text = "convs.0: Conv1x1(2) → bns.0: BN → ReLU → convs.1: Conv1x1(2) → bns.1: BN → a.b.c: BN"
    assert list(weights(IN + text)) == [
        "convs.0.weight",
        "convs.1.weight",
        "bns.0.weight",
        "bns.1.weight",
        "a.b.c.weight",
    ]
    assert list(weights(IN + "convs.{i}: Conv1x1(2) for i in 0..1")) == ["convs.0.weight", "convs.1.weight"]


@pytest.mark.parametrize("label", ["a..b", ".a", "a.", "{2.5}", '{"a b"}', "{ReLU}", "{nope}", "a b", "é", "{}"])
def test_wrong_labels(label: str) -> None:
    assert wrong(IN + f"{label}: ReLU") != []


# -- 6. and 7. Twice the same name; order.


def test_two_weights_of_one_name() -> None:
    assert wrong(IN + "a: Conv1x1(2) → a: Conv1x1(2)") == [("duplicate-name", 2, 20)]
    assert wrong(IN + "Conv1x1(2) → 0: Conv1x1(2)") == [("duplicate-name", 2, 17)]
    assert wrong(IN + "a.b: Conv1x1(2) → a: [b: BN]") == [("duplicate-name", 2, 26)]
    assert wrong(IN + "share a = BN\na → a: BN") == [("duplicate-name", 3, 8)]
    assert names(IN + "a: ReLU → a: ReLU") == ["a ReLU", "a_1 ReLU"]


def test_order_is_reading_order_with_a_scope_where_it_was_first_opened() -> None:
    text = "x = BN\nblock B { Conv1x1(2) → BN }\ny.1: BN → B → y.0: BN → z: B"
    assert keys(IN + text) == [
        "0.weight",
        "0.bias",
        "y.1.weight",
        "y.1.bias",
        "y.0.weight",
        "y.0.bias",
        "2.0.weight",
        "2.0.bias",
        "2.1.weight",
        "2.1.bias",
        "z.0.weight",
        "z.0.bias",
        "z.1.weight",
        "z.1.bias",
    ]


def test_a_one_tensor_layer_has_its_label_as_its_key() -> None:
    assert keys("input 4×5×5\nscale: LayerScale → a: [Conv1x1(4) → LayerScale]") == [
        "scale",
        "a.1",
        "a.0.weight",
        "a.0.bias",
    ]


def test_inputs_and_nodes_never_share_a_name() -> None:
    graph = net("input x: 3×8×8\nx: Conv1x1(2) → y: ReLU")
    assert len({*(i.name for i in graph.inputs), *(n.name for n in graph.nodes)}) == 3
    assert [e.key for e in graph.weights] == ["x.weight", "x.bias"]


def test_a_label_on_a_tensor_or_on_a_shares_use_is_refused() -> None:
    for text in (
        "input image: 3×8×8\nstem: image → Conv3x3(8)",
        "input image: 3×8×8\nshare f = Conv3x3(3)\nf → again: f",
        "input image: 3×8×8\nimage×2 → Conv3x3(8)",
    ):
        with pytest.raises(CnnError) as caught:
            parse_text(text)
        assert caught.value.diagnostics[0].id == ("bad-count" if "×2" in text else "label-without-layer")


def test_a_label_covers_both_sides_of_an_if() -> None:
    graph = parse_text("input 3×8×8\nadd{ Conv3x3(3) | side: Conv1x1(3) if false else id }").graph
    assert [e.key for e in graph.weights] == ["0.weight", "0.bias"]
