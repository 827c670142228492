"""Who is who: one customer of a business under several names (docs/decisions/0009).

A name is a number in E.164 or a user id, which WhatsApp gives where it hides the number. Numbers of
one customer share a `client` in `customer_numbers`; a number without a row there is a customer by
itself. A user id leads to one of the customer's numbers. Facts keep the name they came under:
nothing is rewritten when two names turn out to be one customer, all questions are asked about all
names.
"""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.phone import variants


def names_of(business_id: str, client: str) -> str:
    """SQL for all names (text[]) of the customer who has the number `client`, itself included.

    Both are SQL expressions, as in `names_of("e.business_id", "e.client")`.
    """
    return f"""ARRAY(
        WITH own AS (
            SELECT {client} AS number
            UNION SELECT o.number FROM customer_numbers k
            JOIN customer_numbers o ON o.business_id = k.business_id AND o.client = k.client
            WHERE k.business_id = {business_id} AND k.number = {client}
        )
        SELECT number FROM own
        UNION ALL SELECT u.user_id FROM customer_user_ids u
        WHERE u.business_id = {business_id} AND u.client = ANY(ARRAY(SELECT number FROM own))
    )"""


def other_claim(campaign_id: str, business_id: str, customer: str) -> str:
    """SQL for an entry with a claim on the campaign under any number of a customer, or null.

    All are SQL expressions; `customer` is the `client` of the customer's numbers.
    """
    return f"""(
        SELECT other.entry_id FROM customer_numbers o
        JOIN claims other ON other.campaign_id = {campaign_id} AND other.client = o.number
        WHERE o.business_id = {business_id} AND o.client = {customer}
        LIMIT 1)"""


_NAMES = text(f"""
    SELECT DISTINCT name, name <> ALL(:asked) AS learned, name !~ '^\\+' AS is_user_id
    FROM unnest(CAST(:asked AS text[])) AS asked
    LEFT JOIN customer_user_ids i ON i.business_id = :business_id AND i.user_id = asked,
    LATERAL unnest(asked || {names_of(":business_id", "coalesce(i.client, asked)")}) AS name
    ORDER BY is_user_id, learned, name
""")


async def all_names(connection: AsyncConnection, business_id: UUID, *names: str) -> list[str]:
    """Every name of the customer of these names: numbers first, those asked for before others."""
    rows = await connection.execute(_NAMES, {"business_id": business_id, "asked": list(names)})
    return [row.name for row in rows]


async def names_of_entry(connection: AsyncConnection, entry_id: UUID) -> list[str]:
    """Every name of the customer of one entry."""
    names = text(f"""
        SELECT {names_of("e.business_id", "e.client")} FROM entries e WHERE e.entry_id = :entry_id
    """)
    return list((await connection.execute(names, {"entry_id": entry_id})).scalar_one())


# --- finding -----------------------------------------------------------------------------------

_IS_KNOWN = """(
    EXISTS (SELECT 1 FROM customer_numbers k WHERE k.business_id = :business_id AND k.number = {0})
    OR EXISTS (SELECT 1 FROM entries e WHERE e.business_id = :business_id AND e.client = {0}))
"""

# A number that nobody was sent to may still be a customer's by its user id, or else a national
# variant of one that was sent to (reference/whatsapp.md section 5.7).
_FIND = text(f"""
    SELECT coalesce(
        CASE WHEN {_IS_KNOWN.format("CAST(:number AS text)")} THEN :number END,
        (SELECT client FROM customer_user_ids
         WHERE business_id = :business_id AND user_id = :user_id),
        (SELECT v FROM unnest(CAST(:variants AS text[])) AS v
         WHERE {_IS_KNOWN.format("v")} LIMIT 1),
        :number, :user_id)
""")


async def known_as(
    connection: AsyncConnection, business_id: UUID, number: str | None, user_id: str | None
) -> str | None:
    """The name we know the customer of an event by, and remember the event's names as theirs.

    A number wherever one is known, else the user id; None for an event that names nobody.
    """
    asked = {
        "business_id": business_id,
        "number": number,
        "user_id": user_id,
        "variants": [] if number is None else list(variants(number)),
    }
    found: str | None = await connection.scalar(_FIND, asked)
    if found is not None and found != user_id:
        await remember(connection, business_id, [(found, number, user_id)])
    return found


# --- remembering -------------------------------------------------------------------------------

_USER_IDS = text("""
    SELECT user_id, client FROM customer_user_ids
    WHERE business_id = :business_id AND user_id = ANY(:user_ids)
""")

