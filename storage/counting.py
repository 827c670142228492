"""Exact counts of sendouts, from the record and in few statements (api.md section 4)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.entries import SHOWN_STATE
from storage.tables import clicks, entries, messages

_OPEN = frozenset({"scheduled", "queued", "running"})


@dataclass(slots=True)
class NodeCounts:
    """What became of a node's messages; `clicked` counts distinct customers per button."""

    sent: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    unknown: int = 0
    clicked: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class SendoutCounts:
    """Entries by state (`scheduled` is queued with a due time ahead), messages by node.

    `clicked` are the distinct customers who tapped anything; `last_end` is when the last entry
    ended, None if none has.
    """

    entries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    nodes: dict[str, NodeCounts] = field(default_factory=lambda: defaultdict(NodeCounts))
    clicked: int = 0
    last_end: datetime | None = None

    @property
    def idle(self) -> bool:
        """Whether no entry is scheduled, queued or running."""
        return not any(self.entries.get(state) for state in _OPEN)


async def count_sendouts(
    connection: AsyncConnection, sendout_ids: Sequence[UUID]
) -> dict[UUID, SendoutCounts]:
    """The counts of each of these sendouts: three statements however many there are."""
    counts = {sendout_id: SendoutCounts() for sendout_id in sendout_ids}
    await _count_entries(connection, counts)
    await _count_messages(connection, counts)
    await _count_clicks(connection, counts)
    return counts


async def _count_entries(connection: AsyncConnection, counts: dict[UUID, SendoutCounts]) -> None:
    c = entries.c
    shown = SHOWN_STATE.label("shown")
    # A duplicate ended when it was accepted.
    ended = func.coalesce(c.finished_at, case((c.state == "duplicate", c.created_at)))
    query = (
        select(c.sendout_id, shown, func.count().label("n"), func.max(ended).label("last_end"))
        .where(c.sendout_id.in_(counts))
        .group_by(c.sendout_id, "shown")
    )
    for row in await connection.execute(query):
        sendout = counts[row.sendout_id]
        sendout.entries[row.shown] = row.n
        if row.last_end is not None:
            sendout.last_end = max(row.last_end, sendout.last_end or row.last_end)


async def _count_messages(connection: AsyncConnection, counts: dict[UUID, SendoutCounts]) -> None:
    c = messages.c
    n = func.count()
    query = (
        select(
            c.sendout_id,
            c.node,
            n.filter(c.accepted_at.is_not(None)).label("sent"),
            # WhatsApp leaves `delivered` out where `read` says it already.
            n.filter(or_(c.delivered_at.is_not(None), c.read_at.is_not(None))).label("delivered"),
            n.filter(c.read_at.is_not(None)).label("read"),
            n.filter(c.state.in_(("refused", "failed"))).label("failed"),
            n.filter(c.state.in_(("unknown", "given_up"))).label("unknown"),
        )
        .where(c.sendout_id.in_(counts))
        .group_by(c.sendout_id, c.node)
    )
    for row in await connection.execute(query):
        counts[row.sendout_id].nodes[row.node] = NodeCounts(
            row.sent, row.delivered, row.read, row.failed, row.unknown
        )


async def _count_clicks(connection: AsyncConnection, counts: dict[UUID, SendoutCounts]) -> None:
    c = clicks.c
    query = (
        select(c.sendout_id, c.node, c.button, func.count(c.client.distinct()).label("n"))
        .where(c.sendout_id.in_(counts))
        # Both the sendout's own count and that of each button, from one reading.
        .group_by(func.grouping_sets(tuple_(c.sendout_id), tuple_(c.sendout_id, c.node, c.button)))
    )
    for row in await connection.execute(query):
        if row.node is None:
            counts[row.sendout_id].clicked = row.n
        else:
            counts[row.sendout_id].nodes[row.node].clicked[row.button] = row.n
