"""The outbox to the businesses: taking what is due, and recording what came of it.

Of each key only the oldest pending event is ever taken, so that those of one message are delivered
one after the other; what is taken is leased, so that two deliverers never hold the same one.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.webhook_events import GIVEN_UP_AFTER
from domain.webhook_payloads import Event, Origin
from domain.webhooks import DueEvent, DuePage, Result, Target
from storage.session import Database

LEASE = 40.0
"""Seconds after which what was taken counts as lost and is due again."""
_BUSY = 15
"""Seconds for which whoever took a page need not be woken."""

_TARGET = text("""
    UPDATE webhooks SET busy_until = now() + make_interval(secs => :busy)
    WHERE webhook_id = :webhook_id
    RETURNING address, secret, failures,
        greatest(0, extract(epoch FROM paused_until - now())) AS paused_for
""")

_STANDS = text("SELECT address, secret FROM webhooks WHERE webhook_id = :webhook_id")

# Written so that no index but that of keys can serve, and for each event alone. The outbox is nearly
# empty again and again; a planner that saw it so takes every index to be as good, and a page of a
# backlog then reads the whole of it for each of its events.
_IS_FIRST = """
    NOT EXISTS (SELECT 1 FROM webhook_events b
        WHERE b.webhook_id = e.webhook_id AND b.key = e.key AND b.event_id + 0 < e.event_id
        AND b.state || '' = 'pending' OFFSET 0)
"""

_TAKE = text(f"""
    WITH page AS (
        SELECT e.event_id FROM webhook_events e
        WHERE e.webhook_id = :webhook_id AND e.state = 'pending' AND e.next_at <= now()
            AND {_IS_FIRST}
        ORDER BY e.next_at, e.event_id LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ), e AS (
        UPDATE webhook_events t
        SET next_at = now() + make_interval(secs => :lease), tries = t.tries + 1
        WHERE t.event_id = ANY(ARRAY(SELECT event_id FROM page))
        RETURNING t.event_id, t.key, t.kind, t.happened_at, t.error_code, t.error_message,
            t.details, t.tries
    )
    SELECT e.event_id, e.key, e.kind, e.happened_at, e.error_code, e.error_message,
        e.details::text AS details, e.tries,
        ch.phone_number, coalesce(i.client, m.client) AS client, i.user_id, i.kind AS inbound_kind,
        -- Buttons of single messages have ids of the caller's own (ADR 11).
        coalesce(CASE WHEN s.source = 'message' THEN en.variables->>('reply_' || i.button || '_id')
            END, i.button) AS button,
        CASE WHEN i.inbound_id IS NULL THEN m.text ELSE i.text END AS text,
        m.message_id, m.node, en.entry_id, s.sendout_id, s.campaign_version,
        s.source = 'test' AS is_test,
        nullif(c.name, '') AS campaign_name, en.callback_data::text AS callback_data
    FROM e
    LEFT JOIN inbound i ON e.kind = 'inbound' AND i.inbound_id = e.key
    LEFT JOIN messages m ON e.kind <> 'report'
        AND m.message_id = CASE e.kind WHEN 'inbound' THEN i.message_id ELSE e.key END
    LEFT JOIN entries en ON en.entry_id = m.entry_id
    LEFT JOIN sendouts s ON s.sendout_id = m.sendout_id
    LEFT JOIN campaigns c ON c.campaign_id = s.campaign_id
    LEFT JOIN channels ch ON ch.channel_id = coalesce(i.channel_id, m.channel_id)
    ORDER BY e.event_id
""")

_NEXT = text(f"""
    SELECT greatest(0, extract(epoch FROM e.next_at - now())) FROM webhook_events e
    WHERE e.webhook_id = :webhook_id AND e.state = 'pending' AND {_IS_FIRST}
    ORDER BY e.next_at LIMIT 1
""")

_REST = text("UPDATE webhooks SET busy_until = NULL WHERE webhook_id = :webhook_id")

# With it goes what was given up of the same key before: it would tell less than what has arrived.
_DELIVERED = text("""
    DELETE FROM webhook_events e
    USING unnest(CAST(:ids AS bigint[]), CAST(:keys AS text[])) AS d (event_id, key)
    WHERE e.webhook_id = :webhook_id AND e.key = d.key AND e.event_id <= d.event_id
""")

# An event is tried for the last time when its day is over.
_FAILED = text("""
    UPDATE webhook_events e SET
        state = CASE WHEN d.last_try THEN 'failed' ELSE 'pending' END,
        next_at = least(now() + make_interval(secs => d.pause),
            greatest(e.pending_since + make_interval(secs => :give_up), now())),
        last_error = d.error
    FROM (
        SELECT t.event_id, v.pause, v.error,
            t.pending_since + make_interval(secs => :give_up) <= now() AS last_try
        FROM unnest(CAST(:ids AS bigint[]), CAST(:pauses AS float8[]), CAST(:errors AS text[]))
            AS v (event_id, pause, error)
        JOIN webhook_events t USING (event_id)
    ) d
    WHERE e.event_id = d.event_id
