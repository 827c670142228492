"""Cancelling: open entries end for good, all at once (api.md section 4).

Nothing else is needed for "no further send": every send looks at its entry at the last moment. Runs
that wait for something else close when Temporal is told, or by themselves once they look.
"""

from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    and_,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.availability import is_deadlock
from storage.ending import MAY_BE_RECEIVED
from storage.tables import asks, claims, entries, run_signals, sendouts

OPEN_STATES = ("queued", "running")
"""The states of an entry that has not ended."""

_TRIES = 5

_IS_SENT: ColumnElement[bool] = literal_column(
    f"EXISTS (SELECT 1 FROM messages m WHERE m.entry_id = claims.entry_id AND {MAY_BE_RECEIVED})",
    Boolean(),
)

# Runs whose first sends a pause has taken out of the queue: no message says that they wait, and they
# would do so for ever. Of held messages the sweep tells (`storage.repairs`).
_IS_TAKEN_BACK: ColumnElement[bool] = literal_column(
    "(entries.started_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages m "
    "WHERE m.entry_id = entries.entry_id AND m.attempt = entries.attempt "
    "AND m.state <> 'retrying'))",
    Boolean(),
)


async def cancel_sendout(connection: AsyncConnection, sendout_id: UUID) -> bool:
    """Cancel one sendout; False if it was cancelled already.

    Its open entries end `cancelled`; claims of entries of which nothing was sent are released, so
    that the customers can be sent the campaign again. A cancelled sendout is current no more.
    """
    return bool(await _cancel(connection, sendouts.c.sendout_id == sendout_id))


async def cancel_campaign(connection: AsyncConnection, campaign_id: UUID) -> list[UUID]:
    """Cancel all sendouts of a campaign as `cancel_sendout` does; those that were not before."""
    return await _cancel(connection, sendouts.c.campaign_id == campaign_id)


async def _cancel(connection: AsyncConnection, which: ColumnElement[bool]) -> list[UUID]:
    # First the sendouts: an acceptance that has locked one is waited for, and its entries seen.
    changed = await connection.scalars(
        update(sendouts)
        .where(which, sendouts.c.state != "cancelled")
        .values(state="cancelled", is_current=False)
        .returning(sendouts.c.sendout_id)
    )
    sendout_ids = list(changed)
    if sendout_ids:
        await _end(connection, entries.c.sendout_id.in_(sendout_ids))
    return sendout_ids


async def cancel_entry(connection: AsyncConnection, entry_id: UUID) -> None:
    """End the entry `cancelled` if it is open, and release its claim if nothing was sent."""
    await _end(connection, entries.c.entry_id == entry_id)


async def _end(connection: AsyncConnection, which: ColumnElement[bool]) -> None:
    await _stop(connection, which)
    # now() is the transaction's: these are the entries that it has ended. Statements of their own,
    # because a send that was waited for above is seen only by those that start after it.
    ended = and_(which, entries.c.state == "cancelled", entries.c.finished_at == func.now())
    await connection.execute(
        delete(claims).where(claims.c.entry_id == entries.c.entry_id, ended, ~_IS_SENT)
    )
    waiting = select(entries.c.entry_id, literal("cancel"), literal({}, JSON)).where(
        ended, _IS_TAKEN_BACK
    )
    await connection.execute(insert(run_signals).from_select(["entry_id", "name", "body"], waiting))


async def _stop(connection: AsyncConnection, which: ColumnElement[bool]) -> None:
    """Set the open ones `cancelled` and close the asks, all at once and so in no particular order.

    Whoever has locked some of them in another order waits for us as we do for them, until PostgreSQL
    ends one of both; if it is us, these steps are done again.
    """
    mark = (
        update(entries)
        .where(which, entries.c.state.in_(OPEN_STATES))
        .values(state="cancelled", finished_at=func.now())
    )
    # A question that nobody will act upon must not catch the customer's next text.
    close_asks = (
        update(asks)
        .where(
            asks.c.entry_id == entries.c.entry_id,
            entries.c.sendout_id == sendouts.c.sendout_id,
            asks.c.closed_at.is_(None),
            which,
            or_(entries.c.state == "cancelled", sendouts.c.state == "cancelled"),
        )
        .values(closed_at=func.now())
    )
    for tries_left in reversed(range(_TRIES)):
        try:
            async with connection.begin_nested():
                await connection.execute(mark)
                await connection.execute(close_asks)
        except DBAPIError as error:
            if not (tries_left and is_deadlock(error)):
                raise
        else:
            return
