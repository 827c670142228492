"""Campaigns under the Flow Builder: names and drafts (api.md section 3)."""

import unicodedata
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import body_as, documented, read_body
from api.deps import AppDatabase, AppParts, AppSettings, CanOperate, CanRead
from api.flow_documents import draft_issues, read_document
from api.repeatable import repeatable
from api.schemas.campaigns import Campaign, Draft, NewCampaign, NewDraft, NewName
from api.schemas.common import Cursor, Entity, Limit, Page, read_time_cursor, write_time_cursor
from api.schemas.texts import LONGEST_NAME, is_one_line
from domain.documented_codes import ErrorCode
from domain.errors import BadRequest, Conflict, NotFound
from storage import campaigns as record
from storage.session import Database

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["campaigns"])

CampaignId: TypeAlias = Annotated[UUID, Path(alias="campaignId")]


@router.get("/campaigns")
async def list_campaigns(
    caller: CanRead, database: AppDatabase, limit: Limit = 50, cursor: Cursor = None
) -> Page[Campaign]:
    """The campaigns, newest first, archived ones included."""
    after = None if cursor is None else read_time_cursor(cursor, UUID)
    async with database.transaction() as connection:
        listed = await record.list_campaigns(
            connection, caller.business_id, limit=limit + 1, after=after
        )
    page = listed[:limit]
    last = page[-1] if len(listed) > limit else None
    return Page(
        data=[await shown(campaign) for campaign in page],
        next_cursor=last and write_time_cursor(last.created_at, last.campaign_id),
    )


@router.post(
    "/campaigns",
    status_code=201,
    response_model=Entity[Campaign],
    openapi_extra=documented(NewCampaign, creates=True),
)
async def create_campaign(
    request: Request,
    caller: CanOperate,
    parts: AppParts,
) -> Response:
    """A new campaign, with a first draft if a flow is given."""
    call = await repeatable(request, caller, parts.settings.max_body_bytes)
    asked = body_as(NewCampaign, call.body)
    name = usable_name(asked.name)
    if asked.flow is not None:
        read_document(asked.flow)
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        created = await record.create_campaign(connection, caller.business_id, name, asked.flow)
        if created is None:
            raise name_taken(name)
        campaign = await found(connection, caller.business_id, created)
        return await call.answer(connection, Entity(entity=await shown(campaign)), 201)


@router.get("/campaigns/{campaignId}")
async def read_campaign(
    caller: CanRead, database: AppDatabase, campaign_id: CampaignId
) -> Entity[Campaign]:
    """The campaign with its draft."""
    return await _answer(database, caller.business_id, campaign_id)


@router.patch("/campaigns/{campaignId}", openapi_extra=documented(NewName))
async def rename_campaign(
    request: Request,
    caller: CanOperate,
    database: AppDatabase,
    settings: AppSettings,
    campaign_id: CampaignId,
) -> Entity[Campaign]:
    """Another name; those it was published under go on leading to it."""
    asked = await read_body(request, NewName, settings.max_body_bytes)
    name = usable_name(asked.name)
    async with database.transaction() as connection:
        campaign = await found(connection, caller.business_id, campaign_id, lock=True)
        if not await record.rename_campaign(connection, caller.business_id, campaign, name):
            raise name_taken(name)
    return await _answer(database, caller.business_id, campaign_id)


@router.delete("/campaigns/{campaignId}")
async def archive_campaign(
    caller: CanOperate, database: AppDatabase, campaign_id: CampaignId
) -> Entity[Campaign]:
    """Archive it: sends are refused until it is restored, runs in flight go on."""
    async with database.transaction() as connection:
        await found(connection, caller.business_id, campaign_id)
        await record.archive_campaign(connection, campaign_id)
    return await _answer(database, caller.business_id, campaign_id)


@router.post("/campaigns/{campaignId}/restore")
async def restore_campaign(
    caller: CanOperate, database: AppDatabase, campaign_id: CampaignId
) -> Entity[Campaign]:
    """Take it out of the archive, in the state it went in."""
    async with database.transaction() as connection:
        await found(connection, caller.business_id, campaign_id)
        await record.restore_campaign(connection, campaign_id)
    return await _answer(database, caller.business_id, campaign_id)


@router.put("/campaigns/{campaignId}/draft", openapi_extra=documented(NewDraft))
async def save_draft(
    request: Request,
    caller: CanOperate,
    database: AppDatabase,
    settings: AppSettings,
    campaign_id: CampaignId,
) -> Entity[Draft]:
    """Save a flow of the right shape; what keeps it from being published is in `issues`."""
    asked = await read_body(request, NewDraft, settings.max_body_bytes)
    read_document(asked.flow)
    async with database.transaction() as connection:
        campaign = await found(connection, caller.business_id, campaign_id, lock=True)
        stored = campaign.draft_revision
        if asked.revision not in {None, stored}:
            raise Conflict(
                f"The stored draft has revision {stored}, not {asked.revision}: somebody saved it "
                "in the meantime. Read it again before saving.",
                details={"revision": stored},
            )
        await record.save_draft(connection, campaign_id, asked.flow)
    return Entity(entity=(await _answer(database, caller.business_id, campaign_id)).entity.draft)


async def found(
    connection: AsyncConnection, business_id: UUID, campaign_id: UUID, *, lock: bool = False
) -> record.Campaign:
    """The campaign, locked if asked. Raises `NotFound` (CAMPAIGN_NOT_FOUND)."""
    campaign = await record.find_campaign(connection, business_id, campaign_id, lock=lock)
    if campaign is None:
        raise NotFound(
            f"There is no campaign {campaign_id}; GET …/campaigns lists those there are.",
            code=ErrorCode.CAMPAIGN_NOT_FOUND,
            title="Campaign not found",
        )
    return campaign


async def shown(campaign: record.Campaign) -> Campaign:
    """The campaign as the API answers it."""
    draft = Draft(
        flow=campaign.draft, revision=campaign.draft_revision, issues=await draft_issues(campaign)
    )
    return Campaign(
        campaign_id=campaign.campaign_id,
        campaign_name=campaign.name,
        state=campaign.state,
        campaign_version=campaign.newest_version,
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
        draft=draft,
    )


async def _answer(database: Database, business_id: UUID, campaign_id: UUID) -> Entity[Campaign]:
    async with database.transaction() as connection:
        campaign = await found(connection, business_id, campaign_id)
    return Entity(entity=await shown(campaign))


def usable_name(text: str) -> str:
    """A campaign's name in NFC, as names compare. Raises `BadRequest` for an unusable one."""
    name = unicodedata.normalize("NFC", text)
    if name.strip() and len(name) <= LONGEST_NAME and is_one_line(name):
        return name
    raise BadRequest(
        f"`name` must have 1 to {LONGEST_NAME} characters, not all blank, and no control "
        "characters.",
        code=ErrorCode.INVALID_CAMPAIGN_CONFIG_NAME,
        title="Campaign name is invalid",
    )


def name_taken(name: str) -> Conflict:
    """The refusal of a name that leads to another campaign."""
    return Conflict(
        f"The name {name!r} belongs to another campaign, or to one that was published under it.",
        code=ErrorCode.CAMPAIGN_CONFIG_NAME_CONFLICT,
        title="Campaign name is taken",
        advice="Please choose another name.",
    )
