"""Recording how an entry ended, within the transaction of whatever ended it."""

import json
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.outcome import FirstMessage, Outcome, outcome
from domain.run import RunState
from storage.identity import names_of

_FIRST_MESSAGE = text("""
    SELECT node, visit, state, error_code, error_message FROM messages
    WHERE entry_id = :entry_id AND attempt = :attempt AND state <> 'skipped'
    ORDER BY number LIMIT 1
""")

# An outcome stands once it is there (flow.md section 2: a later click does not change it); the
# snapshot is always the newest: of one that a process records late, cut off from Temporal meanwhile,
# nothing counts once the run has begun further paths. An entry is `queued` until its page of starts is
# marked, and a quick run may end before that.
_END = text("""
    UPDATE entries SET
        snapshot = CAST(:snapshot AS json),
        output_variables = CAST(:outputs AS json),
        state = CASE WHEN state IN ('queued', 'running') THEN :state ELSE state END,
        error_code = CASE WHEN state IN ('queued', 'running') THEN :error_code ELSE error_code END,
        error_message = CASE WHEN state IN ('queued', 'running') THEN :error_message ELSE error_message END,
        finished_at = CASE WHEN state IN ('queued', 'running') THEN now() ELSE finished_at END
    WHERE entry_id = :entry_id AND attempt = :attempt AND state <> 'cancelled'
        AND coalesce(CAST(snapshot ->> 'last_path' AS integer), 0) <= :last_path
""")

MAY_BE_RECEIVED = """(
    m.state IN ('sending', 'sent', 'unknown', 'given_up') OR m.unknown_since IS NOT NULL
    OR m.delivered_at IS NOT NULL OR m.read_at IS NOT NULL
    OR EXISTS (SELECT 1 FROM clicks k WHERE k.message_id = m.message_id))"""
"""SQL for a message `m` that may have reached, or may still reach, the customer: also one whose
outcome was unknown before another call for it was refused or held."""

# The entry no longer counts as sent once nothing of it can have been received (api.md section 2).
_RELEASE_CLAIM = text(f"""
    DELETE FROM claims c WHERE c.entry_id = :entry_id AND NOT EXISTS (
        SELECT 1 FROM messages m WHERE m.entry_id = :entry_id AND {MAY_BE_RECEIVED})
""")

_LOCK = text("SELECT 1 FROM entries WHERE entry_id = :entry_id FOR NO KEY UPDATE")

# Received: delivered, read, tapped, or written to the sender since (flow.md 2.4).
_FAIL_COMPLETED = text(f"""
    UPDATE entries e SET state = 'failed', error_code = :code, error_message = :message
    WHERE entry_id = :entry_id AND attempt = :attempt AND state = 'completed'
    AND NOT EXISTS (
        SELECT 1 FROM messages m WHERE m.entry_id = e.entry_id AND m.attempt = e.attempt
        AND (m.delivered_at IS NOT NULL OR m.read_at IS NOT NULL
            OR EXISTS (SELECT 1 FROM clicks c WHERE c.message_id = m.message_id)
            OR EXISTS (SELECT 1 FROM inbound i WHERE i.channel_id = m.channel_id
                AND i.client = ANY({names_of("e.business_id", "e.client")})
                AND i.received_at >= m.accepted_at AND i.kind <> 'tap'))
    )
""")


async def lock_entry(connection: AsyncConnection, entry_id: UUID) -> None:
    """To be done before a message of the entry is locked and the entry may end or change its end.

    Everybody locks the entry first, so that of two such transactions one sees what the other did, and
    they do not wait for each other in a circle.
    """
    await connection.execute(_LOCK, {"entry_id": entry_id})


async def first_message(
    connection: AsyncConnection, entry_id: UUID, attempt: int
) -> FirstMessage | None:
    """The first message of this attempt that was not skipped; None if there is none."""
    key = {"entry_id": entry_id, "attempt": attempt}
    row = (await connection.execute(_FIRST_MESSAGE, key)).one_or_none()
    return FirstMessage(*row) if row is not None else None


async def end_entry(
    connection: AsyncConnection,
    entry_id: UUID,
    attempt: int,
    at_rest: RunState,
    *,
    too_many_sends: bool = False,
) -> None:
    """Record outcome and snapshot of an entry whose run is at rest; may be repeated.

    The entry is locked already (`lock_entry`), or what its first message came to may be missed.
    """
    ended = outcome(
        await first_message(connection, entry_id, attempt),
        too_many_sends=too_many_sends,
        not_received=at_rest.not_received,
    )
    await connection.execute(
        _END,
        {
            "entry_id": entry_id,
            "attempt": attempt,
            "snapshot": at_rest.model_dump_json(exclude_defaults=True),
            "last_path": at_rest.last_path,
            "outputs": json.dumps(at_rest.outputs) if at_rest.outputs else None,
            "state": ended.state,
            "error_code": ended.error_code,
            "error_message": ended.error_message,
        },
    )
    if ended.state in {"failed", "opted_out", "completed"}:
        await release_claim(connection, entry_id)


async def release_claim(connection: AsyncConnection, entry_id: UUID) -> None:
    """Let the customer be sent the campaign again if nothing of this entry can have arrived."""
    await connection.execute(_RELEASE_CLAIM, {"entry_id": entry_id})


async def release_claim_of_ended(connection: AsyncConnection, entry_id: UUID) -> None:
    """The same for an entry of which a message failed after its end; an open one keeps it."""
    ended = await connection.scalar(
        text("SELECT state NOT IN ('queued', 'running') FROM entries WHERE entry_id = :entry_id"),
        {"entry_id": entry_id},
    )
    if ended:
        await release_claim(connection, entry_id)


async def fail_completed_entry(
    connection: AsyncConnection, entry_id: UUID, attempt: int, ended: Outcome
) -> None:
    """The first message turned out to have failed after the end (flow.md section 2).

    Only `completed` changes, and only while nothing of the entry was received.
    """
    await connection.execute(
        _FAIL_COMPLETED,
        {
            "entry_id": entry_id,
            "attempt": attempt,
            "code": ended.error_code,
            "message": ended.error_message,
        },
    )
