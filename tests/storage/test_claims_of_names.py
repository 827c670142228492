"""Claims under several names of a customer, taken by requests at once (docs/decisions/0009)."""

import asyncio

from sqlalchemy import select

from domain.entry_checks import Accepted
from domain.ids import time_ordered_ids
from storage import acceptance
from storage.acceptance import Batch
from storage.identity import remember
from storage.session import Database
from storage.tables import channels, claims, sendouts
from tests.api.sent import add_sendout
from tests.record import BUSINESS, add_business

PAIRS = [(f"+5255{n:08}", f"+52155{n:08}") for n in range(20_000_000, 20_000_500)]


async def test_acceptances_in_opposite_orders_wait_for_each_other_and_never_in_a_circle(
    database: Database,
):
    """Each customer runs once; PostgreSQL would have ended one of a circle with an error."""
    async with database.transaction() as connection:
        await add_business(connection)
        sendout_id = await add_sendout(connection)
        campaign_id = (await connection.scalars(select(sendouts.c.campaign_id))).one()
        channel_id = (await connection.scalars(select(channels.c.channel_id))).one()
        await remember(connection, BUSINESS, [(*pair, None) for pair in PAIRS])

    async def accept(numbers: list[str]) -> int:
        entries = [
            Accepted(n, number, channel_id, "{}", None, None) for n, number in enumerate(numbers)
        ]
        batch = Batch(campaign_id, sendout_id, time_ordered_ids(len(entries)), entries)
        async with database.transaction() as connection:
            duplicates = await acceptance.accept(
                connection, BUSINESS, [batch], allow_multiple=False
            )
        return len(entries) - len(duplicates)

    given = [given for given, _ in PAIRS]
    whatsapps = [number for _, number in reversed(PAIRS)]
    runs = await asyncio.gather(*(accept(n) for n in [given, whatsapps] * 4))

    assert sum(runs) == len(PAIRS)
    async with database.transaction() as connection:
        assert len(list(await connection.scalars(select(claims.c.entry_id)))) == len(PAIRS)
