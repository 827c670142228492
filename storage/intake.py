"""Taking in what WhatsApp reports: one transaction per channel and body, and again is harmless."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.outcome import outcome
from domain.status import News, Status, Tracked, apply
from domain.webhook_events import told_of
from storage.ending import fail_completed_entry, first_message, release_claim_of_ended
from storage.failures import about_customer, about_sender
from storage.identity import remember
from storage.webhook_events import tell

_OF_THESE = """
    m.channel_id = :channel_id AND (m.message_id = ANY(:message_ids) OR m.wamid = ANY(:wamids))
"""

# Locked in the order in which everybody locks: a sendout one of whose entries may run again (so that
# it is not being cancelled), entries whose end may change, messages.
_TRACKED = text(f"""
    WITH touched AS MATERIALIZED (
        SELECT m.entry_id, m.sendout_id, m.state IN ('unknown', 'given_up') AS unsettled
        FROM messages m
        WHERE {_OF_THESE} AND (m.state IN ('unknown', 'given_up')
            OR m.message_id = ANY(:failed_ids) OR m.wamid = ANY(:failed_wamids))
    ), steered AS MATERIALIZED (
        SELECT sendout_id FROM sendouts
        WHERE sendout_id IN (SELECT sendout_id FROM touched WHERE unsettled)
        ORDER BY sendout_id FOR SHARE
    ), ended AS MATERIALIZED (
        SELECT entry_id FROM entries
        WHERE entry_id IN (SELECT entry_id FROM touched) AND (SELECT count(*) FROM steered) >= 0
        ORDER BY entry_id FOR NO KEY UPDATE
    )
    SELECT message_id, state, wamid, sent_at, delivered_at, read_at, failed_at, awaits_delivery,
        error_code, error_message, entry_id, attempt, node, visit, client, template, unknown_since
    FROM messages m
    WHERE {_OF_THESE} AND (SELECT count(*) FROM ended) >= 0
    ORDER BY message_id FOR UPDATE
""")

_KEEP_EARLY = text("""
    INSERT INTO early_statuses (channel_id, wamid, status, message_id, at, error_code, error_message,
        client, user_id)
    VALUES (:channel_id, :wamid, :status, :message_id, :at, :error_code, :error_message,
        :client, :user_id)
    ON CONFLICT DO NOTHING
""")

_UPDATE = text("""
    UPDATE messages m SET
        state = v.state, wamid = v.wamid, sent_at = v.sent_at, delivered_at = v.delivered_at,
        read_at = v.read_at, failed_at = v.failed_at, awaits_delivery = v.awaits_delivery,
        error_code = v.error_code, error_message = v.error_message,
        -- Only what was accepted can be reported to have failed, also before the answer to the call.
        accepted_at = CASE WHEN v.state IN ('sent', 'failed') THEN coalesce(m.accepted_at, now())
            ELSE m.accepted_at END,
        -- What was given up keeps it when it turns out to be sent: that it failed has been told.
        unknown_since = CASE WHEN v.state = 'unknown'
            OR (v.state = 'sent' AND m.state IN ('given_up', 'sent')) THEN m.unknown_since END
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

