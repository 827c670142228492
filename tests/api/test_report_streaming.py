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
from sqlalchemy import text

from api.csv_stream import AT_ONCE
from embedded.ports import free_ports
from storage.session import Database
from tests.api.sent import add_sendout
from tests.record import BUSINESS, KEY

ROOT = Path(__file__).parents[2]
ROWS = 30_000
HERE = f"/v1/businesses/{BUSINESS}"

# In one statement: the rows as an evening of sending leaves them.
_FILL = text("""
    WITH sent AS (
        INSERT INTO entries (entry_id, sendout_id, business_id, campaign_id, channel_id, client,
            variables, state, finished_at)
        SELECT gen_random_uuid(), s.sendout_id, s.business_id, s.campaign_id, c.channel_id,
            '+1604' || lpad(n::text, 7, '0'), json_build_object('name', repeat('x', 200)),
            'completed', now()
        FROM sendouts s, channels c, generate_series(1, :rows) AS n
        WHERE s.sendout_id = :sendout_id
        RETURNING *
    )
    INSERT INTO messages (message_id, entry_id, sendout_id, channel_id, client, attempt, node, visit,
        number, state, accepted_at)
    SELECT left(md5(entry_id::text), 26), entry_id, sendout_id, channel_id, client, 1, 'hello', 1, 1,
        'sent', now()
    FROM sent
""")


async def fill(database: Database, rows: int) -> UUID:
    """A sendout with so many rows in its report, of about 500 bytes each."""
    async with database.transaction() as connection:
        sendout_id = await add_sendout(connection)
        await connection.execute(_FILL, {"sendout_id": sendout_id, "rows": rows})
    return sendout_id


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
            async with asyncio.timeout(60):
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


def peak_of(process_id: int) -> int:
    """The most bytes of memory that a process has had so far."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    return 1024 * int(next(w.split()[1] for w in status.splitlines() if w.startswith("VmHWM")))


async def lines_of_report(client: httpx.AsyncClient, sendout_id: UUID) -> int:
    lines = 0
    async with client.stream("GET", f"{HERE}/sendouts/{sendout_id}/report.csv") as answer:
        assert answer.status_code == 200
        async for chunk in answer.aiter_bytes():
            lines += chunk.count(b"\r\n")
    return lines


async def test_memory_does_not_grow_with_the_report(
    business: None, database: Database, postgres_url: str
):
    few, many = await fill(database, ROWS // 10), await fill(database, ROWS)
    async with api_process(postgres_url) as (client, process_id):
        assert await lines_of_report(client, few) == ROWS // 10 + 1
        before = peak_of(process_id)

        assert await lines_of_report(client, many) == ROWS + 1

        # The report is 15 MB; its rows, kept, would be several times that.
        assert peak_of(process_id) - before < 8_000_000


async def test_readers_who_leave_hold_no_connection(
    app: FastAPI, api: httpx.AsyncClient, database: Database
):
    sendout_id = await fill(database, ROWS)
    address = f"{HERE}/sendouts/{sendout_id}/report.csv"

    for _ in range(AT_ONCE + 1):
        async with asyncio.timeout(20):
            async with api.stream("GET", address) as answer:
                assert answer.status_code == 200
                await anext(answer.aiter_bytes())

    async with asyncio.timeout(20):
        while app.state.report_slots._value < AT_ONCE:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
