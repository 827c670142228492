"""What the phone page reads: every customer's chat, and what is new in any of them.

Both sides of a chat share one sequence of numbers, so that a page follows all chats by asking for
what came after the highest number it has seen.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from whatsapp.simulator.database import Database
from whatsapp.simulator.graph import RunningSimulator
from whatsapp.simulator.ledger import timestamp
from whatsapp.simulator.phone import only_digits
from whatsapp.simulator.simulator import Simulator

router = APIRouter(prefix="/_sim")

MOST_CHATS = 200
MOST_LINES = 500
"""Per answer; whoever gets that many asks again."""

_LINES = """
    SELECT number, customer, 'sent', record FROM messages WHERE {where}
    UNION ALL
    SELECT number, customer, 'said', record FROM said WHERE {where}
    ORDER BY number LIMIT {most}
"""
_NEWEST = """
    SELECT max(number) AS newest FROM (
        SELECT customer, number FROM messages WHERE customer LIKE ?1
        UNION ALL SELECT customer, number FROM said WHERE customer LIKE ?1
    ) GROUP BY customer ORDER BY newest DESC LIMIT ?2
"""


@router.get("/chats")
async def chats(simulator: RunningSimulator, search: str = "") -> Response:
    """The newest line of each chat, newest first: of numbers that hold the searched digits."""
    database = simulator.database
    newest = database.execute(_NEWEST, (f"%{only_digits(search)}%", MOST_CHATS)).fetchall()
    numbers = [number for (number,) in newest]
    among = f"number IN ({','.join(map(str, numbers))})"
    return _answer(database, reversed(_lines(simulator, among, (), MOST_CHATS)))


@router.get("/chat")
async def chat(
    simulator: RunningSimulator,
    customer: str = "",
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
) -> Response:
    """Lines of one chat, or of all of them, with a number above `after`, oldest first."""
    where = "number > ?1"
    values: list[int | str] = [after]
    if customer:
        named = only_digits(customer)
        where += " AND customer = ?2"
        values.append(simulator.ledger.digits_of(named) or named)
    return _answer(simulator.database, _lines(simulator, where, values, MOST_LINES))


def _lines(simulator: Simulator, where: str, values: Sequence[Any], most: int) -> list[str]:
    """Lines as JSON: `{number, customer, sent}` of the business, or `said` of the customer."""
    query = _LINES.format(where=where, most=most)
    return [
        # The stored records go out as they are: a chat is shown without parsing it.
        f'{{"number":{number},"customer":"+{digits}","{side}":{record}}}'
        for number, digits, side, record in simulator.database.execute(query, values)
    ]


def _answer(database: Database, lines: Iterable[str]) -> Response:
    """`newest` is the number that the next change will exceed, `now` this clock."""
    newest, now = database.fact("sequence"), timestamp(time.time())
    content = f'{{"data":[{",".join(lines)}],"newest":{newest},"now":"{now}"}}'
    return Response(content, media_type="application/json")
