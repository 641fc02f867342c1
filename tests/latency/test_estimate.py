"""Guards `latency/estimate.py` and `latency/features.py`. What a network takes on a machine whose measurements are stored, by its plan
alone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnndsl.cli import cli
from cnndsl.diagnostics.errors import CnnError
from cnndsl.ir.graph import Graph
from cnndsl.latency.estimate import estimate, plan_for
from cnndsl.latency.features import COLD, REMOTE, WARM, Caches, asked, shares
from cnndsl.pipeline import load, parse_text
from tests.latency.stored import FILE, stored

CACHES = Caches(own=4 << 20, near=48 << 20, far=400 << 20)


def test_each_call_of_the_plan_has_its_time() -> None:
    graph, machine = load("resnet18").graph, stored()
    main = plan_for(graph, machine)
    found = estimate(graph, machine)
    # 20 convolutions, 2 pools, a fully connected layer, and what is cut from its filled up outputs.
    assert found.calls == len(asked(main, machine.threads, machine.caches)) == 24
    assert sum(layer.seconds for layer in found.layers.values()) == pytest.approx(found.seconds, rel=0.01)
    assert sum(found.by_reason.values()) == pytest.approx(found.seconds)
    assert {"conv1", "maxpool", "layer1.0.conv1", "fc"} <= set(found.layers)
    assert "layer1.0.bn1" not in found.layers
    assert found.layers["fc"].reason == "weights"
    assert found.layers["layer1.0.conv1"].reason == "arithmetic"


def test_larger_networks_take_longer() -> None:
    machine = stored()
    names = ["lenet5", "mobilenet_v3_small", "resnet18", "resnet50", "vgg16"]
    times = [estimate(load(name).graph, machine).seconds for name in names]
    assert times == sorted(times)


def test_whole_numbers_take_less_time_and_bfloat16_its_own() -> None:
    graph, machine = load("resnet50").graph, stored()
    f32, bf16, int8 = (estimate(graph, machine, precision).seconds for precision in ("f32", "bf16", "int8"))
    assert int8 < 0.8 * f32
    # This machine multiplies pairs of bfloat16 numbers no faster than it multiplies float32 numbers.
    assert bf16 > f32


def test_a_batch_takes_longer_than_one_example_and_shorter_than_as_many() -> None:
    graph, machine = load("resnet50").graph, stored()
    one, four = (estimate(graph, machine, batch=batch).seconds for batch in (1, 4))
    assert 2 * one < four < 4 * one


@pytest.mark.parametrize(
    ("mebibytes", "found"),
    [(1, WARM), (4, WARM), (8, COLD), (48, COLD), (400, REMOTE), (4000, REMOTE), (139, (0.5, 0.5))],
)
def test_weights_are_where_the_run_before_left_them(mebibytes: int, found: tuple[float, float]) -> None:
    assert shares(mebibytes << 20, CACHES) == pytest.approx(found, abs=0.01)


def test_an_embedding_reads_the_rows_that_are_looked_up() -> None:
    machine = stored()
    small, large = (asked(plan_for(_words(n), machine), 2, CACHES) for n in (100, 100_000))
    assert sum(sum(call.row[6:9]) for call in small) == sum(sum(call.row[6:9]) for call in large)


def _words(count: int) -> Graph:
    return parse_text(f"input 16 of int64\nEmbedding({count}, 32) → Flatten → FC(4)").graph


def test_a_processor_without_the_instructions_is_refused() -> None:
    machine = stored()
    old = replace(machine, cpu=replace(machine.cpu, told=("avx2",)))
    with pytest.raises(CnnError, match="no instructions for products of bfloat16"):
        estimate(load("lenet5").graph, old, "bf16")


def test_the_package_has_exact_sizes() -> None:
    found = estimate(load("lenet5").graph, stored())
    # 61,706 parameters, whose channels are filled up to whole vectors of 16.
    assert (found.weight_bytes, found.map_bytes) == (300_032, 62_720)


def test_an_estimate_is_told_with_two_digits_and_how_sure_it_is() -> None:
    words = estimate(load("resnet18").graph, stored()).words
    number, unit, sign, error, percent = words.split()
    assert (unit, sign, percent) == ("ms", "±", "%")
    assert len(number.replace(".", "")) <= 2
    assert int(error) % 5 == 0


def test_a_small_network_is_told_to_be_rough() -> None:
    assert estimate(load("lenet5").graph, stored()).rough


def test_summary_tells_the_time_of_each_layer(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["summary", "resnet18", "--latency", "--target", str(FILE), "--format", "json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["latency"]["calls"] == 24
    assert told["latency"]["precision"] == "f32"
    timed = {node["name"]: node["latency"] for node in told["nodes"] if "latency" in node}
    assert timed["conv1"]["reason"] == "arithmetic"
    assert "bn1" not in timed


def test_summary_has_no_time_where_none_was_asked_for() -> None:
    result = CliRunner().invoke(cli, ["summary", "lenet5", "--format", "json"])
    assert "latency" not in result.output
