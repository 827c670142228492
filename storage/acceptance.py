"""Accepting a send request: a constant number of statements however many entries it has.

Locks are taken in one order by everybody: campaigns, then sendouts, then claims sorted by campaign
and client. So requests that overlap wait for each other and never block each other for good.
Campaigns are locked against changes, not against the foreign keys of new sendouts.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from domain.entry_checks import Accepted, Channel
from domain.grouping import Target
from domain.ids import ulid_as_uuid
from storage.identity import other_claim

_T = TypeVar("_T")


async def _rows(connection: AsyncConnection, statement: str, *parameters: Any) -> list[Any]:
    """The rows of a statement with `$1` places; driver-level, because each of them counts here."""
    return list((await connection.exec_driver_sql(statement, parameters)).all())


class SituationChanged(Exception):
    """A sendout or campaign changed between being looked up and being used; look again."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the record knows about a request's campaigns and senders."""

    targets: Mapping[tuple[str, str | None], Target]
    """By name (NFC) and version asked for, or None; without the names that are unknown."""
    channels: Mapping[str, Channel]
    default_channel: Channel | None


class Batch(NamedTuple):
    """Good entries for one sendout, with their new ids."""

    campaign_id: UUID
    sendout_id: UUID
    entry_ids: Sequence[str]
    entries: Sequence[Accepted]


_LOCK_CAMPAIGNS = """
SELECT 1 FROM campaigns WHERE campaign_id IN (
  SELECT campaign_id FROM campaign_names
  WHERE business_id = $1::uuid AND name = ANY($2::text[]))
ORDER BY campaign_id FOR NO KEY UPDATE
"""

# Every step is a look-up by a unique index, for one group as for ten thousand. Sends never join
# the version of a test or an import.
_RESOLVE = """
SELECT
 (SELECT json_agg(json_build_array(a.name, a.version, c.campaign_id, c.state,
                                   coalesce(a.version, c.newest_version), v.flow_hash,
                                   s.sendout_id))
  FROM unnest($2::text[], $3::text[]) AS a (name, version)
  JOIN campaign_names n ON n.business_id = $1::uuid AND n.name = a.name
  JOIN campaigns c ON c.campaign_id = n.campaign_id
  LEFT JOIN campaign_versions v ON v.campaign_id = c.campaign_id
   AND v.campaign_version = coalesce(a.version, c.newest_version)
   AND v.kind NOT IN ('test', 'import')
  LEFT JOIN sendouts s ON s.campaign_id = c.campaign_id AND s.is_current
   AND s.campaign_version = v.campaign_version)::text,
 (SELECT json_agg(json_build_array(phone_number, channel_id, is_default))
  FROM channels WHERE business_id = $1::uuid)::text
"""


async def resolve(
    connection: AsyncConnection,
    business_id: UUID,
    asked: Sequence[tuple[str, str | None]],
    *,
    lock: bool = False,
) -> Resolved:
    """Look up campaigns by name (NFC) and version (None: the newest), and the business's channels.

    With `lock` the campaigns stay as they are until the transaction ends.
    """
    names = [name for name, _ in asked]
    if lock:
        await _rows(connection, _LOCK_CAMPAIGNS, business_id, names)
    versions = [version for _, version in asked]
    [(found, channels)] = await _rows(connection, _RESOLVE, business_id, names, versions)
    by_number = {}
    default = None
    for number, channel_id, is_default in json.loads(channels or "[]"):
        by_number[number] = Channel(UUID(channel_id), number)
        if is_default:
            default = by_number[number]
    return Resolved(dict(map(_target, json.loads(found or "[]"))), by_number, default)


def _target(row: list[Any]) -> tuple[tuple[str, str | None], Target]:
    name, asked, campaign_id, state, version, flow_hash, sendout_id = row
    sendout = None if sendout_id is None else UUID(sendout_id)
    return (name, asked), Target(UUID(campaign_id), state, version, flow_hash, sendout)


