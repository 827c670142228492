"""Sending to the campaign `spring` and counting what came of it."""

import json
from typing import Any

import httpx
from sqlalchemy import func, select

from storage.session import Database
from storage.tables import entries
from tests.record import BUSINESS

SEND = f"/v1/businesses/{BUSINESS}/send/campaigns"
CREATE_NEW = {"ifVersionUnspecified": "create_new"}


def entry(number: int = 0, **fields: Any) -> dict[str, Any]:
    """An entry of `spring` to the customer of that number."""
    return {"client": f"+1604{number:07}", "campaignName": "spring", **fields}


async def send(api: httpx.AsyncClient, *sent: Any, **options: Any) -> dict[str, Any]:
    """The answer to these entries and options, which must be 200."""
    answer = await api.post(SEND, content=json.dumps({"entries": sent, "options": options}))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def count(database: Database, condition: Any = None) -> int:
    """How many entries are stored, of those that meet the condition."""
    query = select(func.count()).select_from(entries)
    async with database.transaction() as connection:
        query = query if condition is None else query.where(condition)
        return int(await connection.scalar(query) or 0)
