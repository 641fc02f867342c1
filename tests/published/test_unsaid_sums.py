"""Weights whose publisher says no sum are taken only by who asks for it, and must stay what they were when they came."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.cli import run
from cnndsl.diagnostics.errors import CnnError, MissingPart
from cnndsl.published import table
from cnndsl.published.places import found, noted, place
from cnndsl.published.table import Published, find
from cnndsl.published.weights import fetched, taken
from tests.published import test_download
from tests.published.test_download import CONTENT, SUM, Server

server = test_download.server
NAME = "repvgg_a0:rvgg_in1k"


@pytest.fixture
def entry(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    """The entry of a network on timm's hub, with a server of this machine in the hub's place."""
    monkeypatch.setenv("CNNDSL_WEIGHTS", str(tmp_path))
    own = find("repvgg_a0").model_copy(update={"url": server.url("main/model.safetensors")})
    monkeypatch.setattr(table, "find", lambda network, which="": own)
    return own


def test_a_file_whose_sum_nobody_says_is_neither_fetched_nor_used_by_itself(entry: Published, server: Server) -> None:
    assert entry.sha256 == ""
    with pytest.raises(MissingPart, match="says no SHA-256 sum") as refused:
        fetched(entry)
    assert f"cnndsl weights fetch {NAME} --unverified" in refused.value.help
    assert server.ranges == []
    place(entry).parent.mkdir()
    place(entry).write_bytes(CONTENT)
    with pytest.raises(MissingPart, match="says no SHA-256 sum"):
        found(entry)


def test_its_sum_is_remembered_and_another_file_is_refused_later(
    entry: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["weights", "fetch", NAME, "--unverified"]) == 0
    told = capsys.readouterr()
    assert f"its SHA-256 sum is {SUM}, which nobody vouches for" in told.err
    assert told.out.strip() == str(place(entry)) == str(found(entry))
    assert place(entry).with_name("model.safetensors.sha256").read_text("utf-8") == f"{SUM}  model.safetensors\n"
    place(entry).write_bytes(b"another")
    with pytest.raises(CnnError, match="is not the file that was published"):
        found(entry)
    with pytest.raises(CnnError, match="is not the file that was published"):
        taken(entry, "")


def test_a_sum_from_elsewhere_is_compared_before_the_file_is_there(entry: Published) -> None:
    assert run(["weights", "fetch", NAME, "--sha256", "0" * 64]) == 1
    assert not place(entry).exists()
    assert run(["weights", "fetch", NAME, "--sha256", SUM.upper()]) == 0
    assert fetched(entry) == place(entry)


def test_a_file_that_was_put_there_by_hand_is_compared_and_noted(entry: Published, server: Server) -> None:
    place(entry).parent.mkdir()
    place(entry).write_bytes(CONTENT)
    with pytest.raises(CnnError, match="is not the file that was published"):
        taken(entry, "0" * 64)
    assert noted(place(entry)) == ""
    assert taken(entry, SUM) == place(entry)
    assert noted(place(entry)) == SUM
    assert server.ranges == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["resnet18", "--unverified"],
        [NAME, "--sha256", "abc"],
        [NAME, "--sha256", SUM, "--unverified"],
        [NAME, "resnet18", "--sha256", SUM],
    ],
)
def test_a_published_sum_is_not_set_aside(arguments: list[str]) -> None:
    assert run(["weights", "fetch", *arguments]) == 2
