"""Templates that are held: by WhatsApp, or by hand for a while (api.md section 4, flow.md 2.10).

Templates belong to WhatsApp; here it is only said whether they are sent. `*` as name and language
stands for every marketing template.
"""

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import AfterValidator
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import documented, read_body
from api.deps import AppDatabase, AppParts, CanOperate, CanRead
from api.schemas.channels import HoldOrder
from api.schemas.common import Cursor, Entity, Limit, Page, read_cursor, write_cursor
from api.schemas.held_templates import HeldTemplate, TemplateHold, TemplateState
from api.schemas.texts import is_one_line
from domain.errors import Conflict
from domain.templates import Key
from storage import template_holds as record
from storage.senders import accounts_of

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["templates"])


def _one_line(text: str) -> str:
    if not is_one_line(text):
        raise ValueError("remove the control characters")
    return text


_Text: TypeAlias = Annotated[str, AfterValidator(_one_line)]
TemplateName: TypeAlias = Annotated[_Text, Path(alias="name", max_length=512)]
Language: TypeAlias = Annotated[_Text, Path(alias="language", max_length=64)]


@router.get("/templates/held")
async def list_held_templates(
    caller: CanRead, database: AppDatabase, limit: Limit = 50, cursor: Cursor = None
) -> Page[HeldTemplate]:
    """What is held, by name, language and WhatsApp account."""
    place = None if cursor is None else read_cursor(cursor, str, str, str)
    after = None if place is None else (place[0], place[1], place[2])
    async with database.transaction() as connection:
        held = await record.held_templates(
            connection, caller.business_id, limit=limit + 1, after=after
        )
    page = held[:limit]
    last = page[-1] if len(held) > limit else None
    return Page(
        data=[
            HeldTemplate(name=hold.name, language=hold.language, **_hold(hold).model_dump())
            for hold in page
        ],
        next_cursor=last and write_cursor(last.name, last.language, last.waba_id),
    )


@router.post("/templates/{name}/{language}/hold", openapi_extra=documented(HoldOrder))
async def hold_template(
    request: Request,
    caller: CanOperate,
    parts: AppParts,
    name: TemplateName,
    language: Language,
) -> Entity[TemplateState]:
    """Hold every send of the template, in every WhatsApp account, until it is released by hand."""
    asked = await read_body(request, HoldOrder, parts.settings.max_body_bytes)
    key = (name, language)
    async with parts.database.transaction() as connection:
        if not await accounts_of(connection, caller.business_id):
            raise Conflict(
                "The business has no channel, so no WhatsApp account whose template could be held; "
                "connect one with POST …/channels.",
                title="No channel",
            )
        await record.hold_by_hand(
            connection, caller.business_id, key, by=caller.name, message=asked.message
        )
        return await _answer(connection, caller.business_id, key)


@router.post("/templates/{name}/{language}/release")
async def release_template(
    caller: CanOperate, parts: AppParts, name: TemplateName, language: Language
) -> Entity[TemplateState]:
    """End the hold, whoever began it; what was held is sent now."""
    key = (name, language)
    async with parts.database.transaction() as connection:
        released = await record.release_by_hand(connection, caller.business_id, key)
        answer = await _answer(connection, caller.business_id, key)
    if released:
        parts.signals.hand_over()
    return answer


async def _answer(
    connection: AsyncConnection, business_id: UUID, key: Key
) -> Entity[TemplateState]:
    held = await record.held_templates(connection, business_id, key=key)
    return Entity(
        entity=TemplateState(
            name=key[0],
            language=key[1],
            state="held" if held else "active",
            holds=[_hold(hold) for hold in held],
        )
    )


def _hold(hold: record.HeldTemplate) -> TemplateHold:
    return TemplateHold(
        waba_id=hold.waba_id, code=hold.code, message=hold.message, since=hold.since, by=hold.by
    )
