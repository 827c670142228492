"""What is known of a message right before it is sent, in one statement that locks its entry."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ids import message_id
from domain.requests import SendMessage
from domain.sending import MessageRow, Situation
from storage.identity import names_of
from storage.template_holds import held_keys

_SITUATION = text(f"""
    SELECT e.entry_id, e.sendout_id, e.channel_id, e.created_at, e.client,
           e.variables::text AS variables, e.state AS entry_state, e.attempt, s.state AS sendout_state,
           s.skip_nodes, s.flow_hash, c.phone_number_id, c.access_token, c.held_since,
           o.opted_out_at,
           {held_keys("e.business_id", "c.waba_id")} AS held_templates,
           EXISTS (SELECT 1 FROM suppressions w WHERE w.business_id = e.business_id
               AND w.client = ANY(n.names) AND w.until > now()) AS withheld,
           b.timezone, extract(epoch FROM now() - e.due_at) AS due_for,
           extract(epoch FROM coalesce(e.started_at, now()) - e.due_at) AS started_after,
           (SELECT max(i.received_at) FROM inbound i
            WHERE i.channel_id = e.channel_id AND i.client = ANY(n.names))
               > now() - interval '24 hours'
               AS window_open,
           -- What leads to a single message is what the customer wrote last (ADR 11).
           CASE WHEN s.source = 'message' THEN (SELECT max(i.received_at) FROM inbound i
                WHERE i.channel_id = e.channel_id AND i.client = ANY(n.names))
            ELSE (SELECT i.received_at FROM inbound i WHERE i.inbound_id = :led_by) END
               > o.opted_out_at AS led_by_since_opt_out,
           m.state AS row_state, m.tries, extract(epoch FROM now() - m.unknown_since) AS unknown_for
    FROM entries e
    JOIN sendouts s USING (sendout_id)
    JOIN channels c USING (channel_id)
    JOIN businesses b ON b.business_id = e.business_id
    CROSS JOIN LATERAL (SELECT {names_of("e.business_id", "e.client")} AS names OFFSET 0) n
    LEFT JOIN LATERAL (
        SELECT max(opted_out_at) AS opted_out_at FROM opt_outs
        WHERE business_id = e.business_id AND client = ANY(n.names)
    ) o ON true
    LEFT JOIN messages m ON m.entry_id = e.entry_id AND m.attempt = :attempt
        AND m.node = :node AND m.visit = :visit
    WHERE e.entry_id = :entry_id
    FOR NO KEY UPDATE OF e
""")


async def read_situation(connection: AsyncConnection, order: SendMessage) -> Situation:
    """The situation of a message; its registered template is left out (`storage.templates`).

    Locks the entry: whoever changes it or its messages comes before or after.
    """
    key = {
        "entry_id": order.entry,
        "attempt": order.attempt,
        "node": order.node,
        "visit": order.visit,
        "led_by": order.led_by,
    }
    row: Row[Any] = (await connection.execute(_SITUATION, key)).one()
    created_at: datetime = row.created_at
    existing = None
    if row.row_state is not None:
        unknown_for = None if row.unknown_for is None else float(row.unknown_for)
        existing = MessageRow(row.row_state, row.tries, unknown_for)
    return Situation(
        message_id=message_id(order.entry, created_at, order.attempt, order.node, order.visit),
        entry_id=row.entry_id,
        sendout_id=row.sendout_id,
        channel_id=row.channel_id,
        created_at=created_at,
        client=row.client,
        variables=row.variables,
        entry_state=row.entry_state,
        attempt=row.attempt,
        sendout_state=row.sendout_state,
        skip_nodes=frozenset(row.skip_nodes),
        flow_hash=row.flow_hash,
        phone_number_id=row.phone_number_id,
        access_token=row.access_token,
        channel_held=row.held_since is not None,
        opted_out=row.opted_out_at is not None,
        led_by_since_opt_out=bool(row.led_by_since_opt_out),
        window_open=bool(row.window_open),
        business_zone=row.timezone,
        due_for=float(row.due_for),
        started_after=float(row.started_after),
        row=existing,
        held_templates=frozenset((name, language) for name, language in row.held_templates),
        withheld=row.withheld,
    )
