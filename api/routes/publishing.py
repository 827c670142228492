"""Publishing campaigns, their versions, and trying a draft on one number (api.md section 3)."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from api.bodies import body_as, documented, read_body
from api.deps import AppDatabase, AppParts, CanOperate, CanRead
from api.flow_documents import sendable_flow
from api.repeatable import repeatable
from api.routes.campaigns import CampaignId, found, shown
from api.schemas.campaigns import (
    Campaign,
    FrozenFlow,
    Published,
    PublishOrder,
    SendoutOfVersion,
    UnpublishOrder,
    Version,
)
from api.schemas.common import Cursor, Entity, Limit, Page, read_time_cursor, write_time_cursor
from api.schemas.texts import is_one_line
from domain.documented_codes import ErrorCode
from domain.errors import Conflict, NotFound
from domain.ids import ulid_as_uuid
from storage import campaigns as record
from storage.cancelling import cancel_campaign
from storage.flows import store_flow

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["campaigns"])


@router.post(
    "/campaigns/{campaignId}/publish",
    operation_id="publishCampaign",
    response_model=Published,
    openapi_extra=documented(PublishOrder, creates=True),
)
async def publish(
    request: Request,
    caller: CanOperate,
    parts: AppParts,
    campaign_id: CampaignId,
) -> Response:
    """Freeze the draft as the newest version, from now on what sends without a version get."""
    call = await repeatable(request, caller, parts.settings.max_body_bytes)
    version = body_as(PublishOrder, call.body).campaign_version or ulid_as_uuid(ULID())
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        read = await found(connection, caller.business_id, campaign_id)
    refuse_archived(read)
    _, warnings = await sendable_flow(caller.business_id, read, parts.templates)
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        campaign = await unchanged(connection, caller.business_id, read)
        await _freeze(connection, caller.business_id, campaign, version)
        published = Published(
            campaign_id=campaign_id,
            campaign_name=campaign.name,
            campaign_version=version,
            issues=warnings,
        )
        return await call.answer(connection, published)


async def _freeze(
    connection: AsyncConnection, business_id: UUID, campaign: record.Campaign, version: str
) -> None:
    flow_hash = await store_flow(connection, campaign.draft or {})
    if not await record.publish_campaign(connection, business_id, campaign, version, flow_hash):
        raise Conflict(
            f"The campaign has a version {version!r} already, and versions never change: "
            "publish under another label.",
            code=ErrorCode.CAMPAIGN_VERSION_FINAL,
            title="Campaign version is final",
        )


def refuse_archived(campaign: record.Campaign) -> None:
    """Raise `Conflict` (CAMPAIGN_UNSUPPORTED) if the campaign is archived."""
    if campaign.state == "archived":
        raise Conflict(
            "Campaign is not supported",
            code=ErrorCode.CAMPAIGN_UNSUPPORTED,
            title="Campaign is not supported",
            advice="Please restore the campaign before publishing or sending.",
        )


async def unchanged(
    connection: AsyncConnection, business_id: UUID, read: record.Campaign
) -> record.Campaign:
    """The campaign, locked, with the draft that was checked. Raises `Conflict` for another."""
    campaign = await found(connection, business_id, read.campaign_id, lock=True)
    refuse_archived(campaign)
    if campaign.draft_revision != read.draft_revision:
        raise Conflict(
            "The draft was saved again while it was being checked; please repeat.",
            details={"revision": campaign.draft_revision},
        )
    return campaign


@router.post(
    "/campaigns/{campaignId}/unpublish",
    operation_id="unpublishCampaign",
    openapi_extra=documented(UnpublishOrder),
)
async def unpublish(
    request: Request, caller: CanOperate, parts: AppParts, campaign_id: CampaignId
) -> Entity[Campaign]:
    """Stop further sends until it is published again; `cancel` ends runs in flight as well."""
    order = await read_body(request, UnpublishOrder, parts.settings.max_body_bytes)
    cancelled: list[UUID] = []
    async with parts.database.transaction() as connection:
        campaign = await found(connection, caller.business_id, campaign_id, lock=True)
        if campaign.newest_version is None:
            raise Conflict(
                "The campaign was never published, so there is nothing to stop.",
                code=ErrorCode.CAMPAIGN_NOT_FINAL,
                title="Campaign is not final",
            )
        await record.unpublish_campaign(connection, campaign_id)
        if order.cancel:
            cancelled = await cancel_campaign(connection, campaign_id)
        campaign = await found(connection, caller.business_id, campaign_id)
    if cancelled:
        parts.signals.hand_over()
    if parts.closing is not None:
        for sendout_id in cancelled:
            parts.closing.close_sendout(sendout_id)
    return Entity(entity=await shown(campaign))


@router.get("/campaigns/{campaignId}/versions")
async def list_versions(
    caller: CanRead,
    database: AppDatabase,
    campaign_id: CampaignId,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Version]:
    """The versions, newest first, each with its sendouts; those of tests are left out."""
    after = None if cursor is None else read_time_cursor(cursor, str)
    async with database.transaction() as connection:
        campaign = await found(connection, caller.business_id, campaign_id)
        versions = await record.list_versions(connection, campaign_id, limit=limit + 1, after=after)
        page = versions[:limit]
        sent = await record.sendouts_of_versions(
            connection, campaign_id, [version.campaign_version for version in page]
        )
    by_version: dict[str, list[SendoutOfVersion]] = defaultdict(list)
    for sendout in sent:
        by_version[sendout.campaign_version].append(_sendout(sendout))
    last = page[-1] if len(versions) > limit else None
    return Page(
        data=[
            Version(
                campaign_version=version.campaign_version,
                kind=version.kind,
                newest=version.campaign_version == campaign.newest_version,
                created_at=version.created_at,
                sendouts=by_version[version.campaign_version],
            )
            for version in page
        ],
        next_cursor=last and write_time_cursor(last.created_at, last.campaign_version),
    )


def _sendout(sendout: record.VersionSendout) -> SendoutOfVersion:
    return SendoutOfVersion(
        sendout_id=sendout.sendout_id,
        label=sendout.label,
        source=sendout.source,
        state=sendout.state,
        current=sendout.current,
        created_at=sendout.created_at,
    )


@router.get("/campaigns/{campaignId}/versions/{campaignVersion:path}")
async def read_version(
    request: Request, caller: CanRead, database: AppDatabase, campaign_id: CampaignId
) -> Entity[FrozenFlow]:
    """The flow that was frozen under this version."""
    asked = str(request.path_params["campaignVersion"])
    async with database.transaction() as connection:
        await found(connection, caller.business_id, campaign_id)
        version = (
            await record.find_version(connection, campaign_id, asked)
            if is_one_line(asked)
            else None
        )
    if version is None:
        raise NotFound(
            f"The campaign has no version {asked!r}; GET …/versions lists those it has.",
            code=ErrorCode.CAMPAIGN_VERSION_NOT_FOUND,
            title="Campaign version not found",
        )
    return Entity(entity=_frozen(campaign_id, *version))


def _frozen(campaign_id: UUID, version: record.Version, flow: dict[str, Any]) -> FrozenFlow:
    return FrozenFlow(
        campaign_id=campaign_id,
        campaign_version=version.campaign_version,
        kind=version.kind,
        created_at=version.created_at,
        flow=flow,
    )
