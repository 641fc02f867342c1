"""Asks a server as hard as it can: `python load.py PORT SHAPE [CLIENTS] [SECONDS]`, SHAPE as 3x224x224.

Prints how many requests a second were answered, and how long half and 99 of 100 of them took, in milliseconds.
"""

from __future__ import annotations

import asyncio
import sys
import time

import numpy as np


async def ask(port: int, body: bytes, until: float, took: list[float]) -> None:
    """One client, which asks again as soon as it is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    while time.perf_counter() < until:
        start = time.perf_counter()
        writer.write(head + body)
        said = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if " 200 " not in said.partition("\r\n")[0]:
            raise SystemExit(said)
        await reader.readexactly(int(said.partition("content-length:")[2].split()[0]))
        took.append(time.perf_counter() - start)
    writer.close()


async def main(port: int, shape: str, clients: int = 16, seconds: float = 5) -> None:
    body = np.random.default_rng(0).standard_normal(tuple(map(int, shape.split("x")))).astype(np.float32).tobytes()
    await asyncio.gather(*(ask(port, body, time.perf_counter() + 0.5, []) for _ in range(clients)))
    took: list[float] = []
    start = time.perf_counter()
    await asyncio.gather(*(ask(port, body, start + seconds, took) for _ in range(clients)))
    rate = len(took) / (time.perf_counter() - start)
    half, most = 1e3 * np.percentile(took, [50, 99])
    print(f"{rate:.1f} requests a second; half of them in {half:.1f} ms, 99 of 100 in {most:.1f} ms")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])))
