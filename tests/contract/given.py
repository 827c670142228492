"""What is given in a contract case: put into the record before its call, or in between.

`businesses` (`{businessId, key}`; the caller's own is always there), `keys` (`{key, name, scopes,
revoked}`), `channels` (one default channel unless told), `heldTemplates` of its account, `campaigns`
with `versions` (label → flow) and a `draft`, `sendouts` with `entries`, their `messages` (with `clicks`) and `decisions`,
`reportRuns`, `webhooks` with their undelivered `events`, `optOuts`, `inbound` (now, unless it says when), `templates` as the Graph API lists them, as read a
moment ago; besides `settings` of the API and whether `temporal` is `up`, `away` (if not
told) or `without workers`. Fields are the record's own in camelCase.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.deps import SCOPES
from api.json_body import snake_case
from storage.customer_tables import opt_outs
from storage.inbound_tables import inbound
from storage.keys import add_key, revoke_key
from storage.report_tables import report_runs
from storage.tables import (
    campaign_names,
    campaign_versions,
    campaigns,
    channels,
    claims,
    decisions,
    entries,
    sendouts,
)
from storage.template_tables import template_holds, template_reads, templates
from storage.webhook_tables import webhook_events, webhooks
from tests.api.sent import add_click, add_entry, add_message, add_sendout, claim
from tests.record import BUSINESS, WABA, add_business, add_campaign, add_channel, greeting, publish

_IDS = frozenset({"campaignId", "sendoutId", "entryId", "duplicateOf", "businessId", "runId"})


async def make_given(connection: AsyncConnection, given: Mapping[str, Any]) -> None:
    """Put what a case says into the record."""
    for business in given.get("businesses", []):
        await add_business(
            connection, UUID(business["businessId"]), key=business["key"], sender=None
        )
    for key in given.get("keys", []):
        await _add_key(connection, key)
    for channel in given.get("channels", []):
        await _add_channel(connection, channel)
    await _add_templates(connection, given)
    for campaign in given.get("campaigns", []):
        await _add_campaign(connection, campaign)
    for sendout in given.get("sendouts", []):
        await _add_sendout(connection, sendout)
    for webhook in given.get("webhooks", []):
        await _add_webhook(connection, webhook)
    await _add_report_runs(connection, given.get("reportRuns", []))
    for out in given.get("optOuts", []):
        await connection.execute(insert(opt_outs).values(business_id=BUSINESS, **_columns(out)))
    for event in given.get("inbound", []):
        channel_id = await connection.scalar(select(channels.c.channel_id))
        await connection.execute(insert(inbound).values(channel_id=channel_id, **_columns(event)))


async def _add_report_runs(connection: AsyncConnection, runs: list[Mapping[str, Any]]) -> None:
    for run in runs:
        day = {"day": date.fromisoformat(run["day"])}
        values = {"business_id": BUSINESS} | _columns(run, "day") | day
        await connection.execute(insert(report_runs).values(values))


def _columns(described: Mapping[str, Any], *without: str) -> dict[str, Any]:
    """The columns of a row, of its fields in camelCase."""
    return {
        snake_case(name): _value(name, value)
        for name, value in described.items()
        if name not in without
    }


def _value(name: str, value: Any) -> Any:
    if name in _IDS:
        return UUID(value)
    return datetime.fromisoformat(value) if name.endswith(("At", "Since")) else value


async def _add_templates(connection: AsyncConnection, given: Mapping[str, Any]) -> None:
    for hold in given.get("heldTemplates", []):
        await _add_template_hold(connection, hold)
    if "templates" in given:
        await _keep_templates(connection, given["templates"])


async def _keep_templates(connection: AsyncConnection, listed: list[dict[str, Any]]) -> None:
    account = {"business_id": BUSINESS, "waba_id": WABA}
    await connection.execute(insert(template_reads).values(**account, read_at=func.now()))
    for definition in listed:
        await connection.execute(
            insert(templates).values(
                **account,
                **{name: definition[name] for name in ("name", "language", "status", "category")},
                definition=definition,
            )
        )


async def _add_key(connection: AsyncConnection, key: Mapping[str, Any]) -> None:
    key_id, _ = await add_key(
        connection,
        BUSINESS,
        name=key.get("name", "another"),
        scopes=frozenset(key.get("scopes", SCOPES)),
        secret=key["key"],
    )
    if key.get("revoked", False):
        await revoke_key(connection, key_id)


async def _add_channel(connection: AsyncConnection, channel: Mapping[str, Any]) -> None:
    channel_id = await add_channel(
        connection, BUSINESS, channel["phoneNumber"], is_default=channel.get("default", False)
    )
    hold = _columns(channel, "phoneNumber", "default")
    if hold:
        await connection.execute(
            update(channels).where(channels.c.channel_id == channel_id).values(hold)
        )


async def _add_template_hold(connection: AsyncConnection, hold: Mapping[str, Any]) -> None:
    columns = {"business_id": BUSINESS, "waba_id": WABA, **_columns(hold)}
    await connection.execute(
        insert(template_holds).values({"changed_at": columns["held_since"]} | columns)
    )


async def _add_campaign(connection: AsyncConnection, campaign: Mapping[str, Any]) -> None:
    state = campaign.get("state", "published")
    versions = campaign.get("versions", {} if state == "draft" else {"v1": {}})
    business_id = UUID(campaign.get("businessId", str(BUSINESS)))
    campaign_id = await add_campaign(
        connection,
        campaign["name"],
        business_id=business_id,
        campaign_id=UUID(campaign["campaignId"]) if "campaignId" in campaign else None,
        state=state,
        versions={label: _flow(described) for label, described in versions.items()},
    )
    for name in campaign.get("formerNames", []):
        await connection.execute(
            insert(campaign_names).values(
                business_id=business_id, name=name, campaign_id=campaign_id, was_published=True
            )
        )
    changes = _columns({n: campaign[n] for n in ("createdAt", "updatedAt") if n in campaign})
    if "draft" in campaign:
        changes |= {"draft": _flow(campaign["draft"]), "draft_revision": 1}
    if changes:
        await connection.execute(
            update(campaigns).where(campaigns.c.campaign_id == campaign_id).values(changes)
        )


def _flow(described: Mapping[str, Any]) -> dict[str, Any]:
    """A whole flow, or one described by its `variables` and the `body` parameter it sends."""
    if "nodes" in described:
        return dict(described)
    return greeting(described.get("variables"), described.get("body", "Hello"))


async def _add_sendout(connection: AsyncConnection, sendout: Mapping[str, Any]) -> None:
    campaign_id = await _campaign_of(connection, sendout["campaign"])
    flow_hash = await connection.scalar(
        select(campaign_versions.c.flow_hash).where(
            campaign_versions.c.campaign_id == campaign_id,
            campaign_versions.c.campaign_version == sendout.get("campaignVersion", "v1"),
        )
    )
    columns = _columns(sendout, "campaign", "entries")
    sendout_id = await add_sendout(
        connection, campaign_id=campaign_id, flow_hash=flow_hash, **columns
    )
    for entry in sendout.get("entries", []):
        await _add_entry(connection, sendout_id, entry)


async def _add_entry(
    connection: AsyncConnection, sendout_id: UUID, entry: Mapping[str, Any]
) -> None:
    columns = _columns(entry, "messages", "decisions", "claimed")
    entry_id = await add_entry(connection, sendout_id, **columns)
    if entry.get("claimed", False):
        await claim(connection, entry_id)
    for message in entry.get("messages", []):
        message_id = await add_message(connection, entry_id, **_columns(message, "clicks"))
        for click in message.get("clicks", []):
            await add_click(connection, message_id, **_columns(click))
    for decision in entry.get("decisions", []):
        await connection.execute(insert(decisions).values(entry_id=entry_id, **_columns(decision)))


async def _add_webhook(connection: AsyncConnection, webhook: Mapping[str, Any]) -> None:
    columns = {
        "webhook_id": UUID(webhook["webhookId"]),
        "business_id": UUID(webhook.get("businessId", str(BUSINESS))),
        "type": "custom",
        "secret": "a secret",
        "filters": [],
    }
    await connection.execute(
        insert(webhooks).values(columns | _columns(webhook, "events", "webhookId", "businessId"))
    )
    for event in webhook.get("events", []):
        row = {"webhook_id": columns["webhook_id"], **_columns(event)}
        await connection.execute(insert(webhook_events).values(row))


async def _campaign_of(connection: AsyncConnection, name: str) -> UUID:
    campaign_id: UUID | None = await connection.scalar(
        select(campaign_names.c.campaign_id).where(campaign_names.c.name == name)
    )
    assert campaign_id is not None, f"no campaign {name} is given"
    return campaign_id


async def take_step(connection: AsyncConnection, step: Mapping[str, Any]) -> None:
    """One step of `earlier` that is no call, as `{"what": "campaign's name"}`."""
    (what, of), *_ = step.items()
    name = of["campaign"] if isinstance(of, dict) else of
    campaign_id = await _campaign_of(connection, name)
    match what:
        case "publish":
            await publish(connection, campaign_id, of["version"], _flow(of.get("flow", {})))
        case "archive" | "unpublish":
            state = {"archive": "archived", "unpublish": "unpublished"}[what]
            await connection.execute(
                update(campaigns).where(campaigns.c.campaign_id == campaign_id).values(state=state)
            )
        case "pause":
            await connection.execute(
                update(sendouts).where(sendouts.c.campaign_id == campaign_id).values(state="paused")
            )
        case "cancel":
            await connection.execute(
                update(sendouts)
                .where(sendouts.c.campaign_id == campaign_id)
                .values(state="cancelled", is_current=False)
            )
        case "everyMessageFailed":
            # As the end of such an entry does it: the claim goes in the same transaction.
            await connection.execute(claims.delete().where(claims.c.campaign_id == campaign_id))
        case _:
            raise AssertionError(f"no such step: {what}")


async def stored_rows(connection: AsyncConnection) -> list[dict[str, Any]]:
    """The entries in their order, as `stored` of a case describes them."""
    rows = await connection.execute(
        select(
            entries.c.client,
            entries.c.state,
            cast(entries.c.variables, Text).label("variables"),
        ).order_by(entries.c.position)
    )
    return [dict(row._mapping) for row in rows]
