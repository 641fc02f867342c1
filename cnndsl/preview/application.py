"""What a browser may ask the preview for. It answers only pages of its own: a site elsewhere can neither read nor steer it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from cnndsl.preview.follow import Followed, Settings, Stamp
from cnndsl.webpage.live import live_page

POLL = 0.02
"""Seconds between two looks at the files."""
PATIENCE = 0.5
"""Seconds for which a file may be gone or empty, as it is while an editor writes it, before that is told."""
MOST_BYTES = 65_536
HOSTS = ("127.0.0.1", "localhost")
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class _Asked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Chosen(_Asked):
    """Other settings."""

    model: str | None = Field(default=None, max_length=200)
    parameters: dict[str, str] = Field(default={}, max_length=200)
    inputs: dict[str, str] = Field(default={}, max_length=50)


class Spot(_Asked):
    """A place in a text: one that the reader's editor is to open, or one where the cursor of the editor is."""

    file: str = Field(default="", max_length=4000)
    line: int = Field(ge=1, le=10_000_000)
    column: int = Field(default=1, ge=1, le=10_000_000)


class Preview:
    """A followed program and the browsers that look at it."""

    def __init__(self, followed: Followed, *, editor: tuple[str, ...] = (), photo: Path | None = None) -> None:
        self.followed = followed
        self.editor = editor
        self.photo = photo
        self.readings = 0
        self._state = ""
        self._listeners: set[asyncio.Queue[str]] = set()
        self._wanted = asyncio.Event()

    def application(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/", self._page),
            Route("/events", self._events),
            Route("/photo", self._photo),
            Route("/favicon.ico", self._icon),
            Route("/settings", self._settings, methods=["POST"]),
            Route("/open", self._open, methods=["POST"]),
            Route("/cursor", self._cursor, methods=["POST"]),
        ]
        middleware = [Middleware(TrustedHostMiddleware, allowed_hosts=[*HOSTS]), Middleware(OwnPagesOnly)]
        return Starlette(routes=routes, middleware=middleware, lifespan=self._running)

    @asynccontextmanager
    async def _running(self, _: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            self.followed.close()

    async def _watch(self) -> None:
        """Reads the program whenever a file or a setting has changed, and tells all listeners what it is now."""
        before: dict[Path, Stamp] | None = None
        missing = 0.0
        while True:
            now = self.followed.stamps()
            missing = missing + POLL if None in now.values() else 0.0
            changed = now != before and not 0 < missing < PATIENCE
            if changed or self._wanted.is_set():
                self._wanted.clear()
                state = await anyio.to_thread.run_sync(self.followed.read)
                # A file that is used may have been met only now, and one may have changed meanwhile.
                before = {path: now.get(path, stamp) for path, stamp in self.followed.stamps().items()}
                self.readings += 1
                self._tell("state", {**state, "editor": bool(self.editor), "photo": self.photo is not None})
            try:
                await asyncio.wait_for(self._wanted.wait(), POLL)
            except TimeoutError:
                continue

    def _tell(self, event: str, content: object) -> None:
        text = f"event: {event}\ndata: {json.dumps(content, ensure_ascii=False, allow_nan=False)}\n\n"
        if event == "state":
            self._state = text
        for listener in self._listeners:
            if event == "state":
                # Only the newest state matters to a listener that is late.
                while not listener.empty():
                    listener.get_nowait()
            listener.put_nowait(text)

    # -- what is asked for

    async def _page(self, _: Request) -> Response:
        html, policy = live_page(Path(self.followed.file).name)
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def _events(self, _: Request) -> Response:
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        listener: asyncio.Queue[str] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            if self._state:
                yield self._state
            while True:
                yield await listener.get()
        finally:
            self._listeners.discard(listener)

    async def _photo(self, _: Request) -> Response:
        return FileResponse(self.photo) if self.photo is not None else Response(status_code=404)

    async def _icon(self, _: Request) -> Response:
        return Response(status_code=204)

    async def _settings(self, request: Request) -> Response:
        chosen = await _body(request, Chosen)
        if isinstance(chosen, Response):
            return chosen
        self.followed.settings = Settings(chosen.model, chosen.parameters, chosen.inputs)
        self._wanted.set()
        return Response(status_code=204)

    async def _cursor(self, request: Request) -> Response:
        spot = await _body(request, Spot)
        if isinstance(spot, Response):
            return spot
        self._tell("cursor", {"file": self._known(spot.file), "line": spot.line, "column": spot.column})
        return Response(status_code=204)

    async def _open(self, request: Request) -> Response:
        spot = await _body(request, Spot)
        if isinstance(spot, Response):
            return spot
        path = self.followed.paths.get(spot.file)
        if path is None or not self.editor:
            return Response("no such text, or no --editor was given", 404, media_type="text/plain")
        names = {"file": str(path.resolve()), "line": str(spot.line), "column": str(spot.column)}
        command = [_filled(part, names) for part in self.editor]
        try:
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            return Response(f"cannot start {command[0]}: {error.strerror}", 500, media_type="text/plain")
        return Response(status_code=204)

    def _known(self, file: str) -> str:
        """The name of a text in messages, by that name or by its path."""
        if file in self.followed.paths:
            return file
        path = Path(file).resolve() if file else None
        return next((name for name, p in self.followed.paths.items() if path is None or p.resolve() == path), file)


class OwnPagesOnly:
    """Refuses what a page of another site asks for, and adds the headers that keep browsers strict."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
        own = f"http://{request.headers.get('host', '')}"
        if origin not in (None, own) or site not in ("none", "same-origin"):
            await Response("only for the preview's own page", 403, media_type="text/plain")(scope, receive, send)
            return

        async def strict(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *more]
            await send(message)

        await self.app(scope, receive, strict)


Form = TypeVar("Form", bound=_Asked)


async def _body(request: Request, form: type[Form]) -> Form | Response:
    """What was asked for, checked; or the answer that says why not."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return Response("expected application/json", 415, media_type="text/plain")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return Response(f"more than {MOST_BYTES} bytes", 413, media_type="text/plain")
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        return Response(str(error.errors()[0]["msg"]), 422, media_type="text/plain")


def _filled(part: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        part = part.replace(f"{{{name}}}", value)
    return part
