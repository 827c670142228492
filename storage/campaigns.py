"""Campaigns: their names, drafts and frozen versions (api.md section 3)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, Select, Text, case, cast, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import campaign_names, campaign_versions, campaigns, flows, sendouts


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as recorded. `state` is draft, published, unpublished or archived."""

    campaign_id: UUID
    name: str
    state: str
    newest_version: str | None
    draft: dict[str, Any] | None
    draft_revision: int
    tested_flow_hash: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """A frozen flow. `kind` is published, alias (made by `create_new`), test or import."""

    campaign_version: str
    kind: str
    flow_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class VersionSendout:
    """A sendout, as far as the list of versions tells of it."""

    sendout_id: UUID
    campaign_version: str
    label: str | None
    source: str
    state: str
    current: bool
    created_at: datetime


def _campaigns() -> Select[Any]:
    c = campaigns.c
    return select(
        c.campaign_id,
        c.name,
        c.state,
        c.newest_version,
        cast(c.draft, Text).label("draft"),
        c.draft_revision,
        c.tested_flow_hash,
        c.created_at,
        c.updated_at,
    )


def _campaign(row: Row[Any]) -> Campaign:
    fields = row._asdict()
    draft = None if row.draft is None else json.loads(row.draft)
    return Campaign(**(fields | {"draft": draft}))


