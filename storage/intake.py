"""Taking in what WhatsApp reports: one transaction per channel and body, and again is harmless."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain import error_codes
from domain.outcome import outcome
from domain.status import News, Status, Tracked, apply
from storage.ending import fail_completed_entry, first_message, release_claim_of_ended
from storage.identity import remember
from storage.opt_outs import opt_out_of_entry

_TRACKED = text("""
    SELECT message_id, state, wamid, sent_at, delivered_at, read_at, failed_at, awaits_delivery,
        error_code, error_message, entry_id, attempt, node, visit, client
    FROM messages
    WHERE channel_id = :channel_id AND (message_id = ANY(:message_ids) OR wamid = ANY(:wamids))
    ORDER BY message_id FOR UPDATE
""")

_UPDATE = text("""
    UPDATE messages m SET
        state = v.state, wamid = v.wamid, sent_at = v.sent_at, delivered_at = v.delivered_at,
        read_at = v.read_at, failed_at = v.failed_at, awaits_delivery = v.awaits_delivery,
        error_code = v.error_code, error_message = v.error_message,
        accepted_at = CASE WHEN v.state = 'sent' THEN coalesce(m.accepted_at, now())
            ELSE m.accepted_at END,
        unknown_since = CASE WHEN v.state = 'unknown' THEN m.unknown_since END
    FROM unnest(
        CAST(:message_id AS text[]), CAST(:state AS text[]), CAST(:wamid AS text[]),
        CAST(:sent_at AS timestamptz[]), CAST(:delivered_at AS timestamptz[]),
        CAST(:read_at AS timestamptz[]), CAST(:failed_at AS timestamptz[]),
        CAST(:awaits_delivery AS boolean[]), CAST(:error_code AS integer[]),
        CAST(:error_message AS text[])
    ) AS v(message_id, state, wamid, sent_at, delivered_at, read_at, failed_at, awaits_delivery,
        error_code, error_message)
    WHERE m.message_id = v.message_id
