"""The entries that wait to be started."""

from collections.abc import Sequence

from sqlalchemy import text

from domain.entry import QueuedEntry
from domain.requests import StartedRuns, StartRuns
from storage.session import Database

PAGE = 500
"""Entries per page: a few seconds of starts, well within one activity."""
_PACE = 2
"""Runs started per second, as a multiple of what all the business's senders can send. It fills the time
ahead soon enough; all at once would keep whoever taps meanwhile waiting for the machine."""
_BREATH = 1.0
"""Seconds between two pages that are started at that pace."""

# Entries started and not yet attempted are what is ahead of the senders.
_AHEAD = text("""
    SELECT s.state,
        (SELECT count(*) FROM entries e WHERE e.sendout_id = s.sendout_id AND e.state = 'running'
            AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.entry_id = e.entry_id)) AS ahead,
        rates.fastest AS rate, rates.together AS all_rates,
        (SELECT extract(epoch FROM min(e.due_at) - now()) FROM entries e
            WHERE e.sendout_id = s.sendout_id AND e.state = 'queued') AS due_in
    FROM sendouts s
    CROSS JOIN LATERAL (
        SELECT coalesce(max(messages_per_second), 60) AS fastest,
            coalesce(sum(messages_per_second), 60) AS together
        FROM channels WHERE business_id = s.business_id
    ) rates
    WHERE s.sendout_id = :sendout
""")

_DUE = text("""
    SELECT e.entry_id, e.attempt, e.business_id, e.sendout_id, e.channel_id,
        c.name AS campaign_name, s.campaign_version, s.flow_hash, e.variables::text AS variables,
        s.source = 'message' AS is_single
    FROM entries e JOIN sendouts s USING (sendout_id)
    JOIN campaigns c ON c.campaign_id = e.campaign_id
    WHERE e.sendout_id = :sendout AND e.state = 'queued' AND e.due_at <= now()
    ORDER BY e.due_at, e.position LIMIT :limit
""")

# A quick run has claimed its first message, or even ended, before its page is marked.
_MARK = text("""
    UPDATE entries e SET
        state = CASE state WHEN 'queued' THEN 'running' ELSE state END,
        started_at = coalesce(started_at, least(now(), (SELECT min(m.created_at) FROM messages m
            WHERE m.entry_id = e.entry_id AND m.attempt = e.attempt)))
    WHERE entry_id = ANY(:entries) AND state <> 'cancelled'
        AND (state = 'queued' OR started_at IS NULL)
""")


class EntryQueue:
    """Implements `activities.starting.EntryQueue`; `start_ahead` is in seconds of sending."""

    def __init__(self, database: Database, *, start_ahead: int) -> None:
        self._database = database
        self._start_ahead = start_ahead

    async def next_page(self, sendout: StartRuns) -> tuple[Sequence[QueuedEntry], StartedRuns]:
        """The next due entries, at most a page and at most `start_ahead` of the sender's time.

        A paused sendout starts nothing: its entries are rows that cost nothing, and its resume
        pokes. No cursor outlives the page, since commits do not come in the order of positions.
        """
        async with self._database.transaction() as connection:
            key = {"sendout": sendout.sendout}
            state = (await connection.execute(_AHEAD, key)).one()
            if state.state != "running" or state.due_in is None:
                return [], StartedRuns(started=0)
            due_in = float(state.due_in)
            if due_in > 0:
                return [], StartedRuns(started=0, again_in=due_in)
            room = self._start_ahead * state.rate - state.ahead
            if room <= 0:
                return [], StartedRuns(started=0, again_in=self._start_ahead / 4)
            limit = min(PAGE, room, int(_PACE * state.all_rates * _BREATH))
            rows = (await connection.execute(_DUE, key | {"limit": limit})).all()
        page = [QueuedEntry(*row) for row in rows]
        if len(page) < limit or limit == PAGE:
            return page, StartedRuns(started=len(page), more=True)
        again_in = self._start_ahead / 4 if limit == room else _BREATH
        return page, StartedRuns(started=len(page), again_in=again_in)

    async def mark_started(self, entries: Sequence[QueuedEntry]) -> None:
        """Record the starts; an entry cancelled meanwhile stays cancelled."""
        async with self._database.transaction() as connection:
            ids = {"entries": [entry.entry_id for entry in entries]}
            await connection.execute(_MARK, ids)
