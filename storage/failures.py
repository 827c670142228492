"""What WhatsApp's error codes mean beyond the message they came with (flow.md 2.8, 2.10).

After an answer the send itself decides about holds (`domain.sending`); here it is what a `failed`
status, or an event without a message, calls for. A failed message is never sent again by itself.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain import error_codes
from domain.delivery import Remedy
from domain.sending import held_by_code
from domain.templates import read_label
from storage import template_holds
from storage.channels import hold_by_whatsapp
from storage.opt_outs import opt_out_of_entry

# The later of two ends counts, in whichever order they are told.
_SUPPRESS = text("""
    INSERT INTO suppressions AS s (business_id, client, until)
    SELECT business_id, client,
        least(now(), coalesce(CAST(:at AS timestamptz), now())) + interval '24 hours'
    FROM entries WHERE entry_id = :entry_id
    ON CONFLICT (business_id, client) DO UPDATE SET until = greatest(s.until, excluded.until)
""")


async def about_customer(
    connection: AsyncConnection, entry_id: UUID, code: int, at: datetime | None = None
) -> None:
    """What a code says of the entry's customer; `at` is WhatsApp's time of a status, else it is now."""
    if code == error_codes.OPTED_OUT:
        await opt_out_of_entry(connection, entry_id, "whatsapp")
    elif code == error_codes.WITHHELD:
        await connection.execute(_SUPPRESS, {"entry_id": entry_id, "at": at})


async def about_sender(
    connection: AsyncConnection,
    channel_id: UUID,
    template: str | None,
    *,
    code: int,
    message: str | None,
    at: datetime,
) -> None:
    """What the code of a failed message says of its channel, or of its template (by label)."""
    remedy = error_codes.lookup(code).remedy
    if remedy is Remedy.HOLD_CHANNEL:
        await hold_by_whatsapp(connection, [channel_id], code=code, message=message, at=at)
    elif remedy is Remedy.HOLD_TEMPLATE and template is not None:
        key = held_by_code(code, read_label(template))
        await template_holds.hold_by_whatsapp(
            connection, channel_id, key, code=code, message=message, at=at
        )
