"""Finding what a crash left between two commits, and what is no longer needed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from storage.early_statuses import apply_missed, forget_early
from storage.idempotency import forget_old_answers
from storage.imports import forget_imports
from storage.session import Database

FORGOTTEN_AT_ONCE = 10_000
"""How many old answers one sweep removes: a fraction of a second's work, and 300 keys a second."""

# Due entries that nobody pages: the poke was lost with its process.
_SLEEPING = text("""
    SELECT DISTINCT e.sendout_id FROM entries e JOIN sendouts s USING (sendout_id)
    WHERE e.state = 'queued' AND s.state = 'running' AND e.due_at <= now() - interval '5 seconds'
""")

# Held sends whose hold is over, each once: it stays `held` until its turn to be sent comes. Runs that
# were cancelled meanwhile are to close.
_RELEASE = text("""
    WITH free AS MATERIALIZED (
        SELECT m.message_id, 'cancelled' IN (s.state, e.state) AS is_cancelled
        FROM messages m JOIN sendouts s USING (sendout_id) JOIN channels c USING (channel_id)
        JOIN entries e ON e.entry_id = m.entry_id
        WHERE m.state = 'held' AND m.held_for IS NOT NULL AND ('cancelled' IN (s.state, e.state)
            OR (m.held_for <> 'window' AND s.state = 'running' AND c.held_since IS NULL
                AND (m.held_for <> 'template' OR NOT EXISTS (
                    SELECT 1 FROM template_holds h
                    WHERE h.business_id = c.business_id AND h.waba_id = c.waba_id
                        AND h.held_since IS NOT NULL
                        AND h.name || ' (' || h.language || ')' = m.template))))
        ORDER BY m.message_id FOR NO KEY UPDATE OF m
    ), freed AS (
        UPDATE messages m SET held_for = NULL FROM free f WHERE m.message_id = f.message_id
        RETURNING m.entry_id, f.is_cancelled
    )
    INSERT INTO run_signals (entry_id, name, body)
    SELECT entry_id, CASE WHEN is_cancelled THEN 'cancel' ELSE 'released' END, CAST('{}' AS json)
    FROM (SELECT DISTINCT entry_id, is_cancelled FROM freed) f
    RETURNING entry_id
""")

# A lease that ended: the worker died between the call and its note, or the run is about to look.
_UNKNOWN = text("""
    UPDATE messages SET state = 'unknown', unknown_since = now(), lease_until = NULL
    WHERE state = 'sending' AND lease_until < now() - interval '5 seconds'
    RETURNING message_id
""")


_OVER = text("DELETE FROM suppressions WHERE until < now()")


class Repairs:
    """Set-based; each method is one transaction and harmless when nothing is wrong."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sleeping_sendouts(self) -> Sequence[UUID]:
        """Sendouts with entries that are due and not started."""
        async with self._database.transaction() as connection:
            return (await connection.execute(_SLEEPING)).scalars().all()

    async def release_held(self) -> int:
        """Signal the runs whose hold is over, or which were cancelled; how many."""
        async with self._database.transaction() as connection:
            return len((await connection.execute(_RELEASE)).all())

    async def doubt_abandoned_sends(self) -> int:
        """Mark sends whose lease ended as unknown; how many."""
        async with self._database.transaction() as connection:
            return len((await connection.execute(_UNKNOWN)).all())

    async def apply_early_statuses(self) -> int:
        """Apply statuses that came while their message was being recorded; of how many messages."""
        async with self._database.transaction() as connection:
            return await apply_missed(connection)

    async def forget_passed(self) -> int:
        """Remove statuses of messages nobody sent, old imports, suppressions that are over; how many."""
        async with self._database.transaction() as connection:
            over = (await connection.execute(_OVER)).rowcount
            return over + await forget_early(connection) + await forget_imports(connection)

    async def forget_old_answers(self) -> int:
        """Remove answers kept by Idempotency-Key that nobody can ask for any more; how many."""
        async with self._database.transaction() as connection:
            return await forget_old_answers(connection, FORGOTTEN_AT_ONCE)
