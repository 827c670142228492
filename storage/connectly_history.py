"""Keeping what was sent elsewhere as history that the duplicate check and opt-outs look at.

Everything is found again by ids made of what it is about, so that a file may be imported again and
again. Each batch is a constant number of statements.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.connectly_report import HistoryRow
from domain.ids import message_id
from storage.campaigns import create_campaign
from storage.flows import store_flow
from storage.history import HISTORY_DOCUMENT, HISTORY_NODE
from storage.identity import other_claim


@dataclass(slots=True)
class Imported:
    """What a file held, and what of it was new here.

    `blocked` customers count as sent, `failed` ones do not, of `not_sent` nothing is kept.
    """

    rows: int = 0
    blocked: int = 0
    failed: int = 0
    not_sent: int = 0
    opted_out: int = 0
    new_entries: int = 0
    new_claims: int = 0
    new_opt_outs: int = 0
    campaigns: set[str] = field(default_factory=set)
    new_campaigns: set[str] = field(default_factory=set)
    sendouts: set[tuple[str, UUID]] = field(default_factory=set)
    new_sendouts: set[UUID] = field(default_factory=set)


_NAMED = text("""
    SELECT name, campaign_id FROM campaign_names
    WHERE business_id = :business_id AND name = ANY(:names)
""")

_VERSIONS = text("""
    INSERT INTO campaign_versions (campaign_id, campaign_version, flow_hash, kind)
    SELECT campaign_id, version, :flow_hash, 'import'
    FROM unnest(CAST(:campaigns AS uuid[]), CAST(:versions AS text[])) AS v (campaign_id, version)
    ORDER BY campaign_id, version
    ON CONFLICT DO NOTHING
""")

# Cancelled: nothing of them can be sent, resumed or run again.
_SENDOUTS = text("""
    INSERT INTO sendouts (sendout_id, business_id, campaign_id, campaign_version, flow_hash, label,
        source, state, is_current)
    SELECT sendout_id, :business_id, campaign_id, version, :flow_hash, 'Connectly ' || version, 'csv',
        'cancelled', false
    FROM unnest(CAST(:sendouts AS uuid[]), CAST(:campaigns AS uuid[]), CAST(:versions AS text[]))
        AS s (sendout_id, campaign_id, version)
    ORDER BY sendout_id
    ON CONFLICT DO NOTHING
    RETURNING sendout_id
""")

_INPUT = """
    unnest(
        CAST(:entries AS uuid[]), CAST(:message_ids AS text[]), CAST(:sendouts AS uuid[]),
        CAST(:campaigns AS uuid[]), CAST(:clients AS text[]), CAST(:states AS text[]),
        CAST(:sent AS timestamptz[]), CAST(:delivered AS timestamptz[]),
        CAST(:read AS timestamptz[]), CAST(:codes AS int[]), CAST(:errors AS text[]),
        CAST(:variables AS text[]), CAST(:outputs AS text[])
    ) AS i (entry_id, message_id, sendout_id, campaign_id, client, state, sent_at, delivered_at,
        read_at, error_code, error_message, variables, outputs)
"""

# A later report of the same sendout knows more; the same report changes nothing.
_ENTRIES = text(f"""
    INSERT INTO entries AS e (entry_id, sendout_id, business_id, campaign_id, channel_id, client,
        variables, output_variables, state, created_at, due_at, started_at, finished_at, error_code,
        error_message)
    SELECT entry_id, sendout_id, :business_id, campaign_id, :channel_id, client,
        CAST(variables AS json), CAST(outputs AS json), state, coalesce(sent_at, now()),
        coalesce(sent_at, now()), coalesce(sent_at, now()), coalesce(sent_at, now()),
        CASE state WHEN 'failed' THEN error_code::text WHEN 'unknown' THEN 'UNKNOWN' END,
        CASE WHEN state <> 'completed' THEN error_message END
    FROM {_INPUT} ORDER BY entry_id
    ON CONFLICT (entry_id) DO UPDATE SET state = excluded.state,
        output_variables = excluded.output_variables,
        error_code = excluded.error_code, error_message = excluded.error_message
    WHERE (e.state, e.error_code, e.error_message, e.output_variables::text) IS DISTINCT FROM
        (excluded.state, excluded.error_code, excluded.error_message,
         excluded.output_variables::text)
    RETURNING xmax = 0 AS is_new
