"""Imports: sendouts from CSV files (api.md section 4)."""

import asyncio
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api import importing
from api.deps import AppDatabase, AppParts, CanRead, CanSend
from api.idempotency import IDEMPOTENCY_KEY_PARAMETER
from api.importing import ImportOrder
from api.repeatable import repeatable
from api.schemas import imports as schemas
from api.schemas.common import Entity

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["imports"])

ImportId: TypeAlias = Annotated[UUID, Path(alias="importId")]

_KEY = {"parameters": [IDEMPOTENCY_KEY_PARAMETER]}


@router.post(
    "/imports",
    status_code=201,
    response_model=Entity[schemas.Import],
    openapi_extra=schemas.CSV_BODY | _KEY,
)
async def create_import(
    request: Request,
    caller: CanSend,
    parts: AppParts,
    *,
    campaign_name: schemas.CampaignName,
    campaign_version: schemas.CampaignVersion = "",
    label: schemas.Label = "",
    sender: schemas.Sender = "",
    scheduled_at: schemas.ScheduledAt = "",
    duplicate_check: schemas.DuplicateCheck = "",
    mapping: schemas.ColumnMapping = "",
) -> Response:
    """Read and check a CSV file, every row as an entry of send/campaigns; nothing is sent yet."""
    call = await repeatable(request, caller, parts.settings.max_import_bytes)
    order = ImportOrder(
        caller.business_id,
        campaign_name,
        campaign_version,
        label,
        sender,
        scheduled_at,
        duplicate_check == "allow_multiple",
        mapping,
    )
    slots: asyncio.Semaphore = request.app.state.import_slots
    async with slots:
        async with parts.database.transaction() as connection:
            if (kept := await call.first_answer(connection)) is not None:
                return kept
            against = await importing.look_up_import(connection, parts, order)
        most = parts.settings.max_import_rows
        read = await importing.read_file(call.body, order, against, most)
        async with parts.database.transaction() as connection:
            if (kept := await call.first_answer(connection)) is not None:
                return kept
            made = await importing.keep_import(connection, order, against, read)
            return await call.answer(connection, Entity(entity=made), 201)


@router.get("/imports/{importId}")
async def read_import(
    caller: CanRead, database: AppDatabase, import_id: ImportId
) -> Entity[schemas.Import]:
    """The import, and what starting it now would come to."""
    async with database.transaction() as connection:
        known = await importing.found(connection, caller.business_id, import_id)
        return Entity(entity=await importing.shown(connection, known))


@router.post(
    "/imports/{importId}/start",
    response_model=Entity[schemas.Import],
    openapi_extra=_KEY,
)
async def start_import(
    request: Request, caller: CanSend, parts: AppParts, import_id: ImportId
) -> Response:
    """Send the valid rows in a sendout of their own: all of them or nothing, and only once."""
    call = await repeatable(request, caller, parts.settings.max_body_bytes)
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        known = await importing.found(connection, caller.business_id, import_id, lock=True)
        duplicates = None
        if known.started_at is None:
            duplicates = await importing.start(connection, known)
            known = await importing.found(connection, caller.business_id, import_id)
        started = await importing.shown(connection, known)
        answer = await call.answer(connection, Entity(entity=started))
    if duplicates is not None and started.sendout_id is not None:
        parts.metrics.entries.labels("accepted").inc(started.valid - duplicates)
        parts.metrics.entries.labels("duplicate").inc(duplicates)
        parts.pokes.poke(started.sendout_id)
    return answer