_FLOWS = "SELECT flow_hash, document FROM flows WHERE flow_hash = ANY($1::text[])"


async def read_flow_documents(connection: AsyncConnection, hashes: Iterable[str]) -> dict[str, str]:
    """The canonical JSON of the flows of these hashes."""
    return dict(await _rows(connection, _FLOWS, list(hashes)))


# --- sendouts ----------------------------------------------------------------------------------

_LOCK_NEWEST = """
SELECT c.campaign_id, v.flow_hash
FROM campaigns c
JOIN campaign_versions v ON v.campaign_id = c.campaign_id AND v.campaign_version = c.newest_version
WHERE c.campaign_id = ANY($1::uuid[])
ORDER BY c.campaign_id FOR NO KEY UPDATE OF c
"""

_ADD_ALIASES = """
WITH alias AS (
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) AS a (campaign_id, version, flow_hash)
), added AS (
  INSERT INTO campaign_versions (campaign_id, campaign_version, flow_hash, kind)
  SELECT campaign_id, version, flow_hash, 'alias' FROM alias
)
UPDATE campaigns c SET newest_version = newest.version
FROM (SELECT DISTINCT ON (campaign_id) campaign_id, version FROM alias
      ORDER BY campaign_id, version DESC) newest
WHERE c.campaign_id = newest.campaign_id
"""


async def add_aliases(connection: AsyncConnection, targets: Sequence[Target]) -> list[Target]:
    """A version of its own for each target (`create_new`), which becomes its campaign's newest.

    Answers the targets with these versions. Raises `SituationChanged` when another flow has been
    published since they were looked up.
    """
    campaigns = [target.campaign_id for target in targets]
    newest = dict(await _rows(connection, _LOCK_NEWEST, campaigns))
    if any(newest.get(target.campaign_id) != target.flow_hash for target in targets):
        raise SituationChanged
    aliases = [
        target._replace(campaign_version=ulid_as_uuid(ULID()), sendout_id=None)
        for target in targets
    ]
    versions = [alias.campaign_version for alias in aliases]
    hashes = [alias.flow_hash for alias in aliases]
    await connection.exec_driver_sql(_ADD_ALIASES, (campaigns, versions, hashes))
    return aliases


# The campaigns are looked at again: one that was stopped meanwhile has had all its sendouts cancelled
# that there were.
_OPEN_SENDOUTS = """
INSERT INTO sendouts (sendout_id, business_id, campaign_id, campaign_version, flow_hash, source,
                      is_current)
SELECT sendout_id, $5::uuid, campaign_id, version, flow_hash, 'api', true
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
  AS s (sendout_id, campaign_id, version, flow_hash)
JOIN campaigns c USING (campaign_id)
WHERE c.state = 'published'
ORDER BY campaign_id, version FOR SHARE OF c
ON CONFLICT (campaign_id, campaign_version) WHERE is_current DO NOTHING
RETURNING campaign_id, campaign_version, sendout_id
"""

_CURRENT_SENDOUTS = """
SELECT s.campaign_id, s.campaign_version, s.sendout_id
FROM unnest($1::uuid[], $2::text[]) AS w (campaign_id, version)
JOIN sendouts s ON s.campaign_id = w.campaign_id AND s.campaign_version = w.version
 AND s.is_current
"""


