"""Taking in what customers tap and write: one transaction, and again is harmless.

A message of a customer finds ours by our id first, then the customer by the names it gives.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.flow import DelayNode, MessageNode
from domain.flow_cache import FLOWS, FlowSource
from domain.ids import split_reply_id
from domain.inbound import Inbound, Preference, is_word
from storage.identity import all_names, known_as, remember
from storage.intake import RunSignal, add_signals, message_ref, reopen_unknown_entry
from storage.opt_outs import opt_in, opt_out, opt_out_of_entry
from storage.webhook_events import telling_of_end, telling_of_inbound

_KEEP = text(f"""
    WITH kept AS (
        INSERT INTO inbound (inbound_id, channel_id, client, user_id, kind, text, message_id, button,
            written_at)
        VALUES (:inbound_id, :channel_id, :client, :user_id, :kind, :text, :message_id, :button, :at)
        ON CONFLICT DO NOTHING RETURNING inbound_id, written_at, message_id
    ), told AS ({telling_of_inbound("kept", ":business_id", "CAST(:details AS json)")})
    SELECT inbound_id FROM kept
""")

# Locked in the order in which everybody locks: an entry that a tap may re-open with its sendout, so
# that it does not run again in one that is being cancelled.
_TAPPED = text("""
    WITH tapped AS MATERIALIZED (
        SELECT message_id, sendout_id, state FROM messages
        WHERE channel_id = :channel_id AND (message_id = :message_id OR wamid = :wamid)
        ORDER BY message_id = :message_id DESC LIMIT 1
    ), steered AS MATERIALIZED (
        SELECT s.sendout_id FROM sendouts s JOIN tapped t USING (sendout_id)
        WHERE t.state IN ('unknown', 'given_up') FOR SHARE OF s
    )
    SELECT m.message_id, m.entry_id, m.sendout_id, m.attempt, m.node, m.visit, m.state, m.client,
        e.state AS entry_state, e.error_code, s.state AS sendout_state, s.flow_hash
    FROM tapped t JOIN messages m USING (message_id) JOIN entries e USING (entry_id)
    JOIN sendouts s ON s.sendout_id = m.sendout_id
    WHERE (SELECT count(*) FROM steered) >= 0
    FOR NO KEY UPDATE OF e FOR UPDATE OF m
""")

# The entry is locked, as when a delay is judged: by these times one can tell which was first.
_CLICK = text("""
    INSERT INTO clicks (message_id, button, entry_id, sendout_id, node, client, inbound_id, clicked_at)
    VALUES (:message_id, :button, :entry_id, :sendout_id, :node, :client, :inbound_id,
        clock_timestamp())
    ON CONFLICT DO NOTHING RETURNING button
""")

# Several open asks of one customer and sender: the newest gets the text; one written before the ask
# opened does not count (flow.md 2.5). WhatsApp's times are whole seconds. The entry is locked before its
# ask, as by whoever cancels it.
_ANSWER = text("""
    UPDATE asks a SET answer = :text, inbound_id = :inbound_id, closed_at = now()
    FROM (
        SELECT q.entry_id, q.attempt, q.node, q.visit FROM asks q JOIN entries e USING (entry_id)
        WHERE q.channel_id = :channel_id AND q.client = ANY(:names) AND q.closed_at IS NULL
            AND date_trunc('second', q.opened_at) <= :at
        ORDER BY q.opened_at DESC LIMIT 1 FOR NO KEY UPDATE OF e FOR UPDATE OF q
    ) newest
    WHERE a.entry_id = newest.entry_id AND a.attempt = newest.attempt AND a.node = newest.node
        AND a.visit = newest.visit
    RETURNING a.entry_id, a.attempt, a.node, a.visit
""")

# Runs of this customer that a text may concern: those with a flow that waits for responses. Locked
# before anything is looked up for them: a delay of theirs that is judged now either sees the text, or
# is seen to wait for one.
_OPEN_RUNS = text("""
    SELECT e.entry_id, s.flow_hash FROM entries e JOIN sendouts s USING (sendout_id)
    WHERE e.business_id = :business_id AND e.client = ANY(:names) AND e.channel_id = :channel_id
        AND e.state = 'running'
    ORDER BY e.entry_id FOR NO KEY UPDATE OF e
""")

_AWAITED = text("""
    UPDATE messages SET awaits_delivery = false
    WHERE channel_id = :channel_id AND client = ANY(:names) AND awaits_delivery
    RETURNING entry_id, attempt, node, visit
