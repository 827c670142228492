"""Entries and customers: what became of each of them, and why (api.md section 4)."""

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from api.deps import AppDatabase, AppParts, CanOperate, CanRead, Parts
from api.entry_answers import ExactJson, entry_json, entry_with_timeline
from api.routes.sendouts import SendoutId
from api.routes.sendouts import found as found_sendout
from api.schemas.common import Cursor, Entity, Limit, Page, read_cursor, write_cursor
from api.schemas.entries import Entry, EntryState, EntryWithTimeline
from domain.errors import BadRequest, NotFound
from domain.phone import parse_phone
from storage import entries as record
from storage.cancelling import cancel_entry
from storage.timeline import read_history

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["entries"])

EntryId: TypeAlias = Annotated[UUID, Path(alias="entryId")]


@router.get("/sendouts/{sendoutId}/entries", response_model=Page[Entry])
async def list_entries(
    caller: CanRead,
    database: AppDatabase,
    sendout_id: SendoutId,
    *,
    state: Annotated[list[EntryState] | None, Query(description="May be repeated.")] = None,
    client: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ExactJson:
    """The entries in the order of their acceptance."""
    after = None if cursor is None else read_cursor(cursor, int)[0]
    async with database.transaction() as connection:
        await found_sendout(connection, caller.business_id, sendout_id)
        listed = await record.list_entries(
            connection,
            sendout_id,
            limit=limit + 1,
            states=state or (),
            client=None if client is None else number(client),
            after=after,
        )
    page = listed[:limit]
    more = write_cursor(page[-1].position) if len(listed) > limit else None
    return ExactJson({"data": [entry_json(entry) for entry in page], "nextCursor": more})


@router.get("/sendouts/{sendoutId}/entries/{entryId}", response_model=Entity[EntryWithTimeline])
async def read_entry(
    caller: CanRead, database: AppDatabase, sendout_id: SendoutId, entry_id: EntryId
) -> ExactJson:
    """The entry with everything that happened to it, oldest first."""
    async with database.transaction() as connection:
        entry = await found(connection, caller.business_id, entry_id, sendout_id)
        history = await read_history(connection, entry)
        blocker = (
            None
            if entry.duplicate_of is None
            else await record.find_with_version(connection, caller.business_id, entry.duplicate_of)
        )
    return ExactJson({"entity": entry_with_timeline(entry, history, blocker)})


@router.post("/entries/{entryId}/cancel", operation_id="cancelEntry", response_model=Entity[Entry])
async def cancel(caller: CanOperate, parts: AppParts, entry_id: EntryId) -> ExactJson:
    """End an open entry without another send; one that has ended stays as it is."""
    return await _cancel(parts, caller.business_id, entry_id, None)


@router.post(
    "/sendouts/{sendoutId}/entries/{entryId}/cancel",
    operation_id="cancelEntryOfSendout",
    response_model=Entity[Entry],
)
async def cancel_in_sendout(
    caller: CanOperate, parts: AppParts, sendout_id: SendoutId, entry_id: EntryId
) -> ExactJson:
    """The same, by the address the entry is read at."""
    return await _cancel(parts, caller.business_id, entry_id, sendout_id)


async def _cancel(
    parts: Parts, business_id: UUID, entry_id: UUID, sendout_id: UUID | None
) -> ExactJson:
    async with parts.database.transaction() as connection:
        await found(connection, business_id, entry_id, sendout_id)
        await cancel_entry(connection, entry_id)
        entry = await found(connection, business_id, entry_id, sendout_id)
    parts.signals.hand_over()
    if parts.closing is not None:
        parts.closing.close_entry(entry_id)
    return ExactJson({"entity": entry_json(entry)})


async def found(
    connection: AsyncConnection, business_id: UUID, entry_id: UUID, sendout_id: UUID | None
) -> record.Entry:
    """The entry, of that sendout if one is given. Raises `NotFound`."""
    entry = await record.find_entry(connection, business_id, entry_id, sendout_id=sendout_id)
    if entry is None:
        raise NotFound(
            f"There is no entry {entry_id} here; GET …/sendouts/{{sendoutId}}/entries lists them."
        )
    return entry


def number(text: str) -> str:
    """A customer's number in E.164. Raises `BadRequest`."""
    # A `+` that was not escaped arrives as a space, which phone numbers may begin with.
    read = parse_phone(text)
    if read is None:
        raise BadRequest("`client` must be a phone number, for example +16045552331.")
    return read