""")

_MESSAGES = text(f"""
    INSERT INTO messages AS m (message_id, entry_id, sendout_id, channel_id, client, attempt, node,
        visit, number, state, created_at, accepted_at, sent_at, delivered_at, read_at, failed_at,
        error_code, error_message)
    SELECT message_id, entry_id, sendout_id, :channel_id, client, 1, :node, 1, 1,
        CASE WHEN state = 'completed' THEN 'sent' WHEN state = 'unknown' THEN 'given_up'
            WHEN sent_at IS NULL THEN 'refused' ELSE 'failed' END,
        coalesce(sent_at, now()), sent_at, sent_at, delivered_at, read_at,
        CASE WHEN state = 'failed' THEN sent_at END,
        CASE WHEN state <> 'completed' THEN error_code END,
        CASE WHEN state <> 'completed' THEN error_message END
    FROM {_INPUT} ORDER BY entry_id
    ON CONFLICT (entry_id, attempt, node, visit) DO UPDATE SET state = excluded.state,
        accepted_at = excluded.accepted_at, sent_at = excluded.sent_at,
        delivered_at = excluded.delivered_at, read_at = excluded.read_at,
        failed_at = excluded.failed_at, error_code = excluded.error_code,
        error_message = excluded.error_message
    WHERE (m.state, m.sent_at, m.delivered_at, m.read_at, m.error_code, m.error_message)
        IS DISTINCT FROM (excluded.state, excluded.sent_at, excluded.delivered_at, excluded.read_at,
            excluded.error_code, excluded.error_message)
""")

# As acceptance takes them (storage.acceptance): sorted, under one name per customer. Never given
# back here: who may have been sent to is not sent to again, whatever a later file says.
_CLAIMS = text(f"""
    INSERT INTO claims (campaign_id, client, entry_id)
    SELECT i.campaign_id, coalesce(k.client, i.client), i.entry_id
    FROM {_INPUT}
    LEFT JOIN customer_numbers k ON k.business_id = :business_id AND k.number = i.client
    WHERE i.state <> 'failed' AND (k.client IS NULL
        OR {other_claim("i.campaign_id", "CAST(:business_id AS uuid)", "k.client")} IS NULL)
    ORDER BY 1, 2
    ON CONFLICT DO NOTHING
    RETURNING entry_id
""")

_OPT_OUTS = text("""
    INSERT INTO opt_outs (business_id, client, source, opted_out_at)
    SELECT :business_id, client, 'import', max(at)
    FROM unnest(CAST(:clients AS text[]), CAST(:times AS timestamptz[])) AS o (client, at)
    GROUP BY client ORDER BY client
    ON CONFLICT DO NOTHING
    RETURNING client