async def list_campaigns(
    connection: AsyncConnection,
    business_id: UUID,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
) -> list[Campaign]:
    """At most `limit` campaigns, newest first; `after` is creation and id of the last one seen."""
    query = (
        _campaigns()
        .where(campaigns.c.business_id == business_id, campaigns.c.kind == "campaign")
        .order_by(campaigns.c.created_at.desc(), campaigns.c.campaign_id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(campaigns.c.created_at, campaigns.c.campaign_id) < after)
    return [_campaign(row) for row in await connection.execute(query)]


async def find_campaign(
    connection: AsyncConnection, business_id: UUID, campaign_id: UUID, *, lock: bool = False
) -> Campaign | None:
    """The campaign, or None if the business has none of that id.

    With `lock` nobody else changes it until the transaction ends.
    """
    query = _campaigns().where(
        campaigns.c.business_id == business_id,
        campaigns.c.campaign_id == campaign_id,
        campaigns.c.kind == "campaign",
    )
    row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else _campaign(row)


async def create_campaign(
    connection: AsyncConnection, business_id: UUID, name: str, draft: Mapping[str, Any] | None
) -> UUID | None:
    """Make a campaign of that name (NFC); None, and nothing made, if the name is taken."""
    campaign_id = uuid4()
    values: dict[str, Any] = {
        "campaign_id": campaign_id,
        "business_id": business_id,
        "name": name,
    }
    if draft is not None:
        values |= {"draft": draft, "draft_revision": 1}
    async with connection.begin_nested() as savepoint:
        await connection.execute(insert(campaigns).values(values))
        # A name that is taken must not leave the row above behind.
        if not await _reserve_name(connection, business_id, campaign_id, name, published=False):
            await savepoint.rollback()
            return None
    return campaign_id


async def rename_campaign(
    connection: AsyncConnection, business_id: UUID, campaign: Campaign, name: str
) -> bool:
    """Give the (locked) campaign another name (NFC); False if the name is another campaign's.

    A name it was published under goes on leading to it (api.md section 3).
    """
    # Whatever its state now: archived or stopped, it may be published under this name again.
    published = campaign.newest_version is not None
    if not await _reserve_name(
        connection, business_id, campaign.campaign_id, name, published=published
    ):
        return False
    await connection.execute(
        delete(campaign_names).where(
            campaign_names.c.business_id == business_id,
            campaign_names.c.campaign_id == campaign.campaign_id,
            campaign_names.c.name != name,
            ~campaign_names.c.was_published,
        )
    )
    await connection.execute(
        update(campaigns)
        .where(campaigns.c.campaign_id == campaign.campaign_id)
        .values(name=name, updated_at=func.now())
    )
    return True


async def _reserve_name(
    connection: AsyncConnection, business_id: UUID, campaign_id: UUID, name: str, *, published: bool
) -> bool:
    reserved = insert(campaign_names).values(
        business_id=business_id, name=name, campaign_id=campaign_id, was_published=published
    )
    mine = reserved.on_conflict_do_update(
        index_elements=["business_id", "name"],
        set_={
            "was_published": or_(campaign_names.c.was_published, reserved.excluded.was_published)
        },
        where=campaign_names.c.campaign_id == campaign_id,
    )
    return await connection.scalar(mine.returning(campaign_names.c.name)) is not None


async def save_draft(
    connection: AsyncConnection, campaign_id: UUID, draft: Mapping[str, Any]
) -> None:
    """Save a draft of the (locked) campaign under the next revision."""
    c = campaigns.c
    await connection.execute(
        update(campaigns)
        .where(c.campaign_id == campaign_id)
        .values(draft=draft, draft_revision=c.draft_revision + 1, updated_at=func.now())
    )


async def archive_campaign(connection: AsyncConnection, campaign_id: UUID) -> None:
    """Archive it, remembering the state it had; archiving again changes nothing."""
    c = campaigns.c
    await connection.execute(
        update(campaigns)
        .where(c.campaign_id == campaign_id, c.state != "archived")
        .values(state="archived", archived_from=c.state, updated_at=func.now())
    )


async def restore_campaign(connection: AsyncConnection, campaign_id: UUID) -> None:
    """Give an archived campaign its former state back; any other is left as it is."""
    c = campaigns.c
    await connection.execute(
        update(campaigns)
        .where(c.campaign_id == campaign_id, c.state == "archived")
        .values(state=c.archived_from, archived_from=None, updated_at=func.now())
    )


async def unpublish_campaign(connection: AsyncConnection, campaign_id: UUID) -> None:
    """Stop sends until it is published again; an archived one comes back unpublished."""
    c = campaigns.c
    archived = c.state == "archived"
    await connection.execute(
        update(campaigns)
        .where(c.campaign_id == campaign_id, or_(c.state == "published", archived))
        .values(
            state=case((archived, c.state), else_="unpublished"),
            archived_from=case((archived, "unpublished"), else_=None),
            updated_at=func.now(),
        )
    )


async def publish_campaign(
    connection: AsyncConnection, business_id: UUID, campaign: Campaign, version: str, flow_hash: str
) -> bool:
    """Freeze a stored flow as the newest version; False if the label is taken."""
    if not await add_version(
        connection, campaign.campaign_id, version, flow_hash, kind="published"
    ):
        return False
    await connection.execute(
        update(campaigns)
        .where(campaigns.c.campaign_id == campaign.campaign_id)
        .values(state="published", newest_version=version, updated_at=func.now())
    )
    await connection.execute(
        update(campaign_names)
        .where(campaign_names.c.business_id == business_id, campaign_names.c.name == campaign.name)
        .values(was_published=True)
    )
    return True


async def add_version(
    connection: AsyncConnection, campaign_id: UUID, version: str, flow_hash: str, *, kind: str
) -> bool:
    """Record a version of a stored flow; False if the campaign has one of that name."""
    added = await connection.scalar(
        insert(campaign_versions)
        .values(campaign_id=campaign_id, campaign_version=version, flow_hash=flow_hash, kind=kind)
        .on_conflict_do_nothing()
        .returning(campaign_versions.c.campaign_version)
    )
    return added is not None


async def list_versions(
    connection: AsyncConnection,
    campaign_id: UUID,
    *,
    limit: int,
    after: tuple[datetime, str] | None = None,
) -> list[Version]:
    """At most `limit` versions, newest first, without those of tests."""
    c = campaign_versions.c
    query = (
        select(c.campaign_version, c.kind, c.flow_hash, c.created_at)
        .where(c.campaign_id == campaign_id, c.kind != "test")
        .order_by(c.created_at.desc(), c.campaign_version.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(c.created_at, c.campaign_version) < after)
    return [Version(**row._asdict()) for row in await connection.execute(query)]


async def sendouts_of_versions(
    connection: AsyncConnection, campaign_id: UUID, versions: Sequence[str]
) -> list[VersionSendout]:
    """The sendouts of the named versions, newest first."""
    c = sendouts.c
    query = (
        select(
            c.sendout_id,
            c.campaign_version,
            c.label,
            c.source,
            c.state,
            c.is_current.label("current"),
            c.created_at,
        )
        .where(c.campaign_id == campaign_id, c.campaign_version.in_(versions))
        .order_by(c.created_at.desc(), c.sendout_id.desc())
    )
    return [VersionSendout(**row._asdict()) for row in await connection.execute(query)]


async def find_version(
    connection: AsyncConnection, campaign_id: UUID, version: str
) -> tuple[Version, dict[str, Any]] | None:
    """The version and its frozen flow, or None if the campaign has no such version."""
    c = campaign_versions.c
    query = (
        select(c.campaign_version, c.kind, c.flow_hash, c.created_at, flows.c.document)
        .join(flows, flows.c.flow_hash == c.flow_hash)
        .where(c.campaign_id == campaign_id, c.campaign_version == version)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    fields = row._asdict()
    return Version(**{n: v for n, v in fields.items() if n != "document"}), json.loads(row.document)