# A cancel of the sendout comes before, and is seen, or after, and sees the entry running.
_REOPEN = text("""
    WITH sendout AS MATERIALIZED (
        SELECT s.sendout_id, s.state FROM sendouts s
        WHERE s.sendout_id = (SELECT e.sendout_id FROM entries e
            WHERE e.entry_id = :entry_id AND e.state = 'unknown')
        FOR SHARE
    )
    UPDATE entries e SET state = 'running', finished_at = NULL, error_code = NULL,
        error_message = NULL
    FROM sendout s
    WHERE e.entry_id = :entry_id AND e.attempt = :attempt AND e.state = 'unknown'
        AND e.sendout_id = s.sendout_id AND s.state <> 'cancelled'
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

    Those that name no message of this channel are kept for a day (`storage.early_statuses`). What
    the others call their recipients is remembered.
    """
    if not statuses:
        return
    rows = await _tracked(connection, channel_id, statuses)
    by_id = {row.message_id: row for row in rows}
    ids_by_wamid = {row.wamid: row.message_id for row in rows if row.wamid is not None}
    before = {row.message_id: _as_tracked(row) for row in rows}
    now = dict(before)
    news: list[tuple[str, News, Status]] = []
    early: list[Status] = []
    for status in statuses:
        message_id = status.message_id if status.message_id in now else None
        message_id = message_id or ids_by_wamid.get(status.wamid)
        if message_id is None:
            early.append(status)
            continue
        now[message_id], told = apply(now[message_id], status)
        news.append((message_id, told, status))
    changed = [m for key, m in now.items() if m != before[key]]
    await _write(connection, changed)
    await tell(connection, [t for m in changed for t in told_of(before[m.message_id], m)])
    signals: list[RunSignal] = []
    for message_id, told, status in news:
        row = by_id[message_id]
        signals.extend(await _consequences(connection, row, told))
        if told.failed or told.settled is False:
            await _heed(connection, channel_id, row, status)
    await add_signals(connection, signals)
    if early:
        kept = [{"channel_id": channel_id, **asdict(status)} for status in _in_order(early)]
        await connection.execute(_KEEP_EARLY, kept)
    named = {(by_id[key].client, status.client, status.user_id) for key, _, status in news}
    await remember(connection, business_id, sorted(named, key=str))


async def _tracked(
    connection: AsyncConnection, channel_id: UUID, statuses: Iterable[Status]
) -> Sequence[Row[Any]]:
    failed = [s for s in statuses if s.status == "failed"]
    key = {
        "channel_id": channel_id,
        "message_ids": _ids(statuses),
        "wamids": [s.wamid for s in statuses],
        "failed_ids": _ids(failed),
        "failed_wamids": [s.wamid for s in failed],
    }
    return (await connection.execute(_TRACKED, key)).all()


def _ids(statuses: Iterable[Status]) -> list[str]:
    return [s.message_id for s in statuses if s.message_id is not None]


def _in_order(statuses: Iterable[Status]) -> list[Status]:
    """So that two bodies with the same statuses wait for each other, not in a circle."""
    return sorted(statuses, key=lambda status: (status.wamid, status.status))


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
        was_given_up=row.state == "sent" and row.unknown_since is not None,
    )


async def _write(connection: AsyncConnection, changed: Collection[Tracked]) -> None:
    if changed:
        columns = {name: [getattr(m, name) for m in changed] for name in _UPDATED}
        await connection.execute(_UPDATE, columns)


async def _consequences(connection: AsyncConnection, row: Row[Any], news: News) -> list[RunSignal]:
    """What one status means for the entry and its run; most mean nothing."""
    ref = message_ref(row)
    signals = []
    if news.settled is not None:
        signals.append(RunSignal(row.entry_id, "message_settled", ref | {"accepted": news.settled}))
        await reopen_unknown_entry(connection, row.entry_id, row.attempt)
        await release_claim_of_ended(connection, row.entry_id)
    if news.delivered:
        signals.append(RunSignal(row.entry_id, "message_delivered", ref))
    if news.failed:
        signals.append(RunSignal(row.entry_id, "message_failed", ref))
        await _fail_entry(connection, row)
    return signals


async def _heed(
    connection: AsyncConnection, channel_id: UUID, row: Row[Any], status: Status
) -> None:
    """What the code of a message that has just failed calls for; told again it calls for nothing."""
    if status.error_code is None:
        return
    await about_customer(connection, row.entry_id, status.error_code, status.at)
    await about_sender(
        connection,
        channel_id,
        row.template,
        code=status.error_code,
        message=status.error_message,
        at=status.at,
    )


async def _fail_entry(connection: AsyncConnection, row: Row[Any]) -> None:
    first = await first_message(connection, row.entry_id, row.attempt)
    if first is not None and (first.node, first.visit) == (row.node, row.visit):
        await fail_completed_entry(connection, row.entry_id, row.attempt, outcome(first))
    await release_claim_of_ended(connection, row.entry_id)


async def reopen_unknown_entry(connection: AsyncConnection, entry_id: UUID, attempt: int) -> None:
    """An entry that ended `unknown` runs again once that is settled (flow.md 2.2)."""
    await connection.execute(_REOPEN, {"entry_id": entry_id, "attempt": attempt})


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