# In order, so that two bodies of events with the same customers wait for each other.
_ADD_USER_IDS = text("""
    INSERT INTO customer_user_ids (business_id, user_id, client)
    SELECT :business_id, user_id, client
    FROM unnest(CAST(:user_ids AS text[]), CAST(:clients AS text[])) AS s (user_id, client)
    ORDER BY user_id
    ON CONFLICT DO NOTHING
""")

_STRANGERS = text("""
    SELECT DISTINCT p.one, p.other
    FROM unnest(CAST(:ones AS text[]), CAST(:others AS text[])) AS p (one, other)
    LEFT JOIN customer_numbers o ON o.business_id = :business_id AND o.number = p.one
    LEFT JOIN customer_numbers t ON t.business_id = :business_id AND t.number = p.other
    WHERE o.client IS DISTINCT FROM t.client OR o.client IS NULL
    ORDER BY p.one, p.other
""")

# Linking is rare and short: one at a time per business keeps customers of three names whole.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('customers of ' || :business_id, 0))")

_LINK = text("""
    WITH pair AS (SELECT unnest(ARRAY[CAST(:one AS text), CAST(:other AS text)]) AS number),
    met AS (
        SELECT k.client FROM customer_numbers k JOIN pair USING (number)
        WHERE k.business_id = :business_id
    ), winner AS (SELECT coalesce(min(client), CAST(:one AS text)) AS client FROM met),
    moved AS (
        UPDATE customer_numbers k SET client = winner.client FROM winner
        WHERE k.business_id = :business_id AND k.client IN (SELECT client FROM met)
            AND k.client <> winner.client
    )
    INSERT INTO customer_numbers (business_id, number, client)
    SELECT :business_id, pair.number, winner.client FROM pair, winner
    WHERE NOT EXISTS (SELECT 1 FROM customer_numbers k
        WHERE k.business_id = :business_id AND k.number = pair.number)
""")


async def remember(
    connection: AsyncConnection,
    business_id: UUID,
    named: Iterable[tuple[str, str | None, str | None]],
) -> None:
    """Remember under which other names customers turned out to be known.

    Each as the number we know, then the number and the user id that WhatsApp gave, None where it
    gave none. Two numbers of one user id are one customer, too.
    """
    named = list(named)
    pairs = {(client, number) for client, number, _ in named if number not in {None, client}}
    ids = {user_id: client for client, _, user_id in named if user_id is not None}
    if ids:
        known = await _known_user_ids(connection, business_id, ids)
        pairs |= {(client, known[u]) for client, _, u in named if u and known[u] != client}
    if pairs:
        await _link(connection, business_id, pairs)


async def _known_user_ids(
    connection: AsyncConnection, business_id: UUID, clients: Mapping[str, str]
) -> dict[str, str]:
    """To which number each of these user ids leads: to the one given, unless one was known."""

    async def read(user_ids: Iterable[str]) -> dict[str, str]:
        asked = {"business_id": business_id, "user_ids": list(user_ids)}
        rows = await connection.execute(_USER_IDS, asked)
        return {row.user_id: row.client for row in rows}

    known = await read(clients)
    new = clients.keys() - known.keys()
    if new:
        columns = {"user_ids": list(new), "clients": [clients[user_id] for user_id in new]}
        await connection.execute(_ADD_USER_IDS, {"business_id": business_id, **columns})
        # Read again: somebody else may have added some of them just now.
        known |= await read(new)
    return known


async def remember_of_entry(
    connection: AsyncConnection, entry_id: UUID, number: str | None, user_id: str | None
) -> None:
    """The same of the customer of one entry."""
    entry = text("SELECT business_id, client FROM entries WHERE entry_id = :entry_id")
    row = (await connection.execute(entry, {"entry_id": entry_id})).one()
    await remember(connection, row.business_id, [(row.client, number, user_id)])


async def _link(
    connection: AsyncConnection, business_id: UUID, pairs: Collection[tuple[str, str | None]]
) -> None:
    ones, others = ([pair[place] for pair in pairs] for place in (0, 1))
    asked = {"business_id": business_id, "ones": ones, "others": others}
    strangers = (await connection.execute(_STRANGERS, asked)).all()
    if not strangers:
        return
    await connection.execute(_LOCK, {"business_id": str(business_id)})
    for one, other in strangers:
        pair = {"business_id": business_id, "one": one, "other": other}
        await connection.execute(_LINK, pair)
