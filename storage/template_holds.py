"""Held templates, by WhatsApp account, name and language (api.md section 4 `heldBy`, flow.md 2.10).

An account is a business's own: who names another's account among its channels holds nothing there.
WhatsApp's events come late, twice and in any order, so a template that is held no more keeps its row
with the time of that: events from before it change nothing. What is held by hand is released by hand
only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.templates import Key
from storage import holds
from storage.cancelling import OPEN_STATES
from storage.tables import channels, entries, sendouts
from storage.template_tables import template_holds


@dataclass(frozen=True, slots=True)
class HeldTemplate:
    """A held template of one account; `code` is WhatsApp's, `by` a key's name or `whatsapp`."""

    name: str
    language: str
    waba_id: str
    code: int | None
    message: str | None
    since: datetime
    by: str | None

    @property
    def key(self) -> Key:
        return self.name, self.language


def held_keys(business_id: str, waba_id: str) -> str:
    """SQL for the names and languages (text[][]) of what is held of an account.

    Both are SQL expressions, as in `held_keys("e.business_id", "c.waba_id")`.
    """
    return f"""ARRAY(
        SELECT ARRAY[th.name, th.language] FROM template_holds th
        WHERE th.business_id = {business_id} AND th.waba_id = {waba_id}
            AND th.held_since IS NOT NULL)"""


# --- by WhatsApp -------------------------------------------------------------------------------

# A hold keeps its first reason. WhatsApp's times are whole seconds.
_HOLD = text("""
    INSERT INTO template_holds AS th (business_id, waba_id, name, language, held_since, hold_code,
        hold_message, hold_by, changed_at)
    SELECT business_id, waba_id, :name, :language, t.at, :code, :message, 'whatsapp', t.at
    FROM channels, (SELECT least(now(), coalesce(CAST(:at AS timestamptz), now())) AS at) t
    WHERE channel_id = :channel
    ON CONFLICT (business_id, waba_id, name, language) DO UPDATE SET
        held_since = coalesce(th.held_since, excluded.held_since),
        hold_code = CASE WHEN th.held_since IS NULL THEN excluded.hold_code ELSE th.hold_code END,
        hold_message = CASE WHEN th.held_since IS NULL THEN excluded.hold_message
            ELSE th.hold_message END,
        hold_by = coalesce(th.hold_by, excluded.hold_by),
        changed_at = greatest(th.changed_at, excluded.changed_at)
    WHERE CASE WHEN CAST(:at AS timestamptz) IS NULL THEN th.held_since IS NULL
        ELSE excluded.changed_at >= date_trunc('second', th.changed_at) END
""")

_RELEASE = text("""
    INSERT INTO template_holds AS th (business_id, waba_id, name, language, changed_at)
    SELECT business_id, waba_id, :name, :language,
        least(now(), coalesce(CAST(:at AS timestamptz), now()))
    FROM channels WHERE channel_id = :channel
    ON CONFLICT (business_id, waba_id, name, language) DO UPDATE SET held_since = NULL,
        hold_code = NULL, hold_message = NULL, hold_by = NULL, changed_at = excluded.changed_at
    WHERE coalesce(th.hold_by, 'whatsapp') = 'whatsapp'
        AND excluded.changed_at >= date_trunc('second', th.changed_at)
    RETURNING business_id, waba_id
""")


async def hold_by_whatsapp(
    connection: AsyncConnection,
    channel_id: UUID,
    key: Key,
    *,
    code: int,
    message: str | None,
    at: datetime | None = None,
) -> None:
    """Hold a template of the channel's account; `at` is WhatsApp's time of an event, else it is now."""
    name, language = key
    hold = {"name": name, "language": language, "code": code, "message": message, "at": at}
    await connection.execute(_HOLD, {"channel": channel_id, **hold})


async def release_by_whatsapp(
    connection: AsyncConnection, channel_id: UUID, key: Key, at: datetime | None
) -> None:
    """End a hold that WhatsApp began, and write down which runs to release."""
    name, language = key
    named = {"channel": channel_id, "name": name, "language": language, "at": at}
    for account in (await connection.execute(_RELEASE, named)).all():
        await holds.release_template(connection, account.business_id, account.waba_id, key)


# --- by hand -----------------------------------------------------------------------------------

_HOLD_BY_HAND = text("""
    INSERT INTO template_holds AS th (business_id, waba_id, name, language, held_since,
        hold_message, hold_by, changed_at)
    SELECT DISTINCT business_id, waba_id, :name, :language, now(), :message, :by, now()
    FROM channels WHERE business_id = :business
    ORDER BY waba_id
    ON CONFLICT (business_id, waba_id, name, language) DO UPDATE SET
        held_since = coalesce(th.held_since, excluded.held_since),
        hold_message = coalesce(excluded.hold_message, th.hold_message),
        hold_by = excluded.hold_by,
        changed_at = excluded.changed_at
    WHERE th.held_since IS NULL OR th.hold_by = 'whatsapp'
