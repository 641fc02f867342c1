"""Fetching from a server that behaves, breaks off, lies about length, gives another file or sends elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cnndsl.diagnostics.errors import CnnError, MissingPart
from cnndsl.published import download as downloading
from cnndsl.published.download import download

CONTENT = bytes(range(256)) * 4000
SUM = sha256(CONTENT).hexdigest()
MOST = len(CONTENT)


class Server(ThreadingHTTPServer):
    """Serves `CONTENT` by the way that the path names, and keeps the ranges it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        way = self.path.strip("/")
        if way in ("elsewhere", "file", "ftp"):
            there = {"elsewhere": "http://example.com/w.pth", "file": "file:///etc/passwd", "ftp": "ftp://127.0.0.1/w"}
            self.send_response(302)
            self.send_header("Location", there[way])
            self.end_headers()
            return
        if way == "here":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
            return
        if way == "missing":
            self.send_error(404)
            return
        content = {"another": b"x" * MOST, "longer": CONTENT + b"more"}.get(way, CONTENT)
        ranged = start and way != "deaf"
        if ranged and start >= len(content):
            self.send_error(416)
            return
        part = content[start:] if ranged else content
        self.send_response(206 if ranged else 200)
        if ranged:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        # `endless` says nothing of its length and sends more than there is.
        if way != "endless":
            self.send_header("Content-Length", str(len(part) + (5000 if way == "short" else 0)))
        self.end_headers()
        try:
            if way == "broken":
                self.wfile.write(part[: len(part) // 2])
                self.close_connection = True
            elif way == "endless":
                for _ in range(50):
                    self.wfile.write(CONTENT)
            else:
                self.wfile.write(part)
        except OSError:
            return


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    thread = threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join()


def test_a_file_comes_whole_and_how_far_it_is_is_told(server: Server, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    download(
        server.url("whole"), tmp_path / "deep" / "w.pth", SUM, MOST, lambda done, total: told.append((done, total))
    )
    assert (tmp_path / "deep" / "w.pth").read_bytes() == CONTENT
    assert told[-1] == (MOST, MOST)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["w.pth"]


def test_eight_digits_of_a_sum_are_enough(server: Server, tmp_path: Path) -> None:
    download(server.url("whole"), tmp_path / "w.pth", SUM[:8], MOST)
    assert (tmp_path / "w.pth").is_file()


def test_a_broken_connection_is_taken_up_again_where_it_was(server: Server, tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="broke off 4 times"):
        download(server.url("broken"), tmp_path / "w.pth", SUM, MOST)
    assert not (tmp_path / "w.pth").exists()
    there = (tmp_path / ".w.pth.part").stat().st_size
    assert 0 < there < MOST
    server.ranges.clear()
    download(server.url("whole"), tmp_path / "w.pth", SUM, MOST)
    assert server.ranges == [f"bytes={there}-"]
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert not (tmp_path / ".w.pth.part").exists()


def test_a_server_that_knows_no_ranges_begins_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / ".w.pth.part").write_bytes(CONTENT[:1000])
    download(server.url("deaf"), tmp_path / "w.pth", SUM, MOST)
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_part_that_is_longer_than_the_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / ".w.pth.part").write_bytes(CONTENT + b"of something else")
    download(server.url("whole"), tmp_path / "w.pth", SUM, MOST)
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_length_that_is_not_kept_is_no_file(server: Server, tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="broke off"):
        download(server.url("short"), tmp_path / "w.pth", SUM, MOST + 10_000)
    assert not (tmp_path / "w.pth").exists()


@pytest.mark.parametrize("way", ["longer", "endless"])
def test_more_than_the_file_has_is_not_kept(way: str, server: Server, tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="at most"):
        download(server.url(way), tmp_path / "w.pth", SUM, MOST)
    assert not (tmp_path / "w.pth").exists()
    assert (tmp_path / ".w.pth.part").stat().st_size <= MOST


def test_another_file_is_refused_and_gone(server: Server, tmp_path: Path) -> None:
    with pytest.raises(CnnError, match="is not the file that was published"):
        download(server.url("another"), tmp_path / "w.pth", SUM, MOST)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays_until_the_new_one_is_right(server: Server, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"before")
    with pytest.raises(CnnError):
        download(server.url("another"), tmp_path / "w.pth", SUM, MOST)
    assert (tmp_path / "w.pth").read_bytes() == b"before"


@pytest.mark.parametrize(("way", "where"), [("elsewhere", "http://example.com"), ("ftp", "ftp://")])
def test_a_server_that_sends_elsewhere_is_not_followed(way: str, where: str, server: Server, tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match=f"sends on to {where}"):
        download(server.url(way), tmp_path / "w.pth", SUM, MOST)
    assert not (tmp_path / "w.pth").exists()


def test_a_server_that_sends_to_a_file_is_not_followed(server: Server, tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="not allowed"):
        download(server.url("file"), tmp_path / "w.pth", SUM, MOST)


def test_a_server_that_sends_to_itself_is_followed(server: Server, tmp_path: Path) -> None:
    download(server.url("here"), tmp_path / "w.pth", SUM, MOST)
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_what_is_missing_is_said_with_the_place_to_put_it_by_hand(server: Server, tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="answers 404") as refused:
        download(server.url("missing"), tmp_path / "w.pth", SUM, MOST)
    assert str(tmp_path / "w.pth") in refused.value.help


@pytest.mark.parametrize("url", ["http://example.com/w.pth", "file:///etc/passwd", "ftp://example.com/w.pth"])
def test_an_address_without_encryption_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(MissingPart, match="no https address"):
        download(url, tmp_path / "w.pth", SUM, MOST)


def test_without_network_it_is_said_where_the_file_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "SECONDS", 1)
    with pytest.raises(MissingPart, match="cannot be fetched") as refused:
        download("https://127.0.0.1:9/w.pth", tmp_path / "w.pth", SUM, MOST)
    assert "put it at" in refused.value.help


def test_github_and_the_hub_may_send_on_to_their_own_stores() -> None:
    assert downloading._SENDS_ON["github.com"] == (".githubusercontent.com",)
    assert "huggingface.co" in downloading._SENDS_ON
