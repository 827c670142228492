"""Imports: the checked rows of a CSV file, from its upload until they are entries (api.md section 4).

They are kept for a day. What an import is to be is written in one transaction, and so is its start:
an upload or a start that is cut off has done nothing and can be done again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import func, insert, literal_column, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from domain.entry_checks import Accepted
from domain.ids import time_ordered_ids, ulid_as_uuid
from storage.acceptance import accepting, store
from storage.campaigns import add_version
from storage.identity import names_of, other_claim
from storage.import_tables import import_rows, imports
from storage.sendouts import add_sendout
from storage.tables import campaigns

KEPT = "interval '24 hours'"
"""How long an import is kept after its upload, started or not."""
MOST_WAITING = 10
"""Imports of a business that are not started: a further upload removes the oldest."""

_ROWS_AT_ONCE = 10_000
_FORGOTTEN_AT_ONCE = 5


class NewImport(NamedTuple):
    """A file that was checked; `report` is what is told of it and does not change, as JSON."""

    campaign_id: UUID
    campaign_name: str
    campaign_version: str
    flow_hash: str
    label: str | None
    allow_multiple: bool
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Import:
    """An import as recorded; `forecast` is what was foreseen when it was started."""

    import_id: UUID
    business_id: UUID
    campaign_id: UUID
    campaign_name: str
    campaign_state: str
    campaign_version: str
    flow_hash: str
    label: str | None
    allow_multiple: bool
    report: Mapping[str, Any]
    forecast: Mapping[str, Any] | None
    sendout_id: UUID | None
    created_at: datetime
    started_at: datetime | None
    expires_at: datetime


class SenderForecast(NamedTuple):
    """What the good rows of one sender would come to, were the import started now.

    `duplicates` make no run; `opted_out` are among the others.
    """

    messages_per_second: int
    valid: int
    duplicates: int
    opted_out: int


# --- uploading ---------------------------------------------------------------------------------

_ADD_ROWS = """
INSERT INTO import_rows (import_id, position, entry_id, client, channel_id, variables, callback_data,
                         scheduled_at)
SELECT $1::uuid, position, entry_id, client, channel_id, variables::json, callback_data::json,
       scheduled_at
