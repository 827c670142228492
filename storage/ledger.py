"""The ledger of sends: a row and a lease before every call, the outcome after it (design: never twice)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.delivery import Accepted
from domain.flow import Flow
from domain.flow_cache import FLOWS, FlowSource
from domain.ids import message_id
from domain.phone import parse_phone
from domain.requests import SendMessage, SendResult
from domain.run import SendOutcome
from domain.sending import (
    Decision,
    Done,
    Doubt,
    Hold,
    MessageRow,
    NotMade,
    Policy,
    Post,
    Recorded,
    Situation,
)
from domain.templates import label
from storage import template_holds
from storage.cancelling import OPEN_STATES
from storage.channels import hold_by_whatsapp
from storage.early_statuses import apply_early
from storage.ending import end_entry, release_claim
from storage.failures import about_customer
from storage.identity import names_of, remember_of_entry
from storage.session import Database
from storage.template_holds import held_keys
from storage.templates import RegisteredTemplates
from storage.webhook_events import telling_of_end

_SITUATION = text(f"""
    SELECT e.entry_id, e.sendout_id, e.channel_id, e.created_at, e.client,
           e.variables::text AS variables, e.state AS entry_state, e.attempt, s.state AS sendout_state,
           s.skip_nodes, s.flow_hash, c.phone_number_id, c.access_token, c.held_since,
           o.opted_out_at,
           {held_keys("e.business_id", "c.waba_id")} AS held_templates,
           EXISTS (SELECT 1 FROM suppressions w WHERE w.business_id = e.business_id
               AND w.client = ANY(n.names) AND w.until > now()) AS withheld,
           b.timezone, extract(epoch FROM now() - e.due_at) AS due_for,
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

_WRITE = text(f"""
    WITH written AS (
    INSERT INTO messages (message_id, entry_id, sendout_id, channel_id, client, attempt, node, visit,
        number, state, template, text, led_by, tries, lease_attempt, lease_until, held_for,
        held_until, unknown_since, error_code, error_message)
    VALUES (:message_id, :entry_id, :sendout_id, :channel_id, :client, :attempt, :node, :visit,
        :number, :state, :template, :text, :led_by, :tries, :lease_attempt,
        now() + make_interval(secs => :lease), :held_for,
        now() + make_interval(secs => :opens_in),
        CASE WHEN :state = 'unknown' THEN now() END, :error_code, :error_message)
    ON CONFLICT (message_id) DO UPDATE SET
        state = excluded.state,
        template = coalesce(excluded.template, messages.template),
        text = coalesce(excluded.text, messages.text),
        tries = messages.tries + excluded.tries,
        lease_attempt = coalesce(excluded.lease_attempt, messages.lease_attempt),
        lease_until = excluded.lease_until,
        held_for = excluded.held_for,
        held_until = excluded.held_until,
        -- One that is sent again after its outcome was unknown may have been sent before.
        unknown_since = CASE excluded.state WHEN 'unknown' THEN now() ELSE messages.unknown_since END,
        error_code = excluded.error_code,
        error_message = excluded.error_message
    WHERE messages.state = :seen
    RETURNING message_id, entry_id, attempt, number, state, tries, error_code, error_message
    ), told AS ({telling_of_end("written")})
    SELECT tries FROM written
""")

# Whatever a status has settled meanwhile stands: only an open row takes the answer. The entry is
# locked before its message, as everywhere.
_RECORD = text(f"""
    WITH entry AS MATERIALIZED (
        SELECT entry_id, business_id, state FROM entries WHERE entry_id = :entry_id
        FOR NO KEY UPDATE
    ), recorded AS (
    UPDATE messages m SET
        state = :state,
        wamid = coalesce(m.wamid, :wamid),
        accepted_at = CASE WHEN :state = 'sent' THEN now() ELSE m.accepted_at END,
        unknown_since = CASE :state WHEN 'unknown' THEN now() WHEN 'sent' THEN NULL
            ELSE m.unknown_since END,
        held_for = :held_for,
        template = coalesce(:held_template, m.template),
        lease_until = NULL,
        error_code = :code,
        error_message = :message
    FROM entry e
    WHERE m.message_id = :message_id AND m.entry_id = e.entry_id
        AND m.state IN ('sending', 'unknown')
        AND (m.lease_attempt = :lease_attempt OR :state = 'sent')
    RETURNING m.message_id, m.entry_id, m.attempt, m.number, m.state, m.error_code, m.error_message,
        e.business_id, e.state AS entry_state,
        EXISTS (SELECT 1 FROM early_statuses s
            WHERE s.channel_id = m.channel_id AND s.wamid = :wamid) AS told_early
    ), told AS ({telling_of_end("recorded")})
    SELECT business_id, entry_state, told_early FROM recorded
""")