""")

_RELEASE_BY_HAND = text("""
    UPDATE template_holds SET held_since = NULL, hold_code = NULL, hold_message = NULL,
        hold_by = NULL, changed_at = now()
    WHERE business_id = :business AND name = :name AND language = :language
        AND held_since IS NOT NULL
    RETURNING waba_id
""")


async def hold_by_hand(
    connection: AsyncConnection, business_id: UUID, key: Key, *, by: str, message: str | None
) -> None:
    """Hold a template in every account of the business.

    Of one that WhatsApp holds already the reason stays, but only a person can release it now.
    """
    name, language = key
    hold = {"name": name, "language": language, "by": by, "message": message}
    await connection.execute(_HOLD_BY_HAND, {"business": business_id, **hold})


async def release_by_hand(connection: AsyncConnection, business_id: UUID, key: Key) -> bool:
    """End a template's holds, whoever began them; False if there was none."""
    name, language = key
    named = {"business": business_id, "name": name, "language": language}
    accounts = (await connection.scalars(_RELEASE_BY_HAND, named)).all()
    for waba_id in accounts:
        await holds.release_template(connection, business_id, waba_id, key)
    return bool(accounts)


# --- reading -----------------------------------------------------------------------------------

_HELD = (
    template_holds.c.name,
    template_holds.c.language,
    template_holds.c.waba_id,
    template_holds.c.hold_code.label("code"),
    template_holds.c.hold_message.label("message"),
    template_holds.c.held_since.label("since"),
    template_holds.c.hold_by.label("by"),
)


async def held_templates(
    connection: AsyncConnection,
    business_id: UUID,
    *,
    key: Key | None = None,
    limit: int | None = None,
    after: tuple[str, str, str] | None = None,
) -> list[HeldTemplate]:
    """What is held of a business, or of one template of it, by name, language and account.

    At most `limit`; `after` is name, language and account of the last one seen.
    """
    c = template_holds.c
    query = select(*_HELD).where(c.business_id == business_id, c.held_since.is_not(None))
    places = (c.name, c.language, c.waba_id)
    query = query.order_by(*places).limit(limit)
    if key is not None:
        query = query.where(c.name == key[0], c.language == key[1])
    if after is not None:
        query = query.where(tuple_(*places) > after)
    return [HeldTemplate(**row._asdict()) for row in await connection.execute(query)]


async def holds_of_sendouts(
    connection: AsyncConnection, sendout_ids: Sequence[UUID]
) -> list[tuple[UUID, HeldTemplate]]:
    """What is held in the accounts that open entries of these sendouts are sent from."""
    waiting = exists(
        select(literal(1)).where(
            entries.c.sendout_id == sendouts.c.sendout_id,
            entries.c.channel_id == channels.c.channel_id,
            entries.c.state.in_(OPEN_STATES),
        )
    )
    in_account = (template_holds.c.business_id == channels.c.business_id) & (
        template_holds.c.waba_id == channels.c.waba_id
    )
    query = (
        select(sendouts.c.sendout_id, *_HELD)
        .distinct()
        .join(channels, channels.c.business_id == sendouts.c.business_id)
        .join(template_holds, in_account)
        .where(
            sendouts.c.sendout_id.in_(sendout_ids),
            template_holds.c.held_since.is_not(None),
            waiting,
        )
        .order_by(template_holds.c.held_since, template_holds.c.name, template_holds.c.language)
    )
    found = []
    for row in await connection.execute(query):
        fields = row._asdict()
        found.append((fields.pop("sendout_id"), HeldTemplate(**fields)))
    return found
