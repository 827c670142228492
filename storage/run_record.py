"""The record as runs read it: delays, asks, ends. Each method is one transaction."""

import json

from sqlalchemy import text

from domain.requests import (
    Answer,
    Ask,
    CheckDelay,
    DelayVerdict,
    FinishRun,
    OpenedRun,
    OpenRun,
)
from domain.run import RunState, Verdict
from storage.ending import end_entry, lock_entry
from storage.identity import names_of
from storage.session import Database

# Read after the entry was locked, in a statement of its own: what was reported before is seen then, and
# what is reported later sees that it is waited for.
_MESSAGE = text(f"""
    SELECT m.message_id, m.state, m.delivered_at IS NOT NULL AS delivered,
        EXISTS (SELECT 1 FROM clicks c WHERE c.message_id = m.message_id) AS clicked,
        EXISTS (SELECT 1 FROM inbound i WHERE i.channel_id = m.channel_id
            AND i.client = ANY({names_of("c.business_id", "m.client")})
            AND i.received_at >= m.accepted_at AND i.kind <> 'tap') AS responded
    FROM messages m JOIN channels c USING (channel_id)
    WHERE m.entry_id = :entry AND m.attempt = :attempt AND m.node = :node AND m.visit = :visit
    FOR UPDATE OF m
""")

# Not of an entry that was cancelled or begun again meanwhile; a cancel that comes now is waited for, or
# closes what is opened here.
_OPEN_ASK = text("""
    INSERT INTO asks (entry_id, attempt, node, visit, channel_id, client)
    SELECT e.entry_id, e.attempt, :node, :visit, e.channel_id, e.client
    FROM entries e JOIN sendouts s USING (sendout_id)
    WHERE e.entry_id = :entry AND e.attempt = :attempt
        AND e.state <> 'cancelled' AND s.state <> 'cancelled'
    FOR SHARE OF s FOR NO KEY UPDATE OF e
    ON CONFLICT DO NOTHING
""")

# One that closes before it has opened (the record was away) is kept closed: opening it later must
# not catch a text that nobody waits for.
_CLOSE_ASK = text("""
    INSERT INTO asks (entry_id, attempt, node, visit, channel_id, client, closed_at)
    SELECT entry_id, :attempt, :node, :visit, channel_id, client, now()
    FROM entries WHERE entry_id = :entry
    ON CONFLICT (entry_id, attempt, node, visit)
    DO UPDATE SET closed_at = coalesce(asks.closed_at, now())
    RETURNING answer, inbound_id
""")


class RunRecord:
    """Implements `activities.recording.RunRecord` on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check_delay(self, check: CheckDelay) -> DelayVerdict:
        """Judge a due delay by what is recorded now (flow.md 2.4) and note why.

        Received is a delivered or read status, a click or a reply.
        """
        key = check.model_dump(include={"entry", "attempt", "node", "visit"})
        async with self._database.transaction() as connection:
            await lock_entry(connection, check.entry)
            row = (await connection.execute(_MESSAGE, key)).one()
            received = row.delivered or row.clicked or row.responded
            reacted = row.clicked or (check.condition == "no_response" and row.responded)
            verdict: Verdict = "go_on"
            if row.state == "failed" or (check.condition != "all" and reacted):
                verdict = "end"
            elif not received:
                verdict = "wait"
                await connection.execute(
                    text("UPDATE messages SET awaits_delivery = true WHERE message_id = :id"),
                    {"id": row.message_id},
                )
            inputs = {
                "condition": check.condition,
                "message": check.node,
                "received": received,
                "clicked": row.clicked,
                "responded": row.responded,
                "failed": row.state == "failed",
            }
            await connection.execute(
                text("""
                    INSERT INTO decisions (entry_id, node, verdict, inputs, decided_at)
                    VALUES (:entry, :node, :verdict, CAST(:inputs AS json), clock_timestamp())
                """),
                {
                    "entry": check.entry,
                    "node": check.delay,
                    "verdict": verdict,
                    "inputs": json.dumps(inputs),
                },
            )
            if verdict == "end" and check.closing is not None:
                await end_entry(connection, check.entry, check.attempt, check.closing)
                return DelayVerdict(verdict=verdict, recorded_end=True)
        return DelayVerdict(verdict=verdict)

    async def open_ask(self, ask: Ask) -> None:
        """Let the customer's next text be this ask's answer, unless its run is over."""
        async with self._database.transaction() as connection:
            await connection.execute(_OPEN_ASK, ask.model_dump())

    async def close_ask(self, ask: Ask) -> Answer:
        """Take no answer any more; return the one recorded before."""
        async with self._database.transaction() as connection:
            row = (await connection.execute(_CLOSE_ASK, ask.model_dump())).one_or_none()
        return Answer() if row is None else Answer(text=row.answer, inbound=row.inbound_id)

    async def finish_run(self, finish: FinishRun) -> None:
        """Record the end of an entry."""
        async with self._database.transaction() as connection:
            await lock_entry(connection, finish.entry)
            await end_entry(
                connection,
                finish.entry,
                finish.attempt,
                finish.at_rest,
                too_many_sends=finish.too_many_sends,
            )

    async def open_run(self, opening: OpenRun) -> OpenedRun:
        """Read what an ended entry had done; nothing for one that is not to be taken up again."""
        async with self._database.transaction() as connection:
            row = (
                await connection.execute(
                    text("""
                        SELECT e.state, e.error_code, e.snapshot::text AS snapshot,
                            s.state AS sendout_state
                        FROM entries e JOIN sendouts s USING (sendout_id)
                        WHERE e.entry_id = :entry AND e.attempt = :attempt
                    """),
                    opening.model_dump(),
                )
            ).one_or_none()
        if row is None or "cancelled" in {row.state, row.sendout_state}:
            return OpenedRun()
        state = RunState() if row.snapshot is None else RunState.model_validate_json(row.snapshot)
        return OpenedRun() if state.over else OpenedRun(state=state)