""")


class Customers:
    """What the customers of one channel send. The words are whole messages (api.md section 6)."""

    def __init__(
        self,
        flows: FlowSource,
        *,
        stop_words: Collection[str],
        start_words: Collection[str],
    ) -> None:
        self._flows = flows
        self._stop_words = stop_words
        self._start_words = start_words

    async def take_inbound(
        self,
        connection: AsyncConnection,
        business_id: UUID,
        channel_id: UUID,
        messages: Sequence[Inbound],
    ) -> None:
        """Keep messages of customers, and tell the runs they concern."""
        for message in messages:
            tapped = await _tapped(connection, channel_id, message)
            if tapped is None:
                client = await known_as(connection, business_id, message.client, message.user_id)
            else:
                client = str(tapped.client)
                named = [(client, message.client, message.user_id)]
                await remember(connection, business_id, named)
            reply = split_reply_id(message.reply_id) if message.reply_id else None
            kept = await connection.execute(
                _KEEP,
                {
                    "inbound_id": message.inbound_id,
                    "channel_id": channel_id,
                    "client": client,
                    "user_id": message.user_id,
                    "kind": message.kind,
                    "text": message.text,
                    "message_id": tapped.message_id if tapped else None,
                    "button": reply[1] if reply else None,
                    "at": message.at,
                    "business_id": business_id,
                    "details": _details(message),
                },
            )
            if kept.one_or_none() is None:
                continue
            if message.kind == "tap" and tapped is not None and reply is not None:
                await self._clicked(connection, tapped, reply[1], message)
            elif client is not None:
                await self._wrote(connection, business_id, channel_id, client, message)

    async def take_preferences(
        self,
        connection: AsyncConnection,
        business_id: UUID,
        preferences: Sequence[Preference],
    ) -> None:
        """Record what customers chose in WhatsApp's own settings."""
        for preference in preferences:
            client = await known_as(connection, business_id, preference.client, preference.user_id)
            if client is None:
                continue
            if preference.stop:
                await opt_out(connection, business_id, client, "user_preferences")
            else:
                names = await all_names(connection, business_id, client)
                await opt_in(connection, business_id, names)

    async def _clicked(
        self, connection: AsyncConnection, tapped: Row[Any], button: str, message: Inbound
    ) -> None:
        """The first tap of a button counts; it also shows that its message arrived."""
        click = {
            "message_id": tapped.message_id,
            "button": button,
            "entry_id": tapped.entry_id,
            "sendout_id": tapped.sendout_id,
            "node": tapped.node,
            "client": tapped.client,
            "inbound_id": message.inbound_id,
        }
        first = (await connection.execute(_CLICK, click)).one_or_none() is not None
        flow = await FLOWS.load(tapped.flow_hash, self._flows)
        node = flow.nodes.get(tapped.node)
        pressed = node.button(button) if isinstance(node, MessageNode) else None
        if (pressed and pressed.opt_out) or is_word(message.text, self._stop_words):
            await opt_out_of_entry(connection, tapped.entry_id, "button")
        if not first:
            return
        # A message held now may have been taken before, when its outcome was unknown.
        if tapped.state in {"sending", "retrying", "held", "unknown", "given_up"}:
            await connection.execute(
                text(f"""
                    WITH settled AS (
                        UPDATE messages SET state = 'sent', wamid = coalesce(wamid, :wamid),
                            accepted_at = coalesce(accepted_at, now()),
                            unknown_since = CASE state WHEN 'given_up' THEN unknown_since END
                        WHERE message_id = :message_id
                        RETURNING message_id, entry_id, attempt, number, state, error_code,
                            error_message
                    ) {telling_of_end("settled")}
                """),
                {"wamid": message.answers, "message_id": tapped.message_id},
            )
            await reopen_unknown_entry(connection, tapped.entry_id, tapped.attempt)
        over = "cancelled" in {tapped.entry_state, tapped.sendout_state}
        if over or tapped.error_code == "TOO_MANY_SENDS":
            return
        body = message_ref(tapped) | {"button": button, "inbound": message.inbound_id}
        await add_signals(connection, [RunSignal(tapped.entry_id, "button_clicked", body)])

    async def _wrote(
        self,
        connection: AsyncConnection,
        business_id: UUID,
        channel_id: UUID,
        client: str,
        message: Inbound,
    ) -> None:
        """A text may be an opt-out, an ask's answer, and ends `no_response` delays."""
        names = await all_names(connection, business_id, client)
        who = {"business_id": business_id, "channel_id": channel_id, "names": names}
        runs = (await connection.execute(_OPEN_RUNS, who)).all()
        signals: list[RunSignal] = []
        stops = message.kind == "text" and is_word(message.text, self._stop_words)
        starts = message.kind == "text" and is_word(message.text, self._start_words)
        if stops:
            await opt_out(connection, business_id, client, "text")
        elif starts:
            await opt_in(connection, business_id, names)
        elif message.kind == "text" and message.text is not None:
            answer = {"text": message.text, "inbound_id": message.inbound_id, "at": message.at}
            asked = (await connection.execute(_ANSWER, who | answer)).one_or_none()
            if asked is not None:
                body = message_ref(asked) | {"text": message.text, "inbound": message.inbound_id}
                signals.append(RunSignal(asked.entry_id, "ask_answered", body))
        signals += await self._heard(connection, who, runs)
        await add_signals(connection, signals)

    async def _heard(
        self, connection: AsyncConnection, who: dict[str, object], runs: Sequence[Row[Any]]
    ) -> list[RunSignal]:
        """Signals to the runs for which it matters that the customer wrote at all."""
        awaited = (await connection.execute(_AWAITED, who)).all()
        signals = [
            RunSignal(row.entry_id, "message_delivered", message_ref(row)) for row in awaited
        ]
        for row in runs:
            flow = await FLOWS.load(row.flow_hash, self._flows)
            if any(
                isinstance(node, DelayNode) and node.condition == "no_response"
                for node in flow.nodes.values()
            ):
                signals.append(RunSignal(row.entry_id, "customer_wrote", {}))
        return signals


def _details(message: Inbound) -> str | None:
    """What events tell besides, as JSON: of a tap that is not on a button of ours also its payload."""
    details = dict(message.details or {})
    if message.reply_id is not None and split_reply_id(message.reply_id) is None:
        details["payload"] = message.reply_id
    return json.dumps(details) if details else None


async def _tapped(
    connection: AsyncConnection, channel_id: UUID, message: Inbound
) -> Row[Any] | None:
    """The message a tap or quoted reply is about: by our id first, then by WhatsApp's."""
    reply = split_reply_id(message.reply_id) if message.reply_id else None
    if reply is None and message.answers is None:
        return None
    key = {
        "channel_id": channel_id,
        "message_id": reply[0] if reply else None,
        "wamid": message.answers,
    }
    return (await connection.execute(_TAPPED, key)).one_or_none()
