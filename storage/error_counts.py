"""Why the messages and entries of a sendout failed, counted by code (api.md section 4)."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Text, cast, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import entries, messages


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """One code of WhatsApp's (digits) or ours, with the messages and entries that ended by it."""

    code: str
    messages: int
    entries: int


async def count_errors(connection: AsyncConnection, sendout_id: UUID) -> list[ErrorCount]:
    """The codes of a sendout, most messages first: one statement.

    The messages add up to the `failed` of its counts, as far as they have a code; an entry ends by
    the code of its first message, or by one of our own without any message.
    """
    m, e = messages.c, entries.c
    none = literal(0)
    failed = (
        select(cast(m.error_code, Text).label("code"), func.count().label("m"), none.label("e"))
        .where(m.sendout_id == sendout_id, m.state.in_(("refused", "failed")))
        .where(m.error_code.is_not(None))
        .group_by(m.error_code)
    )
    ended = (
        select(e.error_code.label("code"), none.label("m"), func.count().label("e"))
        .where(e.sendout_id == sendout_id, e.state.in_(("failed", "unknown")))
        .where(e.error_code.is_not(None))
        .group_by(e.error_code)
    )
    both = union_all(failed, ended).subquery()
    sums = func.sum(both.c.m).label("messages"), func.sum(both.c.e).label("entries")
    query = (
        select(both.c.code, *sums).group_by(both.c.code).order_by(sums[0].desc(), sums[1].desc())
    )
    return [
        ErrorCount(row.code, int(row.messages), int(row.entries))
        for row in await connection.execute(query.order_by(both.c.code))
    ]
