"""Putting events for the businesses into the outbox, in the transaction that records the fact.

Whatever records something tells it here, always: the statements join the registrations, and make no
row where nobody has one.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.webhook_events import Told

_WANTS_WHATSAPP = """
    (w.channel_types = '{}' OR w.channel_types && ARRAY['whatsapp', 'channel_type_unspecified'])
"""


def _wants_campaign(name: str) -> str:
    """SQL for whether a registration's filters let a campaign pass; without a name only if it has none."""
    return f"(w.campaign_patterns = '{{}}' OR {name} LIKE ANY (w.campaign_patterns))"


def telling(facts: str) -> str:
    """SQL that tells `facts` about messages, to be run by itself or beside what records them.

    `facts` selects message id, entry id, kind, time, error code, error message, and by what they are
    put in the order in which they are told.
    """
    return f"""
        INSERT INTO webhook_events (webhook_id, key, kind, happened_at, error_code, error_message)
        SELECT w.webhook_id, f.message_id, f.kind, coalesce(f.at, now()), f.error_code, f.error_message
        FROM ({facts}) AS f (message_id, entry_id, kind, at, error_code, error_message, n)
        JOIN entries told_of ON told_of.entry_id = f.entry_id
        JOIN campaigns named ON named.campaign_id = told_of.campaign_id
        JOIN webhooks w ON w.business_id = told_of.business_id
            AND w.topic = CASE f.kind WHEN 'echo' THEN 'messages' ELSE 'delivery_status' END
            AND (f.kind <> 'echo' OR w.echo)
        WHERE {_WANTS_WHATSAPP} AND {_wants_campaign("named.name")}
        ORDER BY f.n
    """


# An entry that was opted out is told once, of its first message; of later ones the business knows.
def telling_of_end(written: str) -> str:
    """SQL that tells how a message ended here: `written` names rows of `messages` as they are now."""
    return telling(f"""
        SELECT r.message_id, r.entry_id,
            CASE r.state WHEN 'sent' THEN 'echo' ELSE 'delivery_failed' END, now(),
            CASE r.state WHEN 'opted_out' THEN 'OPTED_OUT' WHEN 'expired' THEN 'EXPIRED'
                WHEN 'given_up' THEN 'UNKNOWN' ELSE CAST(r.error_code AS text) END,
            r.error_message, 1
        FROM {written} r
        WHERE r.state IN ('sent', 'refused', 'failed', 'given_up', 'expired')
            OR (r.state = 'opted_out' AND NOT EXISTS (SELECT 1 FROM messages earlier
                WHERE earlier.entry_id = r.entry_id AND earlier.attempt = r.attempt
                AND earlier.number < r.number AND earlier.state <> 'skipped'))
    """)


def telling_of_inbound(kept: str, business_id: str, details: str) -> str:
    """SQL that tells of a customer's message beside what keeps it: `kept` names its row.

    `business_id` and `details` are SQL, too.
    """
    return f"""
        INSERT INTO webhook_events (webhook_id, key, kind, happened_at, details)
        SELECT w.webhook_id, k.inbound_id, 'inbound', coalesce(k.written_at, now()), {details}
        FROM {kept} k
        JOIN webhooks w ON w.business_id = {business_id} AND w.topic = 'messages'
        WHERE {_WANTS_WHATSAPP} AND {
        _wants_campaign('''(SELECT named.name FROM messages m
                JOIN entries told_of ON told_of.entry_id = m.entry_id
                JOIN campaigns named ON named.campaign_id = told_of.campaign_id
                WHERE m.message_id = k.message_id)''')
    }
    """


_TELL = text(
    telling("""
        SELECT v.message_id, m.entry_id, v.kind, v.at, v.error_code, v.error_message, v.n
        FROM unnest(
            CAST(:message_ids AS text[]), CAST(:kinds AS text[]), CAST(:times AS timestamptz[]),
            CAST(:codes AS text[]), CAST(:texts AS text[])
        ) WITH ORDINALITY AS v (message_id, kind, at, error_code, error_message, n)
        JOIN messages m USING (message_id)
    """)
)

_REPORT = text(f"""
    INSERT INTO webhook_events (webhook_id, key, kind, happened_at, details)
    SELECT w.webhook_id, :run_id, 'report', now(), CAST(:report AS json)
    FROM webhooks w WHERE w.business_id = :business_id AND w.topic = 'report'
    AND NOT EXISTS (SELECT 1 FROM webhook_events e
        WHERE e.webhook_id = w.webhook_id AND e.key = :run_id)
    AND {_WANTS_WHATSAPP}
""")


async def tell(connection: AsyncConnection, told: Sequence[Told]) -> None:
    """Tell the businesses what became of messages, each in the given order."""
    if not told:
        return
    await connection.execute(
        _TELL,
        {
            "message_ids": [event.message_id for event in told],
            "kinds": [event.kind for event in told],
            "times": [event.at for event in told],
            "codes": [event.error_code for event in told],
            "texts": [event.error_message for event in told],
        },
    )


async def tell_report(
    connection: AsyncConnection, business_id: UUID, run_id: str, report: Mapping[str, Any]
) -> None:
    """Tell a business that a report is there; again does nothing while the first is on its way.

    `report` is the object `report` of the event (reference/connectly.md section 4.4), `run_id` the
    id of its run.
    """
    told = {"business_id": business_id, "run_id": run_id, "report": json.dumps(report)}
    await connection.execute(_REPORT, told)
