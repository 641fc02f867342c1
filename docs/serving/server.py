"""A package behind HTTP: `python server.py PACKAGE [PORT]`, or `python server.py MODEL.onnx [PORT]` for ONNX Runtime.

POST /predict with the bytes of one example, as `array.tobytes()` gives them; the answer has the bytes of the output. Requests
that wait while the network runs are computed together, up to eight, or the largest batch size of the package.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Engine = Callable[[np.ndarray], np.ndarray]


def package_engine(folder: str) -> tuple[Engine, tuple[int, ...], int]:
    """What computes a batch, the shape of one example, and the most examples that are computed together."""
    sys.path.insert(0, folder)
    from predict import load  # the package's own, which needs NumPy alone

    network = load(folder)
    (port,) = network.manifest["inputs"]
    # A package cuts what it is given into the batches that it has.
    return network, tuple(port["shape"]), max(8, *network.manifest["batches"])


def onnx_engine(file: str, most: int = 8) -> tuple[Engine, tuple[int, ...], int]:
    """The same with ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (port,) = session.get_inputs()
    return lambda x: session.run(None, {port.name: x})[0], tuple(port.shape[1:]), most


class Batches:
    """Examples that wait are computed together, by one thread beside the one that speaks HTTP."""

    def __init__(self, engine: Engine, shape: tuple[int, ...], most: int) -> None:
        self.engine, self.shape, self.most = engine, shape, most
        self.waiting: asyncio.Queue[tuple[np.ndarray, asyncio.Future[np.ndarray]]] = asyncio.Queue(1024)

    async def answer(self, example: np.ndarray) -> np.ndarray:
        """The output for one example."""
        answer = asyncio.get_running_loop().create_future()
        await self.waiting.put((example, answer))
        return await answer

    async def work(self) -> None:
        """Computes what waits, for ever."""
        while True:
            taken = [await self.waiting.get()]
            while len(taken) < self.most and not self.waiting.empty():
                taken.append(self.waiting.get_nowait())
            try:
                results = await asyncio.to_thread(self.engine, np.stack([example for example, _ in taken]))
            except Exception as error:
                for _, answer in taken:
                    answer.set_exception(error)
                raise
            for (_, answer), result in zip(taken, results, strict=True):
                if not answer.done():
                    answer.set_result(result)


def application(engine: Engine, shape: tuple[int, ...], most: int) -> Starlette:
    """The service."""
    batches = Batches(engine, shape, most)

    @asynccontextmanager
    async def alive(_: Starlette) -> AsyncIterator[None]:
        worker = asyncio.create_task(batches.work())
        yield
        worker.cancel()

    async def predict(request: Request) -> Response:
        body = await request.body()
        if len(body) != 4 * int(np.prod(shape)):
            return PlainTextResponse(f"expected {'×'.join(map(str, shape))} numbers of float32", 400)
        result = await batches.answer(np.frombuffer(body, np.float32).reshape(shape))
        return Response(result.tobytes(), media_type="application/octet-stream")

    return Starlette(routes=[Route("/predict", predict, methods=["POST"])], lifespan=alive)


if __name__ == "__main__":
    source, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 8000
    parts = package_engine(source) if Path(source).is_dir() else onnx_engine(source)
    uvicorn.run(application(*parts), port=port, log_level="warning")