FROM unnest($2::int[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[],
            $8::timestamptz[])
  AS r (position, entry_id, client, channel_id, variables, callback_data, scheduled_at)
"""

_REMOVE = """
WITH chosen AS MATERIALIZED (
  SELECT import_id FROM imports WHERE {which} FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM import_rows r USING chosen WHERE r.import_id = chosen.import_id
)
DELETE FROM imports i USING chosen WHERE i.import_id = chosen.import_id
"""

# One that is just being started is locked, and stays.
_REMOVE_OLDEST = text(
    _REMOVE.format(
        which="""started_at IS NULL AND import_id IN (
    SELECT import_id FROM imports WHERE business_id = :business_id AND started_at IS NULL
    ORDER BY created_at DESC, import_id OFFSET :most)"""
    )
)


async def add_import(
    connection: AsyncConnection, business_id: UUID, new: NewImport, rows: Sequence[Accepted]
) -> UUID:
    """Keep an import and its good rows, and remove the business's oldest beyond `MOST_WAITING`."""
    import_id = uuid4()
    values = {"import_id": import_id, "business_id": business_id, **new._asdict()}
    await connection.execute(insert(imports).values(values))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        positions, clients, channels, *given = zip(*part, strict=True)
        parameters = (positions, time_ordered_ids(len(part)), clients, channels, *given)
        await connection.exec_driver_sql(_ADD_ROWS, (import_id, *map(list, parameters)))
    waiting = {"business_id": business_id, "most": MOST_WAITING}
    await connection.execute(_REMOVE_OLDEST, waiting)
    return import_id


# --- reading -----------------------------------------------------------------------------------


async def find_import(
    connection: AsyncConnection, business_id: UUID, import_id: UUID, *, lock: bool = False
) -> Import | None:
    """The import, None when the business has none of that id or it was over a day ago.

    With `lock` nobody else starts it until the transaction ends, and its campaign stays as it is:
    whoever stops that waits and then finds the sendout, or it is not started.
    """
    c = imports.c
    expires_at = c.created_at + literal_column(KEPT)
    query = (
        select(imports, campaigns.c.state.label("campaign_state"), expires_at.label("expires_at"))
        .join(campaigns, campaigns.c.campaign_id == c.campaign_id)
        .where(c.business_id == business_id, c.import_id == import_id, expires_at > func.now())
    )
    if lock:
        query = query.with_for_update(of=[imports, campaigns], key_share=True)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Import(**row._asdict())


# Who has two numbers in the file is sent to once, as by acceptance. Most customers have one name;
# only the others' are worked out.
_FORESEE = f"""
SELECT ch.messages_per_second, count(*), count(*) FILTER (WHERE is_duplicate),
       count(*) FILTER (WHERE is_out AND NOT is_duplicate)
FROM (
  SELECT r.channel_id,
    NOT $4::boolean AND (
      c.entry_id IS NOT NULL
      OR row_number() OVER (PARTITION BY coalesce(k.client, r.client) ORDER BY r.position) > 1
      OR (k.client IS NOT NULL AND {other_claim("$3::uuid", "$1::uuid", "k.client")} IS NOT NULL)
    ) AS is_duplicate,
    o.client IS NOT NULL OR ((k.client IS NOT NULL OR EXISTS (
      SELECT FROM customer_user_ids u WHERE u.business_id = $1::uuid AND u.client = r.client
    )) AND EXISTS (
      SELECT FROM opt_outs other WHERE other.business_id = $1::uuid
        AND other.client = ANY({names_of("$1::uuid", "r.client")})
    )) AS is_out
  FROM import_rows r
  LEFT JOIN customer_numbers k ON k.business_id = $1::uuid AND k.number = r.client
  LEFT JOIN claims c ON c.campaign_id = $3::uuid AND c.client = r.client
  LEFT JOIN opt_outs o ON o.business_id = $1::uuid AND o.client = r.client
  WHERE r.import_id = $2::uuid
) judged JOIN channels ch USING (channel_id)
GROUP BY channel_id, ch.messages_per_second
"""


async def foresee(connection: AsyncConnection, found: Import) -> list[SenderForecast]:
    """What starting the import now would come to, by sender."""
    asked = (found.business_id, found.import_id, found.campaign_id, found.allow_multiple)
    rows = await connection.exec_driver_sql(_FORESEE, asked)
    return [SenderForecast._make(row) for row in rows]


# --- starting ----------------------------------------------------------------------------------

_ACCEPT_ROWS = accepting("""
  SELECT entry_id, client, variables, callback_data, scheduled_at, position AS n,
         $4::uuid AS campaign_id, $5::uuid AS sendout_id, channel_id
  FROM import_rows WHERE import_id = $6::uuid
""")


async def start_import(connection: AsyncConnection, found: Import) -> tuple[UUID, int]:
    """Make the rows of a locked import entries; their sendout, and how many are duplicates.

    The sendout is theirs alone, with a version that never becomes the newest (api.md section 2).
    All in one transaction: rows can neither be lost nor doubled, and no sendout is ever half an import.
    """
    sendout_id, version = uuid4(), ulid_as_uuid(ULID())
    await add_version(connection, found.campaign_id, version, found.flow_hash, kind="import")
    await add_sendout(
        connection,
        sendout_id=sendout_id,
        business_id=found.business_id,
        campaign_id=found.campaign_id,
        campaign_version=version,
        flow_hash=found.flow_hash,
        source="csv",
        label=found.label,
    )
    _, duplicates = await store(
        connection,
        _ACCEPT_ROWS,
        [sendout_id],
        found.business_id,
        found.allow_multiple,
        found.campaign_id,
        sendout_id,
        found.import_id,
    )
    await connection.execute(import_rows.delete().where(import_rows.c.import_id == found.import_id))
    return sendout_id, len(duplicates)


async def record_start(
    connection: AsyncConnection, import_id: UUID, sendout_id: UUID, forecast: Mapping[str, Any]
) -> None:
    """Note what was started, so that it is not started again."""
    await connection.execute(
        update(imports)
        .where(imports.c.import_id == import_id)
        .values(sendout_id=sendout_id, forecast=forecast, started_at=func.now())
    )


# --- forgetting --------------------------------------------------------------------------------

_REMOVE_OVER = text(
    _REMOVE.format(
        which=f"created_at <= now() - {KEPT} ORDER BY created_at LIMIT {_FORGOTTEN_AT_ONCE}"
    )
)


async def forget_imports(connection: AsyncConnection) -> int:
    """Remove a few imports that are over, with their rows; how many imports."""
    return (await connection.execute(_REMOVE_OVER)).rowcount
