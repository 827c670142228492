"""Opt-outs of marketing (api.md section 6): recorded under the name they came under.

An opt-out under any name of a customer holds for the customer; who asks, asks about all names
(`storage.identity`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.customer_tables import opt_outs


@dataclass(frozen=True, slots=True)
class OptOut:
    """That a customer wants no marketing; `by_hand` ones are lifted only by hand.

    `client` is the number, or the user id of a customer whose number is hidden. `source` is text,
    button, user_preferences or whatsapp, or for one by hand what was given with it.
    """

    client: str
    source: str
    by_hand: bool
    at: datetime


# A customer who opts out again has opted out now; what led to a message before that does not count.
_RENEW = "ON CONFLICT (business_id, client) DO UPDATE SET opted_out_at = now()"

_OPT_OUT = text(f"""
    INSERT INTO opt_outs (business_id, client, source) VALUES (:business_id, :client, :source)
    {_RENEW}
""")

_OPT_OUT_OF_ENTRY = text(f"""
    INSERT INTO opt_outs (business_id, client, source)
    SELECT business_id, client, :source FROM entries WHERE entry_id = :entry_id
    {_RENEW}
""")

# In order, so that two lists with the same customers wait for each other, not in a circle. One that
# is there by hand already keeps its time: lists are sent again and again.
_BY_HAND = text("""
    INSERT INTO opt_outs (business_id, client, source, by_hand)
    SELECT DISTINCT ON (client) :business_id, client, source, true
    FROM unnest(CAST(:clients AS text[]), CAST(:sources AS text[]))
        WITH ORDINALITY AS l (client, source, n)
    ORDER BY client, n DESC
    ON CONFLICT (business_id, client) DO UPDATE SET source = excluded.source, by_hand = true,
        opted_out_at = CASE WHEN opt_outs.by_hand THEN opt_outs.opted_out_at ELSE now() END
    WHERE NOT opt_outs.by_hand OR opt_outs.source <> excluded.source
""")

_OPT_IN = text("""
    DELETE FROM opt_outs
    WHERE business_id = :business_id AND client = ANY(:names) AND NOT by_hand
""")

_LIFT = text("""
    DELETE FROM opt_outs WHERE business_id = :business_id AND client = ANY(:names)
""")


async def opt_out(connection: AsyncConnection, business_id: UUID, client: str, source: str) -> None:
    """Record that a customer, by one name, wants no marketing any more."""
    who = {"business_id": business_id, "client": client, "source": source}
    await connection.execute(_OPT_OUT, who)


async def opt_out_of_entry(connection: AsyncConnection, entry_id: UUID, source: str) -> None:
    """The same of the customer of this entry."""
    await connection.execute(_OPT_OUT_OF_ENTRY, {"entry_id": entry_id, "source": source})


async def opt_in(connection: AsyncConnection, business_id: UUID, names: Collection[str]) -> None:
    """Lift the opt-outs of a customer, but not one entered by hand (api.md section 6)."""
    await connection.execute(_OPT_IN, {"business_id": business_id, "names": list(names)})


async def enter_by_hand(
    connection: AsyncConnection, business_id: UUID, listed: Sequence[tuple[str, str]]
) -> None:
    """Record opt-outs by hand, each a name and a source; of a name given twice the last counts."""
    clients, sources = ([row[place] for row in listed] for place in (0, 1))
    columns = {"business_id": business_id, "clients": clients, "sources": sources}
    await connection.execute(_BY_HAND, columns)


async def lift_by_hand(
    connection: AsyncConnection, business_id: UUID, names: Collection[str]
) -> None:
    """Lift every opt-out of a customer, also those entered by hand."""
    await connection.execute(_LIFT, {"business_id": business_id, "names": list(names)})


async def find_opt_out(
    connection: AsyncConnection, business_id: UUID, names: Collection[str]
) -> OptOut | None:
    """The opt-out of the customer of these names: one by hand before others, then the latest."""
    c = opt_outs.c
    query = (
        _opt_outs(business_id)
        .where(c.client.in_(names))
        .order_by(c.by_hand.desc(), c.opted_out_at.desc(), c.client)
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else OptOut(**row._asdict())


async def list_opt_outs(
    connection: AsyncConnection, business_id: UUID, *, limit: int, after: str | None = None
) -> list[OptOut]:
    """At most `limit` opt-outs in the order of their names, which no renewal changes.

    `after` is the name of the last one seen.
    """
    query = _opt_outs(business_id).order_by(opt_outs.c.client).limit(limit)
    if after is not None:
        query = query.where(opt_outs.c.client > after)
    return [OptOut(**row._asdict()) for row in await connection.execute(query)]


def _opt_outs(business_id: UUID) -> Select[Any]:
    c = opt_outs.c
    return select(c.client, c.source, c.by_hand, c.opted_out_at.label("at")).where(
        c.business_id == business_id
    )
