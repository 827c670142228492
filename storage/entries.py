"""Entries: what each customer was accepted for and how it stands (api.md section 4)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import campaigns, entries, sendouts

_AHEAD = and_(entries.c.state == "queued", entries.c.due_at > func.now())

SHOWN_STATE: ColumnElement[str] = case((_AHEAD, "scheduled"), else_=entries.c.state)
"""An entry's state as the API shows it: `scheduled` is queued with a due time ahead."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as recorded, in the state the API shows.

    `variables`, `callback_data` and `output_variables` are JSON texts, so that numbers stay as they
    were written. `error_code` is WhatsApp's number as text, or TOO_MANY_SENDS, EXPIRED or UNKNOWN.
    """

    entry_id: UUID
    position: int
    sendout_id: UUID
    channel_id: UUID
    client: str
    state: str
    attempt: int
    variables: str
    callback_data: str | None
    output_variables: str | None
    error_code: str | None
    error_message: str | None
    duplicate_of: UUID | None
    created_at: datetime
    scheduled_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


def select_entries() -> Select[Any]:
    """The columns of `Entry`, in its order and under its names."""
    c = entries.c
    return select(
        c.entry_id,
        c.position,
        c.sendout_id,
        c.channel_id,
        c.client,
        SHOWN_STATE.label("state"),
        c.attempt,
        cast(c.variables, Text).label("variables"),
        cast(c.callback_data, Text).label("callback_data"),
        cast(c.output_variables, Text).label("output_variables"),
        c.error_code,
        c.error_message,
        c.duplicate_of,
        c.created_at,
        c.scheduled_at,
        c.started_at,
        c.finished_at,
    )


async def _read(connection: AsyncConnection, query: Select[Any]) -> list[Entry]:
    return [Entry(**row._asdict()) for row in await connection.execute(query)]


async def list_entries(
    connection: AsyncConnection,
    sendout_id: UUID,
    *,
    limit: int,
    states: Sequence[str] = (),
    client: str | None = None,
    after: int | None = None,
) -> list[Entry]:
    """At most `limit` entries of a sendout in the order of acceptance.

    `states` as the API shows them, empty for all; `client` in E.164; `after` is the position of the
    last one seen.
    """
    query = (
        select_entries()
        .where(entries.c.sendout_id == sendout_id)
        .order_by(entries.c.position)
        .limit(limit)
    )
    if states:
        query = query.where(SHOWN_STATE.in_(states))
    if client is not None:
        query = query.where(entries.c.client == client)
    if after is not None:
        query = query.where(entries.c.position > after)
    return await _read(connection, query)


async def find_entry(
    connection: AsyncConnection,
    business_id: UUID,
    entry_id: UUID,
    *,
    sendout_id: UUID | None = None,
) -> Entry | None:
    """The entry, or None if the business (or the sendout, if given) has none of that id."""
    query = select_entries().where(
        entries.c.business_id == business_id, entries.c.entry_id == entry_id
    )
    if sendout_id is not None:
        query = query.where(entries.c.sendout_id == sendout_id)
    return next(iter(await _read(connection, query)), None)


async def find_with_version(
    connection: AsyncConnection, business_id: UUID, entry_id: UUID
) -> tuple[Entry, str] | None:
    """The entry and the campaign version of its sendout, or None if it is not on record."""
    query = (
        select_entries()
        .add_columns(sendouts.c.campaign_version)
        .join(sendouts, sendouts.c.sendout_id == entries.c.sendout_id)
        .where(entries.c.business_id == business_id, entries.c.entry_id == entry_id)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    fields = row._asdict()
    version = str(fields.pop("campaign_version"))
    return Entry(**fields), version


@dataclass(frozen=True, slots=True)
class CustomerEntry:
    """An entry with what it was an entry of."""

    entry: Entry
    campaign_id: UUID | None
    campaign_name: str | None
    """Both are None of single messages; those with a tag have it as their name."""
    campaign_version: str
    source: str


async def entries_of_customer(
    connection: AsyncConnection, business_id: UUID, names: Collection[str]
) -> list[CustomerEntry]:
    """Every entry of a customer of these names, newest first."""
    query = (
        select_entries()
        .add_columns(
            case((campaigns.c.kind == "campaign", campaigns.c.campaign_id)).label("campaign_id"),
            func.nullif(campaigns.c.name, "").label("campaign_name"),
            sendouts.c.campaign_version,
            sendouts.c.source,
        )
        .join(sendouts, sendouts.c.sendout_id == entries.c.sendout_id)
        .join(campaigns, campaigns.c.campaign_id == sendouts.c.campaign_id)
        .where(entries.c.business_id == business_id, entries.c.client.in_(names))
        .order_by(entries.c.position.desc())
    )
    found = []
    for row in await connection.execute(query):
        fields = row._asdict()
        about = {
            name: fields.pop(name)
            for name in ("campaign_id", "campaign_name", "campaign_version", "source")
        }
        found.append(CustomerEntry(Entry(**fields), **about))
    return found