async def open_sendouts(
    connection: AsyncConnection, business_id: UUID, targets: Iterable[Target]
) -> dict[tuple[UUID, str], tuple[UUID, bool]]:
    """The current sendouts of these versions, and whether this call created them.

    Raises `SituationChanged` when one that another request created is already cancelled, or a campaign
    is not published any more.
    """
    wanted = {
        (target.campaign_id, target.campaign_version or ""): target.flow_hash for target in targets
    }
    campaigns = [campaign for campaign, _ in wanted]
    versions = [version for _, version in wanted]
    ids = [uuid4() for _ in wanted]
    rows = await _rows(
        connection, _OPEN_SENDOUTS, ids, campaigns, versions, list(wanted.values()), business_id
    )
    opened = {(campaign, version): (sendout, True) for campaign, version, sendout in rows}
    if len(opened) < len(wanted):
        # A statement of its own sees what the one before has waited for.
        rows = await _rows(connection, _CURRENT_SENDOUTS, campaigns, versions)
        others = {(campaign, version): (sendout, False) for campaign, version, sendout in rows}
        opened = others | opened
    if len(opened) < len(wanted):
        raise SituationChanged
    return opened


# --- entries -----------------------------------------------------------------------------------

# The rows of a request's entries, as `accepting` takes them.
_SENT = """
  SELECT i.entry_id, i.client, variables, callback_data, scheduled_at, n,
         ($10::uuid[])[place] AS campaign_id, ($11::uuid[])[place] AS sendout_id,
         ($12::uuid[])[place] AS channel_id
  FROM unnest($4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
   WITH ORDINALITY AS i (entry_id, place, client, variables, callback_data, scheduled_at, n)
"""


def accepting(rows: str) -> str:
    """The statement by which entries are accepted, of the SQL that selects their rows.

    `$1` are the sendouts, `$2` the business, `$3` whether duplicates run; `rows` may use more.
    """
    # The sendouts are locked against being cancelled before these entries are there to be cancelled.
    # A duplicate is found by a hashed look-up in what was claimed, so that no plan compares all with
    # all. Claims are taken under one name per customer, so that two requests under two names meet
    # there; what was claimed before these names were known to be one customer's stands under the
    # others.
    return f"""
WITH input AS MATERIALIZED (
  SELECT i.*, k.client AS customer FROM ({rows}) i
  LEFT JOIN customer_numbers k ON k.business_id = $2::uuid AND k.number = i.client
), locked AS MATERIALIZED (
  SELECT FROM sendouts WHERE sendout_id = ANY($1::uuid[]) AND state <> 'cancelled'
  ORDER BY sendout_id FOR SHARE
), claimed AS (
  INSERT INTO claims (campaign_id, client, entry_id)
  SELECT campaign_id, coalesce(customer, client), entry_id FROM input
  WHERE (SELECT count(*) FROM locked) = cardinality($1::uuid[])
   AND (customer IS NULL OR {other_claim("input.campaign_id", "$2::uuid", "customer")} IS NULL)
  ORDER BY campaign_id, coalesce(customer, client), n
  ON CONFLICT DO NOTHING
  RETURNING entry_id
), judged AS MATERIALIZED (
  SELECT input.*, $3::boolean OR entry_id IN (SELECT entry_id FROM claimed) AS runs FROM input
  WHERE (SELECT count(*) FROM locked) = cardinality($1::uuid[])
), added AS (
  INSERT INTO entries (entry_id, sendout_id, business_id, campaign_id, channel_id, client,
                       variables, callback_data, state, scheduled_at, due_at, duplicate_of)
  SELECT entry_id, sendout_id, $2::uuid, campaign_id, channel_id, client, variables::json,
         callback_data::json, CASE WHEN runs THEN 'queued' ELSE 'duplicate' END, scheduled_at,
         greatest(scheduled_at, now()),
         CASE WHEN NOT runs THEN (
           SELECT c.entry_id FROM claims c
           WHERE c.campaign_id = j.campaign_id AND c.client = coalesce(j.customer, j.client)) END
  FROM judged j ORDER BY n
  RETURNING entry_id, state, duplicate_of
)
SELECT count(*), array_agg(entry_id::text) FILTER (WHERE state = 'duplicate'),
       array_agg(duplicate_of::text) FILTER (WHERE state = 'duplicate')
FROM added
"""


_ACCEPT = accepting(_SENT)

