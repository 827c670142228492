"""The ledger of sends: a row and a lease before every call, the outcome after it (design: never twice)."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.flow import Flow
from domain.flow_cache import FLOWS, FlowSource
from domain.requests import SendMessage, SendResult
from domain.run import FINISHES_A_SEND, SendOutcome
from domain.sending import (
    Decision,
    Done,
    Doubt,
    Hold,
    NotMade,
    Policy,
    Post,
    Recorded,
    Situation,
)
from storage.call_outcomes import record_outcome
from storage.ending import end_entry
from storage.session import Database
from storage.situation import read_situation
from storage.templates import RegisteredTemplates
from storage.webhook_events import telling_of_end

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
                situation = await read_situation(connection, order)
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
        async with self._database.transaction() as connection:
            result = await record_outcome(
                connection,
                situation,
                recorded,
                lease_attempt=lease_attempt,
                unknown_grace=self._policy.unknown_grace,
            )
            if result is not None:
                result = await _end_with(connection, order, result)
        if recorded.state in {"sent", "refused"}:
            self._told()
        return result


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
    if order.closing is None or result.outcome not in FINISHES_A_SEND:
        return result
    await end_entry(connection, order.entry, order.attempt, order.closing)
    return SendResult(outcome=result.outcome, recorded_end=True)
