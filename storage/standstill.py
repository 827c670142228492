"""What has stood still, and for how long: what `sendout doctor` looks at (api.md section 7)."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.backlog import COUNTED_AT_MOST

_LOOK = text("""
    SELECT
        (SELECT extract(epoch FROM now() - min(first.due_at)) FROM sendouts s
            CROSS JOIN LATERAL (SELECT e.due_at FROM entries e
                WHERE e.sendout_id = s.sendout_id AND e.state = 'queued' AND e.due_at <= now()
                ORDER BY e.due_at LIMIT 1) first
            WHERE s.state = 'running') AS unsent_for,
        EXISTS (SELECT FROM messages WHERE accepted_at > now() - make_interval(secs => :lately))
            AS sent_lately,
        (SELECT extract(epoch FROM now() - min(lease_until)) FROM messages
            WHERE state = 'sending') AS sending_beyond,
        (SELECT extract(epoch FROM now() - min(unknown_since)) FROM messages
            WHERE state = 'unknown') AS unknown_for,
        (SELECT extract(epoch FROM now() - min(created_at)) FROM run_signals) AS signal_for
""")

_WEBHOOKS = text("""
    SELECT * FROM (
        SELECT w.webhook_id, w.business_id, w.topic, w.failures,
            (SELECT extract(epoch FROM now() - min(e.pending_since)) FROM webhook_events e
                WHERE e.webhook_id = w.webhook_id AND e.state = 'pending') AS pending_for,
            (SELECT count(*) FROM (SELECT FROM webhook_events e
                WHERE e.webhook_id = w.webhook_id AND e.state = 'failed' LIMIT :most) x)
                AS given_up
        FROM webhooks w ORDER BY w.created_at, w.webhook_id
    ) w WHERE w.failures > 0 OR w.given_up > 0
""")


class Standstill(NamedTuple):
    """Ages in seconds of the oldest of each kind, None where there is none; over all businesses."""

    unsent_for: float | None
    """Since an entry of a running sendout is due that is not started."""
    sent_lately: bool
    """Whether WhatsApp took any message in the span asked for."""
    sending_beyond: float | None
    """Since the lease of a send on the wire ended; negative before."""
    unknown_for: float | None
    """Since an outcome is unknown about which nothing was decided."""
    signal_for: float | None
    """Since a fact waits to be handed over to its run."""


class FailingWebhook(NamedTuple):
    """A registration that gets nothing through now, or of which events were given up."""

    webhook_id: UUID
    business_id: UUID
    topic: str
    failures: int
    """Rounds in which nothing got through, since something last did."""
    pending_for: float | None
    """Seconds for which its oldest event waits."""
    given_up: int


async def look(connection: AsyncConnection, *, lately: float) -> Standstill:
    """What stands still, in one statement; `lately` in seconds."""
    return Standstill(*(await connection.execute(_LOOK, {"lately": lately})).one())


async def failing_webhooks(connection: AsyncConnection) -> list[FailingWebhook]:
    """The registrations that fail or have failed for good, oldest first."""
    rows = await connection.execute(_WEBHOOKS, {"most": COUNTED_AT_MOST})
    return [FailingWebhook(*row) for row in rows]