""")


class History:
    """Takes in the rows of one business's report.

    `channel_id` is the sender that history is shown under.
    """

    def __init__(self, business_id: UUID, channel_id: UUID) -> None:
        self._business_id = business_id
        self._channel_id = channel_id
        self.imported = Imported()

    async def add(self, connection: AsyncConnection, rows: Sequence[HistoryRow]) -> None:
        """Keep a batch of rows."""
        done = self.imported
        # Of a customer who is there twice the last row counts, as with a second file.
        last = {(row.campaign_name, row.sendout_id, row.client): row for row in rows}
        kept = [row for row in last.values() if row.outcome is not None]
        campaigns = await self._campaigns(connection, {row.campaign_name for row in kept})
        sendouts = await self._sendouts(connection, campaigns, kept)
        if kept:
            columns = self._columns(kept, campaigns, sendouts)
            entries = await connection.execute(_ENTRIES, columns)
            done.new_entries += sum(row.is_new for row in entries)
            await connection.execute(_MESSAGES, columns | {"node": HISTORY_NODE})
            done.new_claims += len((await connection.execute(_CLAIMS, columns)).all())
        done.new_opt_outs += await self._opt_outs(connection, rows)
        done.rows += len(rows)
        done.blocked += sum(row.blocks for row in rows)
        done.failed += sum(row.outcome == "failed" for row in rows)
        done.not_sent += sum(row.outcome is None for row in rows)
        done.opted_out += sum(row.opt_out_at is not None for row in rows)

    async def _campaigns(self, connection: AsyncConnection, names: set[str]) -> dict[str, UUID]:
        """The campaigns of these names; for a name that leads nowhere a new one, never published."""
        asked = {"business_id": self._business_id, "names": sorted(names)}

        async def read() -> dict[str, UUID]:
            rows = await connection.execute(_NAMED, asked)
            return {row.name: row.campaign_id for row in rows}

        known = await read()
        self.imported.campaigns |= names
        for name in sorted(names - known.keys()):
            created = await create_campaign(connection, self._business_id, name, None)
            if created is not None:
                self.imported.new_campaigns.add(name)
        return await read() if names - known.keys() else known

    async def _sendouts(
        self,
        connection: AsyncConnection,
        campaigns: dict[str, UUID],
        rows: Sequence[HistoryRow],
    ) -> dict[tuple[str, UUID], UUID]:
        """Our sendout for each of Connectly's, by campaign name and Connectly's id."""
        pairs = sorted({(row.campaign_name, row.sendout_id) for row in rows})
        ours = {
            (name, theirs): uuid5(self._business_id, f"{campaigns[name]} {theirs}")
            for name, theirs in pairs
        }
        self.imported.sendouts |= ours.keys()
        if not pairs:
            return ours
        values = {
            "business_id": self._business_id,
            "flow_hash": await store_flow(connection, HISTORY_DOCUMENT),
            "sendouts": list(ours.values()),
            "campaigns": [campaigns[name] for name, _ in pairs],
            "versions": [str(theirs) for _, theirs in pairs],
        }
        await connection.execute(_VERSIONS, values)
        opened = await connection.scalars(_SENDOUTS, values)
        self.imported.new_sendouts |= set(opened)
        return ours

    def _columns(
        self,
        rows: Sequence[HistoryRow],
        campaigns: dict[str, UUID],
        sendouts: dict[tuple[str, UUID], UUID],
    ) -> dict[str, Any]:
        own = [sendouts[row.campaign_name, row.sendout_id] for row in rows]
        entries = [uuid5(of, row.client) for of, row in zip(own, rows, strict=True)]
        return {
            "business_id": self._business_id,
            "channel_id": self._channel_id,
            "entries": entries,
            "message_ids": [_message(e, row.sent_at) for e, row in zip(entries, rows, strict=True)],
            "sendouts": own,
            "campaigns": [campaigns[row.campaign_name] for row in rows],
            "clients": [row.client for row in rows],
            "states": [row.outcome for row in rows],
            "sent": [row.sent_at for row in rows],
            "delivered": [row.delivered_at for row in rows],
            "read": [row.read_at for row in rows],
            "codes": [row.error_code for row in rows],
            "errors": [row.error_message for row in rows],
            "variables": [row.variables for row in rows],
            "outputs": [row.outputs for row in rows],
        }

    async def _opt_outs(self, connection: AsyncConnection, rows: Sequence[HistoryRow]) -> int:
        """Record the opt-outs that are not on record yet; how many."""
        out = [(row.client, row.opt_out_at) for row in rows if row.opt_out_at is not None]
        if not out:
            return 0
        clients, times = (list(column) for column in zip(*out, strict=True))
        values = {"business_id": self._business_id, "clients": clients, "times": times}
        return len((await connection.execute(_OPT_OUTS, values)).all())


_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def _message(entry_id: UUID, sent_at: datetime | None) -> str:
    """An id with the time of sending, if it is known and has a place in a ULID."""
    return message_id(entry_id, max(sent_at or _LONG_AGO, _LONG_AGO), 1, HISTORY_NODE, 1)