""")

_NOT_TRIED = text("""
    UPDATE webhook_events SET next_at = now(), tries = tries - 1 WHERE event_id = ANY(:ids)
""")

_STALLED = text("""
    UPDATE webhooks SET failures = failures + 1,
        paused_until = now() + make_interval(secs => :pause)
    WHERE webhook_id = :webhook_id
""")

# While an address is dead only a few of its events are tried; the others' day ends all the same.
_OVERDUE = text("""
    UPDATE webhook_events SET state = 'failed', last_error = :error
    WHERE webhook_id = :webhook_id AND state = 'pending'
        AND next_at < now() - make_interval(secs => :give_up)
""")

_RECOVERED = text("""
    UPDATE webhooks SET failures = 0, paused_until = NULL
    WHERE webhook_id = :webhook_id AND failures > 0
""")


class WebhookDeliveries:
    """Implements `activities.webhooks.Deliveries` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, webhook_id: UUID, most: int) -> DuePage | None:
        """Lease the oldest due events, at most `most`, one per key; None without a registration.

        One that is paused after failures gets no events before its pause is over, and then one.
        """
        who = {"webhook_id": webhook_id}
        async with self._database.transaction() as connection:
            row = (await connection.execute(_TARGET, who | {"busy": _BUSY})).one_or_none()
            if row is None:
                return None
            target = Target(row.address, row.secret)
            if row.paused_for:
                return DuePage(target, row.failures, [], float(row.paused_for))
            limit = 1 if row.failures else most
            due = await connection.execute(_TAKE, who | {"limit": limit, "lease": LEASE})
            return DuePage(target, row.failures, [_due(row) for row in due.all()])

    async def stands(self, webhook_id: UUID, target: Target) -> bool:
        """Whether the registration is there and still has this address and secret."""
        async with self._database.transaction() as connection:
            row = (await connection.execute(_STANDS, {"webhook_id": webhook_id})).one_or_none()
        return row is not None and Target(row.address, row.secret) == target

    async def rest(self, webhook_id: UUID) -> None:
        """Nobody delivers any more: whoever records an event from now on has to wake somebody."""
        async with self._database.transaction() as connection:
            await connection.execute(_REST, {"webhook_id": webhook_id})

    async def next_in(self, webhook_id: UUID) -> float | None:
        """Seconds until the next event may be tried; None if none is waiting."""
        async with self._database.transaction() as connection:
            found = await connection.scalar(_NEXT, {"webhook_id": webhook_id})
        return None if found is None else float(found)

    async def record(
        self, webhook_id: UUID, results: Sequence[Result], *, stalled_for: float | None
    ) -> None:
        """Record what came of a page.

        `stalled_for`: nothing of it got through, and nothing is tried for so many seconds.
        """
        delivered = [r for r in results if r.outcome == "delivered"]
        failed = [r for r in results if r.outcome == "failed"]
        idle = [r for r in results if r.outcome == "not_tried"]
        who: dict[str, Any] = {"webhook_id": webhook_id, "give_up": GIVEN_UP_AFTER}
        async with self._database.transaction() as connection:
            if delivered:
                ids = {"ids": [r.event_id for r in delivered], "keys": [r.key for r in delivered]}
                await connection.execute(_DELIVERED, {"webhook_id": webhook_id} | ids)
            if failed:
                columns = {
                    "ids": [r.event_id for r in failed],
                    "pauses": [r.pause for r in failed],
                    "errors": [r.error for r in failed],
                }
                await connection.execute(_FAILED, {"give_up": GIVEN_UP_AFTER} | columns)
            if idle:
                await connection.execute(_NOT_TRIED, {"ids": [r.event_id for r in idle]})
            if stalled_for is not None:
                stalled = {"webhook_id": webhook_id, "pause": stalled_for}
                await connection.execute(_STALLED, stalled)
                error = next((r.error for r in failed), None)
                await connection.execute(_OVERDUE, who | {"error": error})
            elif delivered:
                await connection.execute(_RECOVERED, {"webhook_id": webhook_id})


def _due(row: Any) -> DueEvent:
    origin = None
    if row.entry_id is not None:
        origin = Origin(
            message_id=row.message_id,
            node=row.node,
            entry_id=row.entry_id,
            sendout_id=row.sendout_id,
            campaign_name=row.campaign_name,
            campaign_version=row.campaign_version,
            callback_data=row.callback_data,
            is_test=row.is_test,
        )
    event = Event(
        event_id=row.event_id,
        kind=row.kind,
        key=row.key,
        at=row.happened_at,
        business_number=row.phone_number,
        client=row.client,
        user_id=row.user_id,
        text=row.text,
        is_tap=row.inbound_kind == "tap",
        button=row.button,
        error_code=row.error_code,
        error_message=row.error_message,
        details=row.details,
        origin=origin,
    )
    return DueEvent(event, row.tries)
