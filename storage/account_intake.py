"""Taking in what WhatsApp reports of accounts and templates (reference: webhooks, other fields)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.account_events import TemplateCategory, TemplateStatus, Trouble
from storage.channels import hold_by_whatsapp
from storage.senders import Sender
from storage.template_holds import hold_by_whatsapp as hold_template
from storage.template_holds import release_by_whatsapp as release_template
from storage.templates import take_category, take_status


async def take_template_statuses(
    connection: AsyncConnection, senders: Sequence[Sender], statuses: Sequence[TemplateStatus]
) -> None:
    """Hold or release templates of the account of these channels, for each business that has it."""
    businesses = {sender.business_id: sender.channel_id for sender in senders}
    account = senders[0].waba_id if senders else ""
    for status in statuses:
        key = (status.name, status.language)
        for business_id, channel_id in businesses.items():
            await take_status(connection, business_id, account, status)
            if status.calls_for == "hold":
                await hold_template(
                    connection,
                    channel_id,
                    key,
                    code=status.code,
                    message=status.message,
                    at=status.at,
                )
            elif status.calls_for == "release":
                await release_template(connection, channel_id, key, status.at)


async def take_template_categories(
    connection: AsyncConnection, senders: Sequence[Sender], changes: Sequence[TemplateCategory]
) -> None:
    """Keep the new categories of templates of the account of these channels."""
    accounts = {(sender.business_id, sender.waba_id) for sender in senders}
    for change in changes:
        for business_id, account in sorted(accounts, key=str):
            await take_category(connection, business_id, account, change)


async def take_troubles(
    connection: AsyncConnection, channel_ids: Sequence[UUID], troubles: Sequence[Trouble]
) -> None:
    """Hold the channels for errors that are about a number or account; others call for nothing."""
    for trouble in troubles:
        if trouble.holds_channel:
            await hold_by_whatsapp(
                connection,
                channel_ids,
                code=trouble.code,
                message=trouble.message,
                at=trouble.at,
            )
