"""The outbox to the runs: facts recorded for them that they have not been told yet."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from domain.entry import QueuedEntry
from storage.session import Database

PAGE = 200

_PAGE = text("""
    SELECT r.signal_id, r.name, r.body::text AS body,
        e.entry_id, e.attempt, e.business_id, e.sendout_id, e.channel_id,
        c.name AS campaign_name, s.campaign_version, s.flow_hash, e.variables::text AS variables,
        s.source = 'message' AS is_single
    FROM run_signals r
    JOIN entries e USING (entry_id)
    JOIN sendouts s USING (sendout_id)
    JOIN campaigns c ON c.campaign_id = e.campaign_id
    WHERE r.signal_id > :after
    ORDER BY r.signal_id LIMIT :limit
    FOR UPDATE OF r SKIP LOCKED
""")


@dataclass(frozen=True, slots=True)
class PendingSignal:
    """One fact for one run; `entry` is what is needed to take the run up again."""

    signal_id: int
    name: str
    body: dict[str, Any]
    entry: QueuedEntry

    @property
    def is_overtaken(self) -> bool:
        """It is about a message of an attempt that a later one has replaced (`…/retry`)."""
        return "node" in self.body and self.body.get("attempt", 1) != self.entry.attempt


@dataclass
class SignalPage:
    """A page of the outbox; what is in `handed_over` when the block ends is removed."""

    signals: Sequence[PendingSignal]
    handed_over: list[int]


class RunOutbox:
    """Pages through the outbox; two readers never hold the same signal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def page(self, after: int = 0) -> AsyncIterator[SignalPage]:
        """The oldest signals beyond `after`; those handed over are removed in its transaction."""
        async with self._database.transaction() as connection:
            rows = (await connection.execute(_PAGE, {"limit": PAGE, "after": after})).all()
            page = SignalPage(
                [
                    PendingSignal(row.signal_id, row.name, json.loads(row.body), _entry(row))
                    for row in rows
                ],
                [],
            )
            yield page
            if page.handed_over:
                await connection.execute(
                    text("DELETE FROM run_signals WHERE signal_id = ANY(:ids)"),
                    {"ids": page.handed_over},
                )


def _entry(row: Any) -> QueuedEntry:
    return QueuedEntry(
        row.entry_id,
        row.attempt,
        row.business_id,
        row.sendout_id,
        row.channel_id,
        row.campaign_name,
        row.campaign_version,
        row.flow_hash,
        row.variables,
        row.is_single,
    )