class SendLedger:
    """The record around each call to WhatsApp. Every method is one transaction.

    `told` is called after each that may have told the business something (`storage.webhook_events`).
    """

    def __init__(
        self,
        database: Database,
        flows: FlowSource,
        policy: Policy,
        *,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._flows = flows
        self._policy = policy
        self._told = told
        self._templates = RegisteredTemplates()

    async def take_up(
        self,
        order: SendMessage,
        lease_attempt: int,
        decide: Callable[[Situation, SendMessage, Flow, Policy], Decision],
    ) -> tuple[Situation, Decision, SendResult | None, int]:
        """Read the situation, decide, and write what was decided.

        Returns the situation, the decision, the answer to the run (None when the message is claimed
        and must be posted now) and how many calls have been made for it, this one included. Locks
        the entry, so that a cancel comes before or after, never between.
        """
        async with self._database.transaction() as connection:
            tries = None
            while tries is None:
                situation = await _situation(connection, order)
                flow = await FLOWS.load(situation.flow_hash, self._flows)
                registered = await self._templates.of_node(
                    connection, situation.channel_id, flow, order.node
                )
                situation = replace(situation, registered=registered)
                decision = decide(situation, order, flow, self._policy)
                tries = await self._write(connection, situation, order, decision, lease_attempt)
            result = _told(decision, self._policy)
            if result is not None:
                result = await _end_with(connection, order, result)
        if isinstance(decision, NotMade):
            self._told()
        return situation, decision, result, tries

    async def _write(
        self,
        connection: AsyncConnection,
        situation: Situation,
        order: SendMessage,
        decision: Decision,
        lease_attempt: int,
    ) -> int | None:
        """Write what was decided; the calls made so far, this one included.

        None when a status has changed the message since it was read: then it is decided anew.
        """
        write = _row_for(decision)
        if write is None:
            return 0
        row = {
            **_row_of(situation, order),
            **write,
            "lease_attempt": lease_attempt,
            "lease": self._policy.lease,
            "seen": situation.row.state if situation.row else "",
        }
        written = await connection.execute(_WRITE, row)
        return cast("int | None", written.scalar_one_or_none())

    async def record(
        self, order: SendMessage, situation: Situation, recorded: Recorded, lease_attempt: int
    ) -> SendResult | None:
        """Record what came of a call.

        Returns the answer to the run, or None when the call is to be made again after a pause.
        """
        result = await self._record(order, situation, recorded, lease_attempt)
        if recorded.state in {"sent", "refused"}:
            self._told()
        return result

    async def _record(
        self, order: SendMessage, situation: Situation, recorded: Recorded, lease_attempt: int
    ) -> SendResult | None:
        accepted = recorded.accepted
        async with self._database.transaction() as connection:
            change = _change_by(recorded, situation) | {"lease_attempt": lease_attempt}
            row = (await connection.execute(_RECORD, change)).one_or_none()
            if accepted is not None:
                await _remember_names(connection, situation, accepted)
            told_early = row is not None and row.told_early
            if row is not None and told_early and accepted is not None:
                channel_id = situation.channel_id
                await apply_early(connection, row.business_id, channel_id, accepted.wamid)
            if row is None or told_early:
                outcome = await _settled_meanwhile(connection, situation.message_id, accepted)
                unknown = outcome is SendOutcome.UNKNOWN
                again_in = self._policy.unknown_grace if unknown else None
                told = SendResult(outcome=outcome, again_in=again_in)
                return await _end_with(connection, order, told)
            await _obey_refusal(connection, situation, recorded)
            if row.entry_state not in OPEN_STATES:
                # Cancelled while the call was on the wire: nothing may have been sent after all.
                await release_claim(connection, situation.entry_id)
            if recorded.state == "retrying":
                return None
            result = SendResult(outcome=recorded.outcome)
            if recorded.state == "unknown":
                result = SendResult(outcome=recorded.outcome, again_in=recorded.again_in)
            return await _end_with(connection, order, result)


_ENDS_A_PATH = {
    SendOutcome.ACCEPTED,
    SendOutcome.REFUSED,
    SendOutcome.SKIPPED,
    SendOutcome.OPTED_OUT,
    SendOutcome.EXPIRED,
}


async def _situation(connection: AsyncConnection, order: SendMessage) -> Situation:
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
        row=existing,
        held_templates=frozenset((name, language) for name, language in row.held_templates),
        withheld=row.withheld,
    )


