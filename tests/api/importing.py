"""Uploading CSV files of the campaign `spring`, and what their imports say."""

import json
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.flows import store_flow
from storage.imports import NewImport
from storage.session import Database
from storage.tables import channels, entries
from tests.record import BUSINESS, add_campaign, add_channel, greeting

IMPORTS = f"/v1/businesses/{BUSINESS}/imports"
FLOW = greeting({"name": {"required": True}, "product": {"default": "watch"}}, "{{name}}")
OTHER = "+15550002222"


async def add_spring(database: Database) -> None:
    """The published campaign `spring`, whose entries need a `name`; and a second channel."""
    async with database.transaction() as connection:
        await add_campaign(connection, "spring", versions={"v1": FLOW})
        await add_channel(connection, BUSINESS, OTHER)


async def a_file(connection: AsyncConnection, campaign_id: UUID) -> NewImport:
    """What is kept of a file of `tests.record.greeting` that had no good row."""
    return NewImport(
        campaign_id,
        campaign_name="spring",
        campaign_version="v1",
        flow_hash=await store_flow(connection, greeting()),
        label=None,
        allow_multiple=False,
        report={"encoding": "UTF-8", "delimiter": ",", "columns": [], "errors": []}
        | {"rows": 1, "valid": 0, "invalid": 1, "inFile": 0},
    )


def table(*rows: str) -> str:
    return "\r\n".join(["client,name", *rows, ""])


def customers(number: int) -> str:
    return table(*(f"+1604{n:07},Ana {n}" for n in range(number)))


async def upload(api: httpx.AsyncClient, csv: str | bytes, **query: Any) -> httpx.Response:
    if "mapping" in query:
        query["mapping"] = json.dumps(query["mapping"])
    body = csv.encode() if isinstance(csv, str) else csv
    return await api.post(IMPORTS, content=body, params={"campaignName": "spring"} | query)


async def checked(api: httpx.AsyncClient, csv: str | bytes, **query: Any) -> dict[str, Any]:
    """The import of a file that can be read."""
    return entity(await upload(api, csv, **query), 201)


async def start(api: httpx.AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    return entity(await api.post(f"{IMPORTS}/{made['importId']}/start"))


async def read(api: httpx.AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    return entity(await api.get(f"{IMPORTS}/{made['importId']}"))


def entity(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()["entity"]
    return told


def problems(made: dict[str, Any]) -> list[tuple[int, str | None, str]]:
    return [
        (error["row"], error["column"], error["code"].removeprefix("ERROR_CODE_"))
        for error in made["errors"]
    ]


async def stored(database: Database) -> list[tuple[str, str, Any, str]]:
    """Client, state, variables and sender of every entry, in their order."""
    query = (
        select(entries.c.client, entries.c.state, entries.c.variables, channels.c.phone_number)
        .join(channels, channels.c.channel_id == entries.c.channel_id)
        .order_by(entries.c.position)
    )
    async with database.transaction() as connection:
        return [tuple(row) for row in await connection.execute(query)]
