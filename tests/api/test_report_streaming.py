"""A long report: memory does not grow with it, and a reader who leaves holds nothing."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
from fastapi import FastAPI

from api.csv_stream import AT_ONCE
from embedded.ports import free_ports
from storage.session import Database
from tests.api.long_report import fill, lines_and_bytes, peak_of
from tests.e2e.patience import PATIENCE
from tests.record import BUSINESS, KEY

ROOT = Path(__file__).parents[2]
ROWS = 30_000


def address_of(sendout_id: UUID) -> str:
    return f"/v1/businesses/{BUSINESS}/sendouts/{sendout_id}/report.csv"


@contextlib.asynccontextmanager
async def api_process(url: str) -> AsyncIterator[tuple[httpx.AsyncClient, int]]:
    """`sendout api` as a process of its own on the database at `url`: a client of it, and its id."""
    (port,) = free_ports(1)
    env = os.environ | {"SENDOUT_DATABASE_URL": url, "SENDOUT_API_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "cli.py", "api", cwd=ROOT, env=env,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"X-API-Key": KEY},
            trust_env=False,
            timeout=60,
        ) as client:
            async with asyncio.timeout(PATIENCE):
                while not await is_up(client):  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.1)
            yield client, process.pid
    finally:
        process.terminate()
        await process.wait()


async def is_up(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).is_success
    except httpx.TransportError:
        return False


async def test_memory_does_not_grow_with_the_report(
    business: None, database: Database, postgres_url: str
):
    few, many = await fill(database, ROWS // 10), await fill(database, ROWS)
    async with api_process(postgres_url) as (client, process_id):
        lines, _ = await lines_and_bytes(client, address_of(few))
        assert lines == ROWS // 10 + 1
        before = peak_of(process_id)

        lines, size = await lines_and_bytes(client, address_of(many))

        assert lines == ROWS + 1
        assert size > 12_000_000

        # Its rows, kept, would be several times that. A million: `python -m bench report`.
        assert peak_of(process_id) - before < 8_000_000


async def test_readers_who_leave_hold_no_connection(
    app: FastAPI, api: httpx.AsyncClient, database: Database
):
    address = address_of(await fill(database, ROWS))

    for _ in range(AT_ONCE + 1):
        async with asyncio.timeout(PATIENCE):
            async with api.stream("GET", address) as answer:
                assert answer.status_code == 200
                await anext(answer.aiter_bytes())

    async with asyncio.timeout(PATIENCE):
        while app.state.report_slots._value < AT_ONCE:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