# For claims that appeared while the statement above ran, another request's or its own, and for those
# under another name of the customer.
_NAME_THE_FIRST = f"""
UPDATE entries e SET duplicate_of = coalesce(
  (SELECT c.entry_id FROM claims c WHERE c.campaign_id = e.campaign_id AND c.client = e.client),
  (SELECT {other_claim("e.campaign_id", "k.business_id", "k.client")} FROM customer_numbers k
   WHERE k.business_id = e.business_id AND k.number = e.client))
WHERE e.entry_id = ANY($1::uuid[])
RETURNING e.entry_id::text, e.duplicate_of::text
"""


async def accept(
    connection: AsyncConnection,
    business_id: UUID,
    batches: Sequence[Batch],
    *,
    allow_multiple: bool,
) -> dict[str, str | None]:
    """Store the entries and take their places in the duplicate check.

    Answers, by id, those that are duplicates and make no run, each with the entry that was first.
    Raises `SituationChanged` when one of the sendouts was cancelled; nothing is stored then.
    """
    places: dict[tuple[UUID, UUID, UUID], int] = {}
    placed = [
        places.setdefault((batch.campaign_id, batch.sendout_id, entry.channel_id), len(places) + 1)
        for batch in batches
        for entry in batch.entries
    ]
    campaigns, sendouts, channels = (list(column) for column in zip(*places, strict=True))
    entries = [entry for batch in batches for entry in batch.entries]
    stored, duplicates = await store(
        connection,
        _ACCEPT,
        sorted(set(sendouts)),
        business_id,
        allow_multiple,
        [entry_id for batch in batches for entry_id in batch.entry_ids],
        placed,
        [entry.client for entry in entries],
        [entry.variables for entry in entries],
        _given([entry.callback_data for entry in entries]),
        _given([entry.scheduled_at for entry in entries]),
        campaigns,
        sendouts,
        channels,
    )
    if stored != len(entries):
        raise SituationChanged
    return duplicates


async def store(
    connection: AsyncConnection, statement: str, *parameters: Any
) -> tuple[int, dict[str, str | None]]:
    """Run a statement of `accepting`: how many entries it stored, and as `accept` the duplicates."""
    [(stored, duplicates, firsts)] = await _rows(connection, statement, *parameters)
    found: dict[str, str | None] = dict(zip(duplicates or (), firsts or (), strict=True))
    unnamed = [entry_id for entry_id, first in found.items() if first is None]
    if unnamed:
        found |= dict(await _rows(connection, _NAME_THE_FIRST, unnamed))
    return stored, found


def _given(column: list[_T]) -> list[_T]:
    """The column, or nothing when it is empty throughout: PostgreSQL fills up with nulls."""
    return column if any(value is not None for value in column) else []


_CLAIMED = f"""
SELECT a.campaign_id, a.client, coalesce(k.client, a.client),
       coalesce(c.entry_id, {other_claim("a.campaign_id", "$3::uuid", "k.client")})::text
FROM unnest($1::uuid[], $2::text[]) AS a (campaign_id, client)
LEFT JOIN customer_numbers k ON k.business_id = $3::uuid AND k.number = a.client
LEFT JOIN claims c ON c.campaign_id = a.campaign_id AND c.client = a.client
WHERE k.client IS NOT NULL OR c.entry_id IS NOT NULL
"""


class Place(NamedTuple):
    """A place in the duplicate check: one name for the customer, and the entry that has it."""

    customer: str
    entry_id: str | None


async def claimed_by(
    connection: AsyncConnection, business_id: UUID, asked: Sequence[tuple[UUID, str]]
) -> dict[tuple[UUID, str], Place]:
    """The places of these campaigns and clients; for a dry run.

    Without those that nobody has, of clients who are known by one number.
    """
    campaigns, clients = [list(column) for column in zip(*asked, strict=True)]
    rows = await _rows(connection, _CLAIMED, campaigns, clients, business_id)
    return {(campaign, client): Place(*place) for campaign, client, *place in rows}
