"""What happens to messages, told to a receiver by the real activity on the real outbox."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text
from temporalio.testing import ActivityEnvironment
from ulid import ULID

from activities.webhooks import Delivering
from domain.status import Status, StatusName
from domain.webhook_address import Allowed
from domain.webhooks import DeliveredEvents, DeliverEvents
from storage.intake import take_statuses
from storage.session import Database
from storage.tables import channels
from storage.webhook_deliveries import WebhookDeliveries
from storage.webhook_tables import webhook_events
from storage.webhooks import add_webhook, delete_webhook, filter_columns
from tests.api.sent import add_entry, add_message, add_sendout
from tests.record import BUSINESS
from tests.webhooks.receiver import SECRET
from webhooks.addresses import Addresses
from webhooks.courier import Courier

LOOPBACK = Allowed(["127.0.0.0/8"])
AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def courier(addresses: Addresses | None = None, **more: Any) -> Courier:
    """The real courier; loopback is allowed unless `addresses` say otherwise."""
    return Courier(addresses or Addresses(LOOPBACK), connections=16, **more)


class Office:
    """A business whose events are delivered."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sendout_id: UUID | None = None

    async def register(self, address: str, topic: str = "delivery_status", **columns: Any) -> UUID:
        values = {"topic": topic, "type": "custom", "address": address, "secret": SECRET}
        async with self.database.transaction() as connection:
            webhook_id = await add_webhook(
                connection, BUSINESS, values | filter_columns([]) | columns
            )
        assert webhook_id is not None
        return webhook_id

    async def unregister(self, webhook_id: UUID) -> None:
        async with self.database.transaction() as connection:
            assert await delete_webhook(connection, BUSINESS, webhook_id)

    async def message(self, state: str = "sent", **columns: Any) -> str:
        """A message that WhatsApp accepted."""
        async with self.database.transaction() as connection:
            if self.sendout_id is None:
                self.sendout_id = await add_sendout(connection)
            callback = columns.pop("callback_data", None)
            entry_id = await add_entry(connection, self.sendout_id, callback_data=callback)
            return await add_message(
                connection,
                entry_id,
                **{"state": state, "message_id": str(ULID()), "wamid": f"wamid.{uuid4()}"}
                | columns,
            )

    async def messages(self, number: int) -> list[str]:
        return [await self.message() for _ in range(number)]

    async def happens(
        self, names: Iterable[tuple[str, StatusName]], *, code: int | None = None
    ) -> None:
        """WhatsApp reports these statuses, in one body."""
        statuses = [
            Status(
                message_id,
                f"wamid.of.{message_id}",
                name,
                AT + timedelta(seconds=("sent", "delivered", "read", "failed").index(name)),
                error_code=code,
            )
            for message_id, name in names
        ]
        async with self.database.transaction() as connection:
            channel_id = (await connection.execute(select(channels.c.channel_id))).scalar_one()
            await take_statuses(connection, BUSINESS, channel_id, statuses)

    async def deliver(
        self,
        webhook_id: UUID,
        via: Courier | None = None,
        environment: ActivityEnvironment | None = None,
    ) -> DeliveredEvents:
        """What the activity does in one go."""
        delivering = Delivering(WebhookDeliveries(self.database), via or courier(), lingers=0.0)
        answer: DeliveredEvents = await (environment or ActivityEnvironment()).run(
            delivering.deliver_events, DeliverEvents(webhook=webhook_id)
        )
        return answer

    async def deliver_all(
        self, webhook_id: UUID, via: Courier | None = None, *, tries: int = 500
    ) -> None:
        """Deliver until nothing is waiting; pauses are skipped."""
        for _ in range(tries):
            if (await self.deliver(webhook_id, via)).again_in is None:
                return
            await self.pass_time(days=0)
        raise AssertionError(f"it never ended: {await self.waiting(webhook_id)}")

    async def pass_time(self, days: int) -> None:
        """Let what waits be due, and be so many days older."""
        change = """
            UPDATE webhook_events SET next_at = least(next_at, now()) - make_interval(days => :days),
                pending_since = pending_since - make_interval(days => :days)
        """
        async with self.database.transaction() as connection:
            await connection.execute(text(change), {"days": days})
            await connection.execute(text("UPDATE webhooks SET paused_until = NULL"))

    async def waiting(self, webhook_id: UUID) -> list[tuple[str, str, str | None]]:
        """Kind, state and last error of what is not delivered."""
        c = webhook_events.c
        query = select(c.kind, c.state, c.last_error).where(c.webhook_id == webhook_id)
        async with self.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(query.order_by(c.event_id))]