""")

_UPDATED = (
    "message_id",
    "state",
    "wamid",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
    "awaits_delivery",
    "error_code",
    "error_message",
)


@dataclass(frozen=True, slots=True)
class RunSignal:
    """A fact a run has to hear of."""

    entry_id: UUID
    name: str
    body: dict[str, Any]


def message_ref(row: Row[Any]) -> dict[str, Any]:
    """How signals name a message: the first attempt goes without saying, as most stay the only."""
    ref = {"node": row.node, "visit": row.visit}
    return ref if row.attempt == 1 else ref | {"attempt": row.attempt}


async def add_signals(connection: AsyncConnection, signals: Sequence[RunSignal]) -> None:
    """Put signals into the outbox to the runs, in their order."""
    if not signals:
        return
    await connection.execute(
        text("""
            INSERT INTO run_signals (entry_id, name, body)
            SELECT entry_id, name, CAST(body AS json) FROM unnest(
                CAST(:entry_ids AS uuid[]), CAST(:names AS text[]), CAST(:bodies AS text[])
            ) WITH ORDINALITY AS s(entry_id, name, body, n) ORDER BY n
        """),
        {
            "entry_ids": [s.entry_id for s in signals],
            "names": [s.name for s in signals],
            "bodies": [json.dumps(s.body) for s in signals],
        },
    )


async def take_statuses(
    connection: AsyncConnection, business_id: UUID, channel_id: UUID, statuses: Sequence[Status]
) -> None:
    """Apply statuses to their messages, found by our id first, then by WhatsApp's.

    Those that name no message of this channel are passed over. What the others call their
    recipients is remembered.
    """
    if not statuses:
        return
    rows = await _tracked(connection, channel_id, statuses)
    by_id = {row.message_id: row for row in rows}
    ids_by_wamid = {row.wamid: row.message_id for row in rows if row.wamid is not None}
    before = {row.message_id: _as_tracked(row) for row in rows}
    now = dict(before)
    news: list[tuple[str, News, Status]] = []
    for status in statuses:
        message_id = status.message_id if status.message_id in now else None
        message_id = message_id or ids_by_wamid.get(status.wamid)
        if message_id is None:
            continue
        now[message_id], told = apply(now[message_id], status)
        news.append((message_id, told, status))
    await _write(connection, [m for key, m in now.items() if m != before[key]])
    signals: list[RunSignal] = []
    for message_id, told, status in news:
        signals.extend(await _consequences(connection, by_id[message_id], told, status))
    await add_signals(connection, signals)
    named = {(by_id[key].client, status.client, status.user_id) for key, _, status in news}
    await remember(connection, business_id, sorted(named, key=str))


async def _tracked(
    connection: AsyncConnection, channel_id: UUID, statuses: Iterable[Status]
) -> Sequence[Row[Any]]:
    key = {
        "channel_id": channel_id,
        "message_ids": [s.message_id for s in statuses if s.message_id is not None],
        "wamids": [s.wamid for s in statuses],
    }
    return (await connection.execute(_TRACKED, key)).all()


def _as_tracked(row: Row[Any]) -> Tracked:
    return Tracked(
        message_id=row.message_id,
        state=row.state,
        wamid=row.wamid,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        failed_at=row.failed_at,
        awaits_delivery=row.awaits_delivery,
        error_code=row.error_code,
        error_message=row.error_message,
    )


async def _write(connection: AsyncConnection, changed: Collection[Tracked]) -> None:
    if changed:
        columns = {name: [getattr(m, name) for m in changed] for name in _UPDATED}
        await connection.execute(_UPDATE, columns)


async def _consequences(
    connection: AsyncConnection, row: Row[Any], news: News, status: Status
) -> list[RunSignal]:
    """What one status means for the entry and its run; most mean nothing."""
    ref = message_ref(row)
    signals = []
    if news.settled is not None:
        signals.append(RunSignal(row.entry_id, "message_settled", ref | {"accepted": news.settled}))
        await reopen_unknown_entry(connection, row.entry_id, row.attempt)
    if news.delivered:
        signals.append(RunSignal(row.entry_id, "message_delivered", ref))
    if news.failed:
        signals.append(RunSignal(row.entry_id, "message_failed", ref))
        await _fail_entry(connection, row)
    if status.status == "failed" and status.error_code == error_codes.OPTED_OUT:
        await opt_out_of_entry(connection, row.entry_id, "whatsapp")
    return signals


async def _fail_entry(connection: AsyncConnection, row: Row[Any]) -> None:
    first = await first_message(connection, row.entry_id, row.attempt)
    if first is not None and (first.node, first.visit) == (row.node, row.visit):
        await fail_completed_entry(connection, row.entry_id, row.attempt, outcome(first))
    await release_claim_of_ended(connection, row.entry_id)


async def reopen_unknown_entry(connection: AsyncConnection, entry_id: UUID, attempt: int) -> None:
    """An entry that ended `unknown` runs again once that is settled (flow.md 2.2)."""
    await connection.execute(
        text("""
            UPDATE entries SET state = 'running', finished_at = NULL, error_code = NULL,
                error_message = NULL
            WHERE entry_id = :entry_id AND attempt = :attempt AND state = 'unknown'
            AND NOT EXISTS (SELECT 1 FROM sendouts s
                WHERE s.sendout_id = entries.sendout_id AND s.state = 'cancelled')
        """),
        {"entry_id": entry_id, "attempt": attempt},
    )


async def keep_unread(
    connection: AsyncConnection, body: bytes, reason: str, received_at: datetime | None = None
) -> None:
    """Keep a signed body that could not be read, or names a channel nobody has."""
    await connection.execute(
        text("""
            INSERT INTO unread_events (reason, body, received_at)
            VALUES (:reason, :body, coalesce(CAST(:received_at AS timestamptz), now()))
        """),
        {"reason": reason, "body": body, "received_at": received_at},
    )
