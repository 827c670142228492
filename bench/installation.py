"""The API on a fresh PostgreSQL, as a process of its own, with Temporal away: what benches measure."""

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from embedded.environment import part_environment
from embedded.ports import free_ports
from embedded.postgres import running_postgres
from settings import Settings
from storage.schema import migrate
from storage.session import Database
from tests.record import BUSINESS, KEY, add_business

FLOW: dict[str, Any] = {
    "format": 1,
    "start": "welcome",
    "variables": {"customername": {"required": True}, "product": {"default": "the new watch"}},
    "nodes": {
        "welcome": {
            "type": "message",
            "message": {
                "type": "template",
                "name": "spring_sale",
                "language": "en_US",
                "category": "marketing",
                "body": ["{{customername}}", "{{product}}"],
                "preview": "Hi {{1}}, {{2}} is 20% off today.",
            },
            "buttons": [{"id": "yes", "label": "Tell me more"}],
        }
    },
}


@dataclass
class Installation:
    """One API process (its id is `api_process`) and its database, with one published campaign."""

    database: Database
    http: httpx.AsyncClient
    campaign: str
    port: int
    api_process: int

    async def send(self, body: bytes) -> None:
        """Send a request; fails unless everything in it was accepted."""
        answer = await self.http.post("/send/campaigns", content=body)
        rows = answer.json()["data"]
        if answer.status_code != 200 or any(row["error"] for row in rows):
            raise RuntimeError(f"{answer.status_code}: {answer.text[:500]}")


def batch(campaign: str, entries: int, *, first: int = 0) -> bytes:
    """A request of so many entries, to numbers counted from `first`."""
    return json.dumps(
        {
            "entries": [
                {
                    "client": f"+1604{first + number:08}",
                    "campaignName": campaign,
                    "variables": {"customername": f"Customer {number}", "product": "a watch"},
                }
                for number in range(entries)
            ]
        }
    ).encode()


@contextlib.asynccontextmanager
async def installation() -> AsyncIterator[Installation]:
    """Start everything in a temporary folder and end it with the block."""
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder) / "pg") as url:
        await migrate(url)
        (port,) = free_ports(1)
        settings = Settings(
            database_url=url,
            api_port=port,
            temporal_address="127.0.0.1:1",
            graph_url="http://127.0.0.1:1",
            # A machine that stalls makes up for it in a burst, which is not what is measured.
            requests_per_second=1_000,
        )
        async with Database(url) as database:
            async with database.transaction() as connection:
                await add_business(connection)
            process = subprocess.Popen(
                [sys.executable, "-m", "cli", "api"],
                env=part_environment(settings),
                stderr=subprocess.DEVNULL,
            )
            try:
                base = f"http://127.0.0.1:{port}"
                async with httpx.AsyncClient(
                    base_url=f"{base}/v1/businesses/{BUSINESS}",
                    headers={"X-API-Key": KEY},
                    timeout=120,
                    trust_env=False,
                ) as http:
                    await _ready(http, base)
                    yield Installation(database, http, await _publish(http), port, process.pid)
            finally:
                process.terminate()
                process.wait()


async def _publish(http: httpx.AsyncClient) -> str:
    made = await http.post("/campaigns", json={"name": "bench", "flow": FLOW})
    campaign = made.json()["entity"]["campaignId"]
    published = await http.post(f"/campaigns/{campaign}/publish", json={})
    published.raise_for_status()
    return "bench"


async def _ready(http: httpx.AsyncClient, base: str) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.TransportError):
            if (await http.get(f"{base}/healthz")).status_code == 200:
                return
        await asyncio.sleep(0.1)
    raise RuntimeError("the API did not come up")


def ratio(ours: Sequence[float], floor: Sequence[float]) -> str:
    """Medians of both arms and of the ratios pair by pair."""
    pairs = [a / b for a, b in zip(ours, floor, strict=True)]
    return (
        f"ours {statistics.median(ours) * 1000:.1f} ms, floor "
        f"{statistics.median(floor) * 1000:.1f} ms, ratio {statistics.median(pairs):.2f} "
        f"({min(pairs):.2f} to {max(pairs):.2f}, {len(pairs)} pairs)"
    )
