"""One request of 10,000 entries against its floor.

Floor: parse and check the same JSON with the same code, and one bare set-based insert of the rows,
in this process. Promise: at most twice the floor.
"""

import time
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.json_body import parse_keeping_numbers
from bench.installation import FLOW, Installation, batch, installation, ratio
from domain.entry_checks import Accepted, Channel, Situation
from domain.flow import Flow
from domain.flow_inputs import inputs_of
from domain.grouping import check_entries, group_entries

ENTRIES = 10_000
PAIRS = 7


async def main() -> None:
    """Print the ratio over alternating pairs."""
    async with installation() as at:
        async with at.database.transaction() as connection:
            await connection.execute(
                text("""
                    CREATE TABLE floor_entries (
                        entry_id uuid PRIMARY KEY, client text, channel_id uuid, variables json
                    )
                """)
            )
        ours, floor = [], []
        for pair in range(PAIRS + 1):
            body = batch(at.campaign, ENTRIES, first=pair * ENTRIES)
            began = time.perf_counter()
            await at.send(body)
            between = time.perf_counter()
            await _floor(at, body)
            ended = time.perf_counter()
            if pair:  # the first warms both up
                ours.append(between - began)
                floor.append(ended - between)
        print(f"{ENTRIES} entries: {ratio(ours, floor)}")


async def _floor(at: Installation, body: bytes) -> None:
    channel = Channel(uuid4(), "+15550001111")
    situation = Situation({}, channel, datetime.now(UTC), may_hold_unstorable=False)
    (group,) = group_entries(parse_keeping_numbers(body)["entries"])
    flow = Flow.model_validate(FLOW)
    check_entries(group, situation, inputs_of("bench", flow), allow_multiple=False)
    if len(group.accepted) != ENTRIES:
        raise RuntimeError("the floor must accept everything, too")
    async with at.database.transaction() as connection:
        await _insert(connection, group.accepted)


async def _insert(connection: AsyncConnection, accepted: list[Accepted]) -> None:
    await connection.execute(
        text("""
            INSERT INTO floor_entries
            SELECT id, client, channel, variables::json FROM unnest(
                CAST(:ids AS uuid[]), CAST(:clients AS text[]), CAST(:channels AS uuid[]),
                CAST(:variables AS text[])
            ) AS rows(id, client, channel, variables)
        """),
        {
            "ids": [uuid4() for _ in accepted],
            "clients": [entry.client for entry in accepted],
            "channels": [entry.channel_id for entry in accepted],
            "variables": [entry.variables for entry in accepted],
        },
    )