def _row_of(situation: Situation, order: SendMessage) -> dict[str, object]:
    return {
        "message_id": situation.message_id,
        "entry_id": situation.entry_id,
        "sendout_id": situation.sendout_id,
        "channel_id": situation.channel_id,
        "client": situation.client,
        "attempt": order.attempt,
        "node": order.node,
        "visit": order.visit,
        "number": order.number,
        "led_by": order.led_by,
    }


def _row_for(decision: Decision) -> dict[str, object] | None:
    """The columns a decision writes; None when it writes nothing."""
    row: dict[str, object] = dict.fromkeys(
        ("template", "text", "held_for", "opens_in", "error_code", "error_message")
    )
    match decision:
        case Done():
            return None
        case Hold():
            opens_in = decision.again_in if decision.reason == "window" else None
            held = {"state": "held", "held_for": decision.reason, "opens_in": opens_in}
            return row | held | {"tries": 0, "template": decision.template}
        case NotMade():
            return row | {
                "state": decision.state,
                "tries": 0,
                "error_code": decision.code,
                "error_message": decision.message,
            }
        case Doubt():
            return row | {"state": "unknown", "tries": 0}
        case Post():
            return row | {
                "state": "sending",
                "tries": 1,
                "template": decision.template,
                "text": decision.text,
            }


def _told(decision: Decision, policy: Policy) -> SendResult | None:
    match decision:
        case Done():
            return decision.result
        case Hold():
            return SendResult(outcome=SendOutcome.HELD, again_in=decision.again_in)
        case NotMade():
            return SendResult(outcome=decision.outcome)
        case Doubt():
            return SendResult(outcome=SendOutcome.UNKNOWN, again_in=policy.unknown_grace)
        case Post():
            return None


async def _end_with(
    connection: AsyncConnection, order: SendMessage, result: SendResult
) -> SendResult:
    """Record the entry's end in the same transaction when nothing is pending after this send."""
    if order.closing is None or result.outcome not in _ENDS_A_PATH:
        return result
    await end_entry(connection, order.entry, order.attempt, order.closing)
    return SendResult(outcome=result.outcome, recorded_end=True)


async def _settled_meanwhile(
    connection: AsyncConnection, message: str, accepted: Accepted | None
) -> SendOutcome:
    """A status was faster than the answer: what it said stands."""
    state = (
        await connection.execute(
            text("SELECT state FROM messages WHERE message_id = :message_id"),
            {"message_id": message},
        )
    ).scalar_one()
    if state == "failed":
        return SendOutcome.REFUSED
    if state == "sent" or accepted is not None:
        return SendOutcome.ACCEPTED
    return SendOutcome.UNKNOWN


def _change_by(recorded: Recorded, situation: Situation) -> dict[str, object]:
    """What an answer writes into the message's row."""
    held_for = "template" if recorded.holds_template else "channel"
    return {
        "entry_id": situation.entry_id,
        "message_id": situation.message_id,
        "state": recorded.state,
        "wamid": recorded.accepted.wamid if recorded.accepted else None,
        "held_for": held_for if recorded.state == "held" else None,
        "held_template": label(recorded.holds_template) if recorded.holds_template else None,
        "code": recorded.code,
        "message": recorded.message,
    }


async def _obey_refusal(
    connection: AsyncConnection, situation: Situation, recorded: Recorded
) -> None:
    """What a refusal means beyond its message."""
    if recorded.code is None:
        return
    channel_id, code, message = situation.channel_id, recorded.code, recorded.message
    if recorded.holds_channel:
        # The message is held even if its channel is not; the next sweep lets it go.
        await hold_by_whatsapp(
            connection, [channel_id], code=code, message=message, token=situation.access_token
        )
    if recorded.holds_template is not None:
        key = recorded.holds_template
        await template_holds.hold_by_whatsapp(
            connection, channel_id, key, code=code, message=message
        )
    await about_customer(connection, situation.entry_id, recorded.code)


async def _remember_names(
    connection: AsyncConnection, situation: Situation, accepted: Accepted
) -> None:
    """Most customers are called in the answer what they were called in the call."""
    number = parse_phone(accepted.wa_id)
    if number not in {None, situation.client} or accepted.user_id is not None:
        await remember_of_entry(connection, situation.entry_id, number, accepted.user_id)
