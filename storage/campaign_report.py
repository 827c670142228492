"""The rows of the campaign report, read with a server-side cursor: memory does not grow with them.

One row per customer and sendout, without duplicates, tests and imported history. A customer who was
accepted more than once for a sendout (`allow_multiple`, or again after a failure) has the row of the
newest entry that was sent, else of the newest. Of single messages (api.md section 2b) those with a tag
have a row each.
"""

import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.campaign_report import Click, Labels, ReportRow
from domain.error_codes import lookup
from storage.flows import read_flow_document
from storage.history import HISTORY_FLOW
from storage.identity import names_of
from storage.session import Database
from storage.single_messages import SOURCE as SINGLE

PAGE = 1_000
"""Rows fetched at once: what a report holds in memory."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is about: everything of a business that the given limits leave.

    `day` is a day in UTC: rows that were sent on it or, if never sent, ended on it.
    """

    business_id: UUID
    sendout_id: UUID | None = None
    campaign_id: UUID | None = None
    day: date | None = None


def _first_message(entry: str) -> str:
    """SQL for the first message of an entry's present attempt, which its outcome follows."""
    return f"""(
        SELECT * FROM messages WHERE entry_id = {entry}.entry_id AND attempt = {entry}.attempt
            AND state <> 'skipped'
        ORDER BY number LIMIT 1)"""


def _on_day(entry: str, message: str) -> str:
    at = f"coalesce({message}.accepted_at, {entry}.finished_at)"
    return f"{at} >= :starts AND {at} < :ends"


# Entries that may have been sent, or have ended, on the day: both found by when they were written.
OF_DAY = """
    SELECT entry_id FROM messages WHERE accepted_at >= :starts AND accepted_at < :ends
    UNION SELECT entry_id FROM entries WHERE finished_at >= :starts AND finished_at < :ends
"""

# An opt-out under any name of a customer is the customer's.
_OPTED_OUT = text(f"""
    SELECT c.client, (SELECT max(o.opted_out_at) FROM opt_outs o
        WHERE o.business_id = :business_id
            AND o.client = ANY({names_of("CAST(:business_id AS uuid)", "c.client")})) AS at
    FROM unnest(CAST(:clients AS text[])) AS c (client)
""")

_CLICKS = """(
    SELECT json_agg(json_build_array(c.node, c.button, i.text, c.clicked_at)
                    ORDER BY c.clicked_at, c.button)::text
    FROM clicks c LEFT JOIN inbound i ON i.inbound_id = c.inbound_id
    WHERE c.entry_id = e.entry_id)"""


# OFFSET keeps the sendout out of it: with the statistics of before a big sendout, PostgreSQL would look
# through all its entries for each of them.
_OF_CUSTOMER = """(
    SELECT * FROM entries WHERE business_id = e.business_id AND client = e.client OFFSET 0)"""


def _entries(scope: Scope) -> TextClause:
    """What may be in the report, in its order; only ids, so that the first of them are there at once."""
    chosen = "business_id = :business_id AND state <> 'duplicate'"
    if scope.sendout_id is not None:
        chosen += " AND sendout_id = :sendout_id"
    if scope.day is not None:
        chosen += f" AND entry_id IN ({OF_DAY})"
    return text(f"SELECT entry_id FROM entries WHERE {chosen} ORDER BY sendout_id, position")


def _page(scope: Scope) -> TextClause:
    own_day, other_day = "true", "true"
    if scope.day is not None:
        own_day, other_day = _on_day("e", "m"), _on_day("o", "om")
    return text(f"""
        SELECT e.entry_id, e.created_at, e.client, e.business_id, c.name AS campaign_name,
            e.sendout_id, m.accepted_at AS sent_at,
            coalesce(m.delivered_at, m.read_at) AS delivered_at, m.read_at,
            m.state AS message_state, m.error_code AS message_code,
            m.error_message AS message_error, e.error_code AS entry_code,
            e.error_message AS entry_error, {_CLICKS} AS clicks,
            e.variables::text AS input_variables, e.output_variables::text AS output_variables,
            s.flow_hash
        FROM entries e
        JOIN sendouts s ON s.sendout_id = e.sendout_id AND s.source <> 'test'
            AND s.flow_hash <> :history
        JOIN campaigns c ON c.campaign_id = e.campaign_id
        LEFT JOIN LATERAL {_first_message("e")} m ON true
        WHERE e.entry_id = ANY(:entries) AND {own_day}
            AND (s.source <> '{SINGLE}' OR c.name <> '')
            AND (s.source = '{SINGLE}' OR NOT EXISTS (
            SELECT 1 FROM {_OF_CUSTOMER} o LEFT JOIN LATERAL {_first_message("o")} om ON true
            WHERE o.sendout_id = e.sendout_id AND o.state <> 'duplicate' AND {other_day}
                AND (om.accepted_at IS NOT NULL, o.position)
                    > (m.accepted_at IS NOT NULL, e.position)))
        ORDER BY e.sendout_id, e.position
    """)


