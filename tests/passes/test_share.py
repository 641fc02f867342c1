"""Guards `passes/values/share.py`. `share`: one set of weights, used as often as named, counted where it is defined."""

from __future__ import annotations

import pytest

from cnndsl.diagnostics.errors import CnnError
from tests.passes.reading import keys, listing, names, net, weights, wrong

HEAD = "input 3×16×16\n"


def test_a_share_has_its_weights_once_and_runs_as_often_as_named() -> None:
    text = HEAD + "share head = [Conv3x3(3) → ReLU]×2\na = head\nadd{ a | a → head } → head"
    assert names(text) == [
        "head.0 Conv",
        "head.1 ReLU",
        "head.2 Conv",
        "head.3 ReLU",
        "head.0@2 Conv",
        "head.1@2 ReLU",
        "head.2@2 Conv",
        "head.3@2 ReLU",
        "add add",
        "head.0@3 Conv",
        "head.1@3 ReLU",
        "head.2@3 Conv",
        "head.3@3 ReLU",
    ]
    assert keys(text) == ["head.0.weight", "head.0.bias", "head.2.weight", "head.2.bias"]
    graph = net(text)
    assert [n.weights_of for n in graph.nodes if n.name.startswith("head.2")] == ["head.2"] * 3


def test_one_layer_or_block_is_called_by_the_shares_own_name() -> None:
    text = (
        HEAD + "share conv = Conv3x3(3)\nblock H(c) { Conv3x3(c) → BN }\nshare head = H(3)\nconv → head → conv → head"
    )
    assert keys(text) == ["conv.weight", "conv.bias", "head.0.weight", "head.0.bias", "head.1.weight", "head.1.bias"]


def test_a_share_is_counted_where_it_is_defined_and_its_uses_take_no_position() -> None:
    one = "Conv1x1(3) as a\n→ Conv1x1(3)"
    assert keys(HEAD + one) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    single = "x = Conv1x1(3)\nshare s = Conv3x3(3)\nx → s → ReLU → s → Conv1x1(3)"
    assert names(HEAD + single) == ["0 Conv", "s Conv", "2 ReLU", "s@2 Conv", "3 Conv"]
    several = "x = Conv1x1(3)\nshare s = Conv3x3(3) → ReLU\nx → s → ReLU → s → Conv1x1(3)"
    assert names(HEAD + several) == ["0 Conv", "s.0 Conv", "s.1 ReLU", "2 ReLU", "s.0@2 Conv", "s.1@2 ReLU", "3 Conv"]
    assert keys(HEAD + single) == ["0.weight", "0.bias", "s.weight", "s.bias", "3.weight", "3.bias"]


def test_its_weights_stand_where_it_is_defined() -> None:
    text = HEAD + "share last = FC(2)\nConv3x3(4) → last"
    assert keys(text) == ["last.weight", "last.bias", "1.weight", "1.bias"]


def test_a_share_inside_repeats_and_blocks_stays_shared() -> None:
    text = HEAD + "share s = Conv3x3(3)\nblock B { s → Conv1x1(3) }\n[s → BN]×2 → B → B"
    assert weights(text) == {
        "s.weight": "3×3×3×3",
        "1.weight": "3",
        "2.weight": "3",
        "3.0.weight": "3×3×1×1",
        "4.0.weight": "3×3×1×1",
    }


def test_shares_of_shares() -> None:
    text = HEAD + "share a = Conv3x3(3)\nshare b = a → Conv1x1(3)\nb → a → b"
    assert keys(text) == ["a.weight", "a.bias", "b.0.weight", "b.0.bias"]
    assert [n.split()[0] for n in listing(text)] == ["a", "b.0", "a@2", "a@3", "b.0@2"]


def test_labels_inside_a_share_descend_from_its_name() -> None:
    text = HEAD + "share s = [conv: Conv3x3(3) → bn: BN]\ns → s"
    assert keys(text) == ["s.conv.weight", "s.conv.bias", "s.bn.weight", "s.bn.bias"]


def test_a_use_with_other_channels_is_told_at_the_use() -> None:
    assert wrong(HEAD + "share s = Conv3x3(8)\ns → s") == [("share-mismatch", 3, 5)]
    assert wrong(HEAD + "share s = BN → ReLU\ns → Conv1x1(4)\n→ s") == [("share-mismatch", 4, 3)]


def test_a_use_with_other_layers_is_told_at_the_use() -> None:
    grows = "share s = ReLU → Conv3x3(3) if id.height > 8\n"
    assert wrong(HEAD + grows + "s → MaxPool → s") == [("share-mismatch", 3, 15)]
    assert wrong(HEAD + grows + "MaxPool as x\n→ s → cat{ in → s | in → s }") == [
        ("share-mismatch", 4, 17),
        ("share-mismatch", 4, 26),
    ]


def test_a_layer_whose_arguments_follow_the_size_is_told_as_such() -> None:
    text = (
        "block Flat { Conv3x3(4) → Reshape(4, in.height × in.width) }\n"
        "share flat = Flat\na = in → flat\nb = in → MaxPool → flat\noutput a, b"
    )
    with pytest.raises(CnnError) as caught:
        net(HEAD + text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.id == "share-mismatch"
    assert diagnostic.message == "`Reshape` has other arguments here than in the first use of the share"
    assert [label.text for label in diagnostic.labels[:2]] == [
        "expected the arguments of the first use, found others",
        "the first use",
    ]
