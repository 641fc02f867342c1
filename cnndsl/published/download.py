"""One file from an address: taken up again where it broke off, compared with its sum, and whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cnndsl.diagnostics.errors import CnnError, MissingPart
from cnndsl.disk.folders import LOCKS
from cnndsl.published.places import check
from cnndsl.version import __version__

Progress = Callable[[int, int], None]
"""Told how many bytes are there, and how many there will be (0 where nobody said)."""

TRIES = 4
SECONDS = 30
"""How long a server may be silent."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SENDS_ON = {
    "github.com": (".githubusercontent.com",),
    "huggingface.co": (".huggingface.co", ".hf.co"),
}
"""Servers whose files lie with others, by the ends of those others' names; all others must answer themselves."""


class _Broken(Exception):
    """The connection ended before the file did."""


def download(url: str, path: Path, sha256: str, most: int, tell: Progress | None = None) -> None:
    """Fetches a file of at most `most` bytes whose SHA-256 sum begins with `sha256`.

    What was there when a connection broke off lies beside it as `.NAME.part`, and the next call goes on from there. Raises
    `MissingPart` where the file cannot be had, and `CnnError` (wrong-checksum) where it is another.
    """
    why = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (path.parent / f".{path.name}.part").open("ab") as part:
            _hold(part)
            for _ in range(TRIES):
                try:
                    _fetch(url, part, most, tell)
                    break
                except (_Broken, HTTPException, TimeoutError) as error:
                    why = str(error) or type(error).__name__
            else:
                raise MissingPart(
                    f"{url} broke off {TRIES} times: {why}",
                    f"run it again, which goes on from there, or {by_hand(path)}",
                )
            part.flush()
            os.fsync(part.fileno())
        aside = Path(part.name)
        try:
            check(aside, sha256)
        except CnnError:
            aside.unlink(missing_ok=True)
            raise
        aside.replace(path)
    except OSError as error:
        raise MissingPart(f"{url} cannot be fetched: {_reason(error)}", by_hand(path)) from None


def by_hand(path: Path) -> str:
    """What to do without network."""
    return f"get the file elsewhere and put it at {path}"


def _hold(part: Any) -> None:
    """Two processes that fetch the same file write one after the other. Raises OSError where another one is at it."""
    if LOCKS is not None:
        try:
            LOCKS.flock(part.fileno(), LOCKS.LOCK_EX | LOCKS.LOCK_NB)
        except OSError:
            raise OSError("another process is fetching it") from None


def _fetch(url: str, part: Any, most: int, tell: Progress | None) -> None:
    """Appends what is missing. Raises OSError, and `_Broken` where it is to be tried again."""
    from urllib.error import HTTPError
    from urllib.request import Request

    start = part.seek(0, os.SEEK_END)
    request = Request(url, headers={"User-Agent": f"cnndsl/{__version__}", "Accept-Encoding": "identity"})  # noqa: S310  (`_opener` knows what it may open)
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response = _opener(url).open(request, timeout=SECONDS)
    except HTTPError as error:
        with error:
            if error.code == 416 and start:
                # More is there than the file has: it is another file by now.
                part.truncate(0)
                raise _Broken("it was begun anew") from None
        raise OSError(f"the server answers {error.code} {error.reason}") from None
    with response:
        if start and (response.status != 206 or not _goes_on(response.headers.get("Content-Range"), start)):
            part.truncate(0)
            start = 0
        length = response.headers.get("Content-Length")
        total = start + int(length) if length and length.isascii() and length.isdigit() else 0
        if total > most:
            part.truncate(0)
            raise OSError(f"the server has {total:,} bytes there, and the file has {most:,} at most")
        done = start
        while block := response.read(1 << 18):
            done += len(block)
            if done > most:
                part.truncate(0)
                raise OSError(f"the server sends more than the {most:,} bytes that the file has at most")
            part.write(block)
            if tell is not None:
                tell(done, total)
        part.flush()
        if done < total:
            raise _Broken(f"{done:,} of {total:,} bytes came")


def _goes_on(described: str | None, start: int) -> bool:
    return (described or "").startswith(f"bytes {start}-")


def _opener(url: str) -> Any:
    """An opener that knows HTTPS (and HTTP of this machine itself) and nothing else, and follows only who may send on."""
    from urllib import request

    first = urlsplit(url).hostname or ""

    class Redirects(request.HTTPRedirectHandler):
        def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
            there = urlsplit(newurl)
            host = there.hostname or ""
            if not _fine(newurl) or not (host == first or host.endswith(_SENDS_ON.get(first, ("\0",)))):
                raise OSError(f"the server sends on to {there.scheme}://{host}, which is not followed")
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    if not _fine(url):
        raise OSError("it is no https address")
    opener = request.OpenerDirector()
    handlers = (
        request.ProxyHandler, request.HTTPHandler, request.HTTPSHandler, request.HTTPDefaultErrorHandler, Redirects,
        request.HTTPErrorProcessor,
    )  # fmt: skip
    for handler in handlers:
        opener.add_handler(handler())
    return opener


def _fine(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _reason(error: OSError) -> str:
    inner = getattr(error, "reason", None)
    if inner is not None and not isinstance(inner, str):
        error = inner
    return getattr(error, "strerror", None) or str(error)
