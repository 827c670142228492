"""Events delivered to a business against a bare httpx loop.

Floor: httpx posts the same bodies to the same receiver, as many side by side, unsigned and without a
record. Ours: the delivery activity on a real outbox, each event leased, rendered, signed, posted and
removed. Both take turns in one process; the receiver is another. Promise: at least 70 % of the floor.
"""

import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from sqlalchemy import insert, text
from temporalio.testing import ActivityEnvironment

from activities.webhooks import SIDE_BY_SIDE, Delivering
from domain.webhook_address import Allowed
from domain.webhook_payloads import render
from domain.webhooks import DeliverEvents
from embedded.ports import free_ports
from embedded.postgres import running_postgres
from storage.schema import migrate
from storage.session import Database
from storage.webhook_deliveries import WebhookDeliveries
from storage.webhook_tables import webhooks
from tests.api.sent import add_sendout
from tests.record import BUSINESS, add_business
from webhooks.addresses import Addresses
from webhooks.courier import Courier
from webhooks.signature import new_secret

EVENTS = 2_000
TURNS = 5

_FILL = text("""
    WITH e AS (
        INSERT INTO entries (entry_id, sendout_id, business_id, campaign_id, channel_id, client,
            variables, callback_data, state)
        SELECT gen_random_uuid(), s.sendout_id, s.business_id, s.campaign_id, c.channel_id,
            '+1604' || n, '{}', '{"order": 1}', 'completed'
        FROM sendouts s, channels c, generate_series(5550000, 5550000 + :events - 1) AS n
        RETURNING entry_id, sendout_id, channel_id, client
    ), m AS (
        INSERT INTO messages (message_id, entry_id, sendout_id, channel_id, client, attempt, node,
            visit, number, state, text)
        SELECT upper(substr(replace(entry_id::text, '-', ''), 1, 26)), entry_id, sendout_id,
            channel_id, client, 1, 'hello', 1, 1, 'sent', 'Hi, our sale has begun.' FROM e
        RETURNING message_id
    )
    INSERT INTO webhook_events (webhook_id, key, kind, happened_at)
    SELECT :webhook_id, message_id, 'delivered', now() FROM m
""")


async def main() -> None:
    """Print events per second of both arms, and the ratio pair by pair."""
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder) / "pg") as url:
        await migrate(url)
        async with Database(url) as database, _receiver() as address:
            webhook_id = await _registered(database, address)
            ours, floor = [], []
            for turn in range(TURNS + 1):
                bodies = await _fill(database, webhook_id)
                rate = await _ours(database, webhook_id)
                bare = await _floor(address, bodies)
                if turn:  # the first warms both up
                    ours.append(rate)
                    floor.append(bare)
            pairs = [a / b for a, b in zip(ours, floor, strict=True)]
            print(
                f"{EVENTS} events, {SIDE_BY_SIDE} side by side: ours "
                f"{statistics.median(ours):.0f}/s, floor {statistics.median(floor):.0f}/s, ratio "
                f"{statistics.median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f}, "
                f"{len(pairs)} pairs)"
            )


async def _registered(database: Database, address: str) -> UUID:
    webhook_id = uuid4()
    async with database.transaction() as connection:
        await add_business(connection)
        await add_sendout(connection)
        await connection.execute(
            insert(webhooks).values(
                webhook_id=webhook_id,
                business_id=BUSINESS,
                topic="delivery_status",
                type="custom",
                address=address,
                secret=new_secret(),
                filters=[],
            )
        )
    return webhook_id


async def _fill(database: Database, webhook_id: UUID) -> list[bytes]:
    """Make the events; answers their bodies."""
    async with database.transaction() as connection:
        await connection.execute(text("DELETE FROM messages"))
        await connection.execute(text("DELETE FROM entries"))
        await connection.execute(_FILL, {"events": EVENTS, "webhook_id": webhook_id})
        await connection.execute(text("ANALYZE"))
    page = await WebhookDeliveries(database).take(webhook_id, EVENTS)
    if page is None:
        raise RuntimeError("there is no registration")
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE webhook_events SET next_at = now(), tries = 0"))
    return [render(due.event).encode() for due in page.events]


async def _ours(database: Database, webhook_id: UUID) -> float:
    courier = Courier(Addresses(Allowed(["127.0.0.0/8"])), connections=SIDE_BY_SIDE)
    delivering = Delivering(WebhookDeliveries(database), courier, lingers=0.0)
    began = time.perf_counter()
    await ActivityEnvironment().run(delivering.deliver_events, DeliverEvents(webhook=webhook_id))
    took = time.perf_counter() - began
    async with database.transaction() as connection:
        left = await connection.scalar(text("SELECT count(*) FROM webhook_events"))
    if left:
        raise RuntimeError(f"{left} events were not delivered")
    return EVENTS / took


async def _floor(address: str, bodies: list[bytes]) -> float:
    limits = httpx.Limits(max_connections=SIDE_BY_SIDE, max_keepalive_connections=SIDE_BY_SIDE)
    left = iter(bodies)
    began = time.perf_counter()
    async with httpx.AsyncClient(limits=limits, trust_env=False, timeout=10) as client:

        async def post() -> None:
            for body in left:
                answer = await client.post(
                    address, content=body, headers={"content-type": "application/json"}
                )
                answer.raise_for_status()

        await asyncio.gather(*(post() for _ in range(SIDE_BY_SIDE)))
    return EVENTS / (time.perf_counter() - began)


_RECEIVER = """
import asyncio, sys

class Receiver(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\\r\\n\\r\\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.index(b"content-length:") + 15
            length = int(head[at:].split(b"\\r\\n", 1)[0])
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length:]
            self.transport.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok")

async def main():
    server = await asyncio.get_running_loop().create_server(
        Receiver, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def _receiver() -> AsyncIterator[str]:
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, "-c", _RECEIVER, str(port)])
    address = f"http://127.0.0.1:{port}/hook"
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            for _ in range(300):
                with contextlib.suppress(httpx.TransportError):
                    await http.post(address, content=b"{}")
                    break
                await asyncio.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()
