"""The record's copy of WhatsApp's templates: read from the Graph API, kept up to date by its events.

An account is a business's own: who names another's account among its channels reads nothing of it.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.account_events import TemplateCategory, TemplateStatus
from domain.flow import Flow, MessageNode
from domain.json_text import is_storable
from domain.message_types import TemplateMessage
from domain.templates import Key, Registered
from storage.session import Database

_NEVER = "timestamptz 'epoch'"


@dataclass(frozen=True, slots=True)
class KnownTemplate:
    """One language of a template, with its account and when it was first and last changed."""

    waba_id: str
    definition: dict[str, Any]
    """As Graph lists it, with the status and category last told."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Languages:
    """What is known of one name in the account of a channel."""

    age: float | None
    """Seconds since the account's templates were asked for; None when they never were."""
    templates: Sequence[dict[str, Any]]
    """All languages of the name, as Graph lists them."""


def _definition(row: Row[Any]) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(row.definition)
    return definition | {"status": row.status, "category": row.category}


# --- reading -------------------------------------------------------------------------------------

_LANGUAGES = """
SELECT extract(epoch FROM now() - r.read_at)::float8 AS age,
       t.definition::text AS definition, t.status, t.category
FROM channels c
LEFT JOIN template_reads r ON r.business_id = c.business_id AND r.waba_id = c.waba_id
LEFT JOIN templates t ON t.business_id = c.business_id AND t.waba_id = c.waba_id AND t.name = $2::text
WHERE c.channel_id = $1::uuid
ORDER BY t.language
"""


async def languages_of(connection: AsyncConnection, channel_id: UUID, name: str) -> Languages:
    """What is known of the templates of that name in the channel's account."""
    rows = (await connection.exec_driver_sql(_LANGUAGES, (channel_id, name))).all()
    age = rows[0].age if rows else None
    return Languages(
        None if age is None else float(age),
        [_definition(row) for row in rows if row.definition is not None],
    )


async def templates_of(connection: AsyncConnection, business_id: UUID) -> list[KnownTemplate]:
    """Every known template of a business, by name, account and language."""
    rows = await connection.execute(
        text("""
            SELECT t.waba_id, t.definition::text AS definition, t.status, t.category,
                t.created_at, t.updated_at
            FROM templates t
            WHERE t.business_id = :business AND EXISTS (SELECT 1 FROM channels c
                WHERE c.business_id = t.business_id AND c.waba_id = t.waba_id)
            ORDER BY t.name, t.waba_id, t.language
        """),
        {"business": business_id},
    )
    return [
        KnownTemplate(row.waba_id, _definition(row), row.created_at, row.updated_at) for row in rows
    ]


@dataclass(frozen=True, slots=True)
class AccountChannel:
    """A WhatsApp account with the channel that stands for it: the default one, else the first."""

    waba_id: str
    channel_id: UUID
    phone_number: str
    is_default: bool
    access_token: str


async def account_channels(connection: AsyncConnection, business_id: UUID) -> list[AccountChannel]:
    """The accounts of a business, that of the default channel first."""
    rows = await connection.execute(
        text("""
            SELECT * FROM (
                SELECT DISTINCT ON (waba_id) waba_id, channel_id, phone_number, is_default,
                    access_token, created_at
                FROM channels WHERE business_id = :business
                ORDER BY waba_id, is_default DESC, created_at
            ) one ORDER BY is_default DESC, created_at
        """),
        {"business": business_id},
    )
    return [AccountChannel(*row[:5]) for row in rows]


async def was_read(connection: AsyncConnection, business_id: UUID) -> bool:
    """Whether the templates of any account of the business were ever read."""
    found = await connection.scalar(
        text("""
            SELECT EXISTS (SELECT 1 FROM template_reads r
                JOIN channels c USING (business_id, waba_id) WHERE r.business_id = :business)
        """),
        {"business": business_id},
    )
    return bool(found)


# --- what WhatsApp says --------------------------------------------------------------------------


_STATUS_OF_EVENT = {"REINSTATED": "APPROVED"}
_NO_STATUS = frozenset({"FLAGGED", "UNFLAGGED", "LIMIT_EXCEEDED"})
"""Events after which the template is listed as before."""


