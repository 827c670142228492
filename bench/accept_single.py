"""Single-entry requests at 150 per second for 30 s against a bare FastAPI route.

Floor: a route that validates the same body with pydantic and makes one committed insert, served the
same way. Promise: nothing fails, and the median latency is at most twice the floor's.
"""

import asyncio
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from bench.connections import Connections, connections
from bench.installation import batch, installation
from embedded.ports import free_ports
from tests.record import BUSINESS, KEY

PER_SECOND = 150
SECONDS = 30


async def main() -> None:
    """Print the medians and their ratio; both arms take turns, ten seconds each."""
    async with (
        installation() as at,
        connections(at.port, **{"x-api-key": KEY}) as api,
        _bare_route(at.database.engine.url) as bare,
    ):
        path = f"/v1/businesses/{BUSINESS}/send/campaigns"
        ours: list[float] = []
        floor: list[float] = []
        for turn in range(SECONDS // 10):
            first = turn * 100_000

            async def send(number: int, first: int = first) -> None:
                answer = await api.post(path, batch(at.campaign, 1, first=first + number))
                if b'"acceptedCount":1' not in answer.replace(b" ", b""):
                    raise RuntimeError(answer.decode())

            async def insert(number: int, first: int = first) -> None:
                await bare.post("/entries", batch(at.campaign, 1, first=first + number))

            ours += await _paced(send)
            floor += await _paced(insert)
        a, b = statistics.median(ours), statistics.median(floor)
        print(
            f"{len(ours)} requests at {PER_SECOND}/s, none failed: median {a * 1000:.1f} ms, "
            f"floor {b * 1000:.1f} ms, ratio {a / b:.2f}"
        )


async def _paced(call: Callable[[int], Awaitable[None]]) -> list[float]:
    """Latencies of ten seconds of calls, started on the beat whether or not others are done."""

    async def timed(number: int) -> float:
        began = time.perf_counter()
        await call(number)
        return time.perf_counter() - began

    tasks = []
    start = time.perf_counter()
    for number in range(PER_SECOND * 10):
        await asyncio.sleep(max(0.0, start + number / PER_SECOND - time.perf_counter()))
        tasks.append(asyncio.create_task(timed(number)))
    return list(await asyncio.gather(*tasks))


@contextlib.asynccontextmanager
async def _bare_route(database_url: object) -> AsyncIterator[Connections]:
    (port,) = free_ports(1)
    url = str(database_url)
    process = subprocess.Popen([sys.executable, "-m", "bench.bare_route", url, str(port)])
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            for _ in range(300):
                with contextlib.suppress(httpx.TransportError):
                    await http.get(f"http://127.0.0.1:{port}/healthz")
                    break
                await asyncio.sleep(0.1)
        async with connections(port) as bare:
            yield bare
    finally:
        process.terminate()
        process.wait()