# What a later page says must fit what an earlier one said.
_ONE_MOMENT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

_Page = list[tuple[ReportRow, Labels]]


async def report_rows(connection: AsyncConnection, scope: Scope) -> AsyncGenerator[_Page, None]:
    """The rows as of one moment, in pages, by sendout and then as they were accepted.

    Needs the connection's transaction, which must not have begun with anything else, until the last
    page.
    """
    await connection.execute(_ONE_MOMENT)
    labels: dict[str, Labels] = {}
    for part in await _parts(connection, scope):
        async with connection.stream(_entries(part), _values(part)) as found:
            async for ids in found.scalars().partitions(PAGE):
                values = _values(part) | {"entries": ids}
                rows = (await connection.execute(_page(part), values)).all()
                for flow_hash in {row.flow_hash for row in rows} - labels.keys():
                    labels[flow_hash] = await _labels(connection, flow_hash)
                out = await _opt_outs(connection, scope.business_id, [row.client for row in rows])
                yield [(_row(row, out[row.client]), labels[row.flow_hash]) for row in rows]


async def has_rows(database: Database, scope: Scope) -> bool:
    """Whether the report would have any row."""
    async with (
        database.transaction() as connection,
        contextlib.aclosing(report_rows(connection, scope)) as pages,
    ):
        async for page in pages:
            if page:
                return True
    return False


_SENDOUTS = text("""
    SELECT sendout_id FROM sendouts
    WHERE business_id = :business_id AND campaign_id = :campaign_id AND source <> 'test'
        AND flow_hash <> :history
    ORDER BY created_at, sendout_id
""")


async def _parts(connection: AsyncConnection, scope: Scope) -> list[Scope]:
    """One sendout after the other: its entries come in their order without being sorted."""
    if scope.campaign_id is None:
        return [scope]
    found = await connection.scalars(_SENDOUTS, _values(scope))
    return [Scope(scope.business_id, sendout_id=sendout_id) for sendout_id in found]


def _values(scope: Scope) -> dict[str, Any]:
    values: dict[str, Any] = {
        "business_id": scope.business_id,
        "sendout_id": scope.sendout_id,
        "campaign_id": scope.campaign_id,
        "history": HISTORY_FLOW,
    }
    if scope.day is not None:
        values |= day_limits(scope.day)
    return values


def day_limits(day: date) -> dict[str, datetime]:
    """When a day in UTC starts and when it ends, as the parameters `starts` and `ends`."""
    starts = datetime.combine(day, time(), UTC)
    return {"starts": starts, "ends": starts + timedelta(days=1)}


async def _opt_outs(
    connection: AsyncConnection, business_id: UUID, clients: list[str]
) -> dict[str, datetime | None]:
    """When these customers opted out, None for those who have not."""
    asked = {"business_id": business_id, "clients": clients}
    return {row.client: row.at for row in await connection.execute(_OPTED_OUT, asked)}


def _row(row: Row[Any], opt_out_at: datetime | None) -> ReportRow:
    code, message = _error(row)
    return ReportRow(
        entry_id=row.entry_id,
        created_at=row.created_at,
        client=row.client,
        business_id=row.business_id,
        campaign_name=row.campaign_name,
        sendout_id=row.sendout_id,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        opt_out_at=opt_out_at,
        error_code=code,
        error_message=message,
        clicks=tuple(
            Click(node, button, label, datetime.fromisoformat(at))
            for node, button, label, at in json.loads(row.clicks or "[]")
        ),
        input_variables=row.input_variables,
        output_variables=row.output_variables,
    )


def _error(row: Row[Any]) -> tuple[int | None, str | None]:
    """WhatsApp's code and words; of an end that is not WhatsApp's only the words."""
    if row.message_state in {"refused", "failed"} and row.message_code is not None:
        return row.message_code, row.message_error or lookup(row.message_code).title
    if row.entry_code is None:
        return None, row.entry_error
    if row.entry_code.isdecimal():
        code = int(row.entry_code)
        return code, row.entry_error or lookup(code).title
    return None, row.entry_error or row.entry_code


async def _labels(connection: AsyncConnection, flow_hash: str) -> Labels:
    document = json.loads(await read_flow_document(connection, flow_hash) or '{"nodes": {}}')
    return {
        (name, button["id"]): button["label"]
        for name, node in document["nodes"].items()
        for button in node.get("buttons") or ()
    }
