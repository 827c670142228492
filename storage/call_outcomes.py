"""What came of a call to WhatsApp, in the record: of its message, its customer and what it holds."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.delivery import Accepted
from domain.phone import parse_phone
from domain.requests import SendResult
from domain.run import SendOutcome
from domain.sending import Recorded, Situation
from domain.templates import label
from storage import template_holds
from storage.cancelling import OPEN_STATES
from storage.channels import hold_by_whatsapp
from storage.early_statuses import apply_early
from storage.ending import release_claim
from storage.failures import about_customer
from storage.identity import remember_of_entry
from storage.webhook_events import telling_of_end

# Whatever a status has settled meanwhile stands: only an open row takes the answer. Each send of a
# message that is sent again counts its attempts anew, so the lease is that of an attempt and a call; that
# WhatsApp took the message is true whoever says it. The entry is locked before its message, as everywhere.
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
        AND (m.state IN ('sending', 'unknown') OR (m.state = 'retrying' AND :state = 'sent'))
        AND ((m.lease_attempt = :lease_attempt AND m.tries = :tries) OR :state = 'sent')
    RETURNING m.message_id, m.entry_id, m.attempt, m.number, m.state, m.error_code, m.error_message,
        e.business_id, e.state AS entry_state,
        EXISTS (SELECT 1 FROM early_statuses s
            WHERE s.channel_id = m.channel_id AND s.wamid = :wamid) AS told_early
    ), told AS ({telling_of_end("recorded")})
    SELECT business_id, entry_state, told_early FROM recorded
""")


async def record_outcome(
    connection: AsyncConnection,
    situation: Situation,
    recorded: Recorded,
    *,
    lease_attempt: int,
    unknown_grace: float,
) -> SendResult | None:
    """Record what came of a call; the answer to the run, None when the call is to be made again.

    `unknown_grace`: seconds after which the run asks again for a message nobody knows about.
    """
    accepted = recorded.accepted
    tries = 1 if situation.row is None else situation.row.tries + 1
    change = _change_by(recorded, situation) | {"lease_attempt": lease_attempt, "tries": tries}
    row = (await connection.execute(_RECORD, change)).one_or_none()
    if accepted is not None:
        await _remember_names(connection, situation, accepted)
    told_early = row is not None and row.told_early
    if row is not None and told_early and accepted is not None:
        await apply_early(connection, row.business_id, situation.channel_id, accepted.wamid)
    if row is None or told_early:
        outcome = await _settled_meanwhile(connection, situation.message_id, accepted)
        unknown = outcome is SendOutcome.UNKNOWN
        return SendResult(outcome=outcome, again_in=unknown_grace if unknown else None)
    await _obey_refusal(connection, situation, recorded)
    if row.entry_state not in OPEN_STATES:
        # Cancelled while the call was on the wire: nothing may have been sent after all.
        await release_claim(connection, situation.entry_id)
    if recorded.state == "retrying":
        return None
    return SendResult(outcome=recorded.outcome, again_in=recorded.again_in)


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


async def _settled_meanwhile(
    connection: AsyncConnection, message: str, accepted: Accepted | None
) -> SendOutcome:
    """A status was faster than the answer, or patience over: what is on record stands.

    Of one that was given up the run has gone on without this answer; its status will settle it.
    """
    state = (
        await connection.execute(
            text("SELECT state FROM messages WHERE message_id = :message_id"),
            {"message_id": message},
        )
    ).scalar_one()
    if state == "failed":
        return SendOutcome.REFUSED
    if state == "given_up":
        return SendOutcome.GIVEN_UP
    if state == "sent" or accepted is not None:
        return SendOutcome.ACCEPTED
    return SendOutcome.UNKNOWN


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