async def take_status(
    connection: AsyncConnection, business_id: UUID, waba_id: str, told: TemplateStatus
) -> None:
    """WhatsApp's event on a template.

    Of a template that is not known, or known from later, the account is asked anew when needed.
    """
    if told.event not in _NO_STATUS:
        status = _STATUS_OF_EVENT.get(told.event, told.event)
        named = _named(business_id, waba_id, (told.name, told.language))
        await _tell(connection, named, told.at, status=status)


async def take_category(
    connection: AsyncConnection, business_id: UUID, waba_id: str, told: TemplateCategory
) -> None:
    """WhatsApp has put a template into another category."""
    named = _named(business_id, waba_id, (told.name, told.language))
    await _tell(connection, named, told.at, category=told.category)


# WhatsApp's times are whole seconds.
_TELL = text("""
    UPDATE templates t SET status = coalesce(:status, status),
        category = coalesce(:category, category), updated_at = now(),
        told_at = least(now(), coalesce(CAST(:at AS timestamptz), now()))
    FROM template_reads r
    WHERE t.business_id = :business AND t.waba_id = :account AND t.name = :name
        AND t.language = :language AND r.business_id = t.business_id AND r.waba_id = t.waba_id
        AND coalesce(CAST(:at AS timestamptz)
            >= date_trunc('second', greatest(t.told_at, r.read_at)), true)
""")

_ASK_ANEW = text(f"""
    UPDATE template_reads SET read_at = {_NEVER}
    WHERE business_id = :business AND waba_id = :account
""")


async def _tell(
    connection: AsyncConnection,
    named: dict[str, Any],
    at: datetime | None,
    *,
    status: str | None = None,
    category: str | None = None,
) -> None:
    told = await connection.execute(
        _TELL, named | {"status": status, "category": category, "at": at}
    )
    if told.rowcount == 0:
        await connection.execute(_ASK_ANEW, named)


def _named(business_id: UUID, waba_id: str, key: Key) -> dict[str, Any]:
    name, language = key
    return {"business": business_id, "account": waba_id, "name": name, "language": language}


async def add_template(
    connection: AsyncConnection, business_id: UUID, waba_id: str, definition: Mapping[str, Any]
) -> KnownTemplate:
    """Keep a template that was made by a call of ours, as Graph would list it."""
    row = await connection.execute(
        text("""
            INSERT INTO templates AS t (business_id, waba_id, name, language, definition, status,
                category, told_at)
            VALUES (:business, :account, :name, :language, CAST(:definition AS json), :status,
                :category, now())
            ON CONFLICT (business_id, waba_id, name, language) DO UPDATE SET
                definition = excluded.definition, status = excluded.status,
                category = excluded.category, updated_at = now(), told_at = now()
            RETURNING waba_id, definition::text AS definition, status, category, created_at,
                updated_at
        """),
        _named(business_id, waba_id, (definition["name"], definition["language"]))
        | {
            "definition": json.dumps(definition),
            "status": definition["status"],
            "category": definition["category"],
        },
    )
    made = row.one()
    return KnownTemplate(made.waba_id, _definition(made), made.created_at, made.updated_at)


# --- whole lists ---------------------------------------------------------------------------------

# What was told since the list was asked for is newer than the list. A list that was asked for before
# one that is kept already changes nothing.
_KEEP = """
WITH read AS (
  INSERT INTO template_reads AS r (business_id, waba_id, read_at)
  VALUES ($1::uuid, $2::text, $3::timestamptz)
  ON CONFLICT (business_id, waba_id) DO UPDATE SET read_at = excluded.read_at
  WHERE r.read_at < excluded.read_at
  RETURNING read_at
), listed AS (
  SELECT l.* FROM read, unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    AS l (name, language, status, category, definition)
), gone AS (
  DELETE FROM templates t USING read
  WHERE t.business_id = $1::uuid AND t.waba_id = $2::text AND coalesce(t.told_at < read.read_at, true)
   AND NOT EXISTS (SELECT 1 FROM listed l WHERE l.name = t.name AND l.language = t.language)
)
INSERT INTO templates AS t (business_id, waba_id, name, language, status, category, definition)
SELECT $1::uuid, $2::text, name, language, status, category, definition::json FROM listed
ON CONFLICT (business_id, waba_id, name, language) DO UPDATE SET
  status = excluded.status, category = excluded.category, definition = excluded.definition,
  updated_at = now()
WHERE coalesce(t.told_at < $3::timestamptz, true)
 AND (t.status, t.category, t.definition::text)
   IS DISTINCT FROM (excluded.status, excluded.category, excluded.definition::text)
"""


