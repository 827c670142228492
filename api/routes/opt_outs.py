"""Opt-outs: who wants no marketing, as heard by us or entered by hand (api.md section 6)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import documented, read_body
from api.deps import AppDatabase, AppParts, CanOperate, CanRead
from api.json_body import read_bytes
from api.opt_out_lists import csv_list, first_page, read_list
from api.routes.customers import CustomerName, customer_name
from api.schemas.common import Cursor, Entity, Limit, Page, read_cursor, write_cursor
from api.schemas.opt_outs import LIST_BODY, EnteredOptOuts, OptedOutCustomer, OptOutOrder
from domain.errors import NotFound
from storage import opt_outs as record
from storage.identity import all_names

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["opt-outs"])

_CSV = "text/csv"


@router.get(
    "/opt-outs",
    response_model=Page[OptedOutCustomer],
    responses={200: {"content": {_CSV: {"schema": {"type": "string"}}}}},
)
async def list_opt_outs(
    caller: CanRead,
    database: AppDatabase,
    *,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[OptedOutCustomer] | Response:
    """The opt-outs in the order of their numbers; with `Accept: text/csv` all of them as CSV."""
    if _is_csv(accept):
        page = await first_page(database, caller.business_id)
        return StreamingResponse(
            csv_list(database, caller.business_id, page),
            media_type=_CSV,
            headers={"Content-Disposition": 'attachment; filename="opt-outs.csv"'},
        )
    after = None if cursor is None else read_cursor(cursor, str)[0]
    async with database.transaction() as connection:
        listed = await record.list_opt_outs(
            connection, caller.business_id, limit=limit + 1, after=after
        )
    page = listed[:limit]
    return Page(
        data=[shown(opt_out) for opt_out in page],
        next_cursor=write_cursor(page[-1].client) if len(listed) > limit else None,
    )


@router.post("/opt-outs", openapi_extra=LIST_BODY)
async def add_opt_outs(
    request: Request,
    caller: CanOperate,
    parts: AppParts,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> EnteredOptOuts:
    """Enter a list by hand, as JSON or (by its Content-Type) as CSV: all of it or nothing."""
    body = await read_bytes(request, parts.settings.max_body_bytes)
    listed = read_list(body, is_csv=_is_csv(content_type))
    async with parts.database.transaction() as connection:
        await record.enter_by_hand(connection, caller.business_id, listed)
    return EnteredOptOuts(entered=len({name for name, _ in listed}))


@router.put("/opt-outs/{client}", openapi_extra=documented(OptOutOrder))
async def put_opt_out(
    request: Request, caller: CanOperate, parts: AppParts, client: CustomerName
) -> Entity[OptedOutCustomer]:
    """Enter one by hand: START does not lift it, for none of the customer's names."""
    name = customer_name(client)
    order = await read_body(request, OptOutOrder, parts.settings.max_body_bytes)
    async with parts.database.transaction() as connection:
        await record.enter_by_hand(connection, caller.business_id, [(name, order.source)])
        return Entity(entity=shown(await _found(connection, caller.business_id, [name])))


@router.delete("/opt-outs/{client}")
async def delete_opt_out(
    caller: CanOperate, database: AppDatabase, client: CustomerName
) -> Entity[OptedOutCustomer]:
    """Lift a customer's opt-out, however it came and under whichever name; answers what it was."""
    name = customer_name(client)
    async with database.transaction() as connection:
        names = await all_names(connection, caller.business_id, name)
        found = await _found(connection, caller.business_id, names)
        await record.lift_by_hand(connection, caller.business_id, names)
    return Entity(entity=shown(found))


async def _found(connection: AsyncConnection, business_id: UUID, names: list[str]) -> record.OptOut:
    found = await record.find_opt_out(connection, business_id, names)
    if found is None:
        raise NotFound("This customer has not opted out; GET …/opt-outs lists those who have.")
    return found


def shown(opt_out: record.OptOut) -> OptedOutCustomer:
    """The opt-out as the API answers it."""
    return OptedOutCustomer(
        client=opt_out.client, source=opt_out.source, by_hand=opt_out.by_hand, at=opt_out.at
    )


def _is_csv(media_type: str) -> bool:
    """Whether CSV is named and JSON is not, which clients name beside what they would take."""
    named = media_type.lower()
    return _CSV in named and "json" not in named
