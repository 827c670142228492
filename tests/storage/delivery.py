"""Sends without workflows: the ledger, and WhatsApp's word on them, straight on PostgreSQL."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from domain.delivery import Answer, Refused
from domain.error_codes import lookup
from domain.message_types import TemplateMessage
from domain.requests import SendMessage, SendResult
from domain.run import RunState
from domain.sending import Decision, Policy, Post, Situation, after, before
from domain.status import Status
from storage.flows import StoredFlows
from storage.intake import take_statuses
from storage.ledger import SendLedger
from storage.session import Database
from storage.tables import channels, claims, entries, messages
from tests.e2e.patience import until_seen
from tests.record import BUSINESS

TWO_KINDS: dict[str, Any] = {
    "format": 1,
    "start": "hello",
    "nodes": {
        name: {
            "type": "message",
            "message": {
                "type": "template",
                "name": name,
                "language": "en",
                "category": category,
            },
        }
        for name, category in (("hello", "marketing"), ("nudge", "marketing"), ("bill", "utility"))
    },
}
"""Two marketing templates and a utility one, named as their nodes."""


def refused(code: int) -> Refused:
    """An answer of WhatsApp with that code."""
    return Refused(code, f"error {code}", remedy=lookup(code).remedy)


def now() -> datetime:
    return datetime.now(UTC)


class Delivery:
    """One worker's way through the record."""

    def __init__(self, database: Database, policy: Policy | None = None) -> None:
        self.database = database
        self._policy = policy or Policy()
        self._ledger = SendLedger(database, StoredFlows(database), self._policy)

    async def decide(self, entry_id: UUID, node: str = "hello") -> Decision:
        """What speaks against the send now; a message that nothing speaks against is claimed."""
        return (await self._take_up(self._order(entry_id, node)))[1]

    async def call(self, entry_id: UUID, node: str = "hello") -> "Call":
        """Claim the message: its call is on the wire now."""
        order = self._order(entry_id, node)
        situation, decision, result, tries = await self._take_up(order)
        assert isinstance(decision, Post), (decision, result)
        return Call(self, order, situation, decision, tries)

    async def send(self, entry_id: UUID, answer: Answer, node: str = "hello") -> SendResult | None:
        """A send that WhatsApp answers so."""
        return await (await self.call(entry_id, node)).is_answered(answer)

    def _order(self, entry_id: UUID, node: str) -> SendMessage:
        return SendMessage(entry=entry_id, node=node, visit=1, number=1, closing=RunState())

    async def _take_up(self, order: SendMessage) -> tuple[Situation, Decision, Any, int]:
        return await self._ledger.take_up(order, 1, partial(before, now=now()))

    async def record(self, call: "Call", answer: Answer) -> SendResult | None:
        message = call.decision.node.message
        template = message if isinstance(message, TemplateMessage) else None
        recorded = after(answer, call.tries, self._policy, template)
        return await self._ledger.record(call.order, call.situation, recorded, 1)

    # --- what WhatsApp reports -----------------------------------------------------------------

    async def told(self, *statuses: Status) -> None:
        """Statuses of the default channel, in one transaction."""
        async with self.database.transaction() as connection:
            channel_id = (await connection.scalars(select(channels.c.channel_id))).one()
            await take_statuses(connection, BUSINESS, channel_id, statuses)

    # --- what is on record ---------------------------------------------------------------------

    async def entry_state(self, entry_id: UUID) -> str:
        query = select(entries.c.state).where(entries.c.entry_id == entry_id)
        async with self.database.transaction() as connection:
            return str((await connection.scalars(query)).one())

    async def message(self, entry_id: UUID, node: str = "hello") -> Any:
        query = select(messages).where(messages.c.entry_id == entry_id, messages.c.node == node)
        async with self.database.transaction() as connection:
            return (await connection.execute(query)).one()

    async def has_claim(self, entry_id: UUID) -> bool:
        query = select(claims.c.entry_id).where(claims.c.entry_id == entry_id)
        async with self.database.transaction() as connection:
            return (await connection.scalars(query)).one_or_none() is not None

    async def signalled(self) -> list[tuple[UUID, str]]:
        """What the runs are to be told, in its order."""
        query = text("SELECT entry_id, name FROM run_signals ORDER BY signal_id")
        async with self.database.transaction() as connection:
            return [(row.entry_id, row.name) for row in await connection.execute(query)]


class Call:
    """A call to WhatsApp whose answer has not come yet."""

    def __init__(
        self,
        delivery: Delivery,
        order: SendMessage,
        situation: Situation,
        decision: Post,
        tries: int,
    ) -> None:
        self._delivery = delivery
        self.order = order
        self.situation = situation
        self.decision = decision
        self.tries = tries

    @property
    def message_id(self) -> str:
        return self.situation.message_id

    async def is_answered(self, answer: Answer) -> SendResult | None:
        return await self._delivery.record(self, answer)


def status(
    name: Any, *, wamid: str = "wamid.1", message_id: str | None = None, **more: Any
) -> Status:
    """A status as of now."""
    return Status(message_id, wamid, name, more.pop("at", None) or now(), **more)


async def waiting(database: Database, work: Awaitable[Any]) -> "asyncio.Future[Any]":
    """Start work, and come back once it waits for somebody's lock."""
    query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    task = asyncio.ensure_future(work)

    async def waits_or_is_done() -> bool:
        async with database.transaction() as connection:
            return bool(await connection.scalar(query)) or task.done()

    await until_seen(bool, waits_or_is_done, every=0.01)
    assert not task.done(), "it did not wait for anybody"
    return task