class TemplateCopies:
    """Implements `whatsapp.template_source.TemplateStore`. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def older_than(self, business_id: UUID, seconds: float) -> list[tuple[str, str]]:
        """The accounts (id and access token) whose templates were not asked for in that time."""
        async with self._database.transaction() as connection:
            rows = await connection.execute(
                text("""
                    SELECT DISTINCT ON (c.waba_id) c.waba_id, c.access_token FROM channels c
                    LEFT JOIN template_reads r USING (business_id, waba_id)
                    WHERE c.business_id = :business
                        AND coalesce(r.read_at <= now() - make_interval(secs => :seconds), true)
                    ORDER BY c.waba_id, c.created_at
                """),
                {"business": business_id, "seconds": seconds},
            )
            return [(row.waba_id, row.access_token) for row in rows]

    async def now(self) -> datetime:
        """The record's time, from which a list that is asked for next counts."""
        async with self._database.transaction() as connection:
            found: datetime = (await connection.execute(text("SELECT now()"))).scalar_one()
        return found

    async def keep(
        self,
        business_id: UUID,
        waba_id: str,
        listed: Iterable[Mapping[str, Any]],
        asked_at: datetime,
    ) -> None:
        """Keep an account's list in the place of the one that is kept."""
        rows = {(item["name"], item["language"]): item for item in listed if _is_template(item)}
        columns = [
            [name for name, _ in rows],
            [language for _, language in rows],
            [str(item.get("status") or "").upper() for item in rows.values()],
            [str(item.get("category") or "").upper() for item in rows.values()],
            [json.dumps(item, ensure_ascii=False) for item in rows.values()],
        ]
        async with self._database.transaction() as connection:
            await connection.exec_driver_sql(_KEEP, (business_id, waba_id, asked_at, *columns))

    async def known(self, business_id: UUID) -> list[dict[str, Any]] | None:
        """All templates of the business as Graph lists them; None when no list was ever read."""
        async with self._database.transaction() as connection:
            read = await was_read(connection, business_id)
            found = await templates_of(connection, business_id)
        return [template.definition for template in found] if read else None


def _is_template(item: Mapping[str, Any]) -> bool:
    named = isinstance(item.get("name"), str) and isinstance(item.get("language"), str)
    return named and is_storable(dict(item))


# --- sends ---------------------------------------------------------------------------------------

_REGISTERED = """
SELECT lower(t.category) AS category, (SELECT p->>'text' FROM json_array_elements(
    CASE json_typeof(t.definition->'components') WHEN 'array' THEN t.definition->'components' END
  ) p WHERE upper(p->>'type') = 'BODY' LIMIT 1) AS body
FROM channels c JOIN templates t USING (business_id, waba_id)
WHERE c.channel_id = $1::uuid AND t.name = $2::text AND t.language = $3::text
"""

_REMEMBERED = 10.0
"""Seconds for which a process takes a template to be as it was: all sends of a sendout ask for it."""
_MOST_REMEMBERED = 1000


class RegisteredTemplates:
    """What sends need to know of templates, remembered for some seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[UUID, str, str], tuple[float, Registered | None]] = {}

    async def of_node(
        self, connection: AsyncConnection, channel_id: UUID, flow: Flow, node_id: str
    ) -> Registered | None:
        """What the registry of the channel's account has for the template of a node, if any."""
        node = flow.nodes[node_id]
        if not isinstance(node, MessageNode) or not isinstance(node.message, TemplateMessage):
            return None
        key = (channel_id, node.message.name, node.message.language)
        now = self._clock()
        known = self._known.get(key)
        if known is None or known[0] <= now:
            rows = await connection.exec_driver_sql(_REGISTERED, key)
            row = rows.one_or_none()
            registered = None if row is None else Registered(row.category, row.body or "")
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[key] = (now + _REMEMBERED, registered)
        return known[1]
