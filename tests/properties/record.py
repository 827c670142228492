"""The record as a model: one entry's rows, with the statements of `storage` in plain Python.

What `storage` takes from `domain` (decisions of sends, statuses, outcomes) is taken from there, too;
what it says in SQL is said here: which rows a statement changes, and what it puts into the outbox.
Every method is one transaction.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from domain import run
from domain.flow import DelayNode, Flow
from domain.outcome import FirstMessage, outcome
from domain.requests import SendMessage, SendResult
from domain.run import FINISHES_A_SEND, MessageRef, RunState, SendOutcome
from domain.sending import (
    Decision,
    Done,
    Doubt,
    Hold,
    MessageRow,
    NotMade,
    Policy,
    Recorded,
    Situation,
    before,
)
from domain.status import News, Status, StatusName, apply
from tests.properties.rows import Ask, Key, Row, new_message, tracked_with

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
POLICY = Policy()
OPEN = ("queued", "running")
_NOBODY_HAS_IT = {"refused", "failed", "skipped", "opted_out", "expired", "held"}


@dataclass
class Record:
    """All that is recorded of one entry, its sendout and its sender."""

    flow: Flow
    entry: UUID
    now: datetime = START
    skipped: frozenset[str] = frozenset()
    entry_state: str = "queued"
    error_code: str | None = None
    attempt: int = 1
    snapshot: RunState | None = None
    sendout: str = "running"
    channel_held: bool = False
    has_stopped: bool = False
    rows: dict[Key, Row] = field(default_factory=dict)
    clicks: dict[tuple[Key, str], str] = field(default_factory=dict)
    inbound: dict[str, datetime] = field(default_factory=dict)
    """When each message of the customer came; taps are in it with their ids alone."""
    texts: list[datetime] = field(default_factory=list)
    asks: dict[Key, Ask] = field(default_factory=dict)
    ends: list[tuple[str, str | None]] = field(default_factory=list)
    """Outcome and code each time an end was recorded; the entry keeps the first."""
    outbox: list[run.Stimulus | tuple[int, run.Stimulus] | str] = field(default_factory=list)
    """What runs are still to be told, oldest first: of an attempt, or of none in particular."""

    @property
    def is_cancelled(self) -> bool:
        return "cancelled" in {self.entry_state, self.sendout}

    # --- sends (storage.ledger) ----------------------------------------------------------------

    def take_up(self, order: SendMessage, lease: int) -> tuple[Decision, SendResult | None]:
        """Decide about a send and write what was decided; None when it is to be posted now."""
        key = (order.attempt, order.node, order.visit)
        decision = before(self._situation(key), order, self.flow, POLICY, self.now)
        if not isinstance(decision, Done):
            self._write(key, order.number, decision, lease)
        match decision:
            case Done(result):
                return decision, self._end_with(order, result)
            case Hold():
                told = SendResult(outcome=SendOutcome.HELD, again_in=decision.again_in)
                return decision, told
            case NotMade():
                return decision, self._end_with(order, SendResult(outcome=decision.outcome))
            case Doubt():
                again_in = POLICY.unknown_grace
                return decision, SendResult(outcome=SendOutcome.UNKNOWN, again_in=again_in)
        return decision, None

    def _write(self, key: Key, number: int, decision: Decision, lease: int) -> None:
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row(new_message(key), number)
        match decision:
            case Hold():
                row.set("held")
                row.held_for = decision.reason
                return
            case NotMade():
                row.set(decision.state)
                row.unknown_since = None
            case Doubt():
                row.set("unknown")
                row.unknown_since = row.unknown_since or self.now
            case _:
                row.set("sending")
                row.tries, row.unknown_since = row.tries + 1, None
        row.held_for, row.lease = None, lease

    def note_answer(self, order: SendMessage, recorded: Recorded, lease: int) -> SendResult | None:
        """Record what came of a call; None when it is to be made again."""
        row = self.rows[order.attempt, order.node, order.visit]
        is_ours = row.lease == lease or recorded.state == "sent"
        if row.state not in {"sending", "unknown"} or not is_ours:
            settled = {"failed": SendOutcome.REFUSED, "sent": SendOutcome.ACCEPTED}
            accepted = SendOutcome.ACCEPTED if recorded.accepted else SendOutcome.UNKNOWN
            told = settled.get(row.state, accepted)
            again_in = POLICY.unknown_grace if told is SendOutcome.UNKNOWN else None
            return self._end_with(order, SendResult(outcome=told, again_in=again_in))
        row.set(recorded.state)
        row.unknown_since = self.now if recorded.state == "unknown" else None
        row.held_for = "channel" if recorded.state == "held" else None
        if recorded.state == "sent":
            row.accepted_at = self.now
        if recorded.holds_channel:
            self.channel_held = True
        if recorded.state == "retrying":
            return None
        again_in = recorded.again_in
        return self._end_with(order, SendResult(outcome=recorded.outcome, again_in=again_in))

    def _end_with(self, order: SendMessage, result: SendResult) -> SendResult:
        if order.closing is None or result.outcome not in FINISHES_A_SEND:
            return result
        self.end(order.attempt, order.closing)
        return SendResult(outcome=result.outcome, recorded_end=True)

    def _situation(self, key: Key) -> Situation:
        row = self.rows.get(key)
        known = None
        if row is not None:
            since = row.unknown_since
            unknown_for = None if since is None else (self.now - since).total_seconds()
            known = MessageRow(row.state, row.tries, unknown_for)
        return Situation(
            message_id=row.tracked.message_id if row else "",
            entry_id=self.entry,
            sendout_id=self.entry,
            channel_id=self.entry,
            created_at=START,
            client="+16045550001",
            variables=json.dumps(dict.fromkeys(self.flow.variables, "1")),
            entry_state=self.entry_state,
            attempt=self.attempt,
            sendout_state=self.sendout,
            skip_nodes=self.skipped,
            flow_hash="",
            phone_number_id="",
            access_token="",
            channel_held=self.channel_held,
            opted_out=self.has_stopped,
            led_by_since_opt_out=False,
            window_open=bool(self.inbound),
            business_zone="UTC",
            due_for=(self.now - START).total_seconds(),
            row=known,
        )

    # --- runs (storage.run_record, storage.ending) ---------------------------------------------

    def check_delay(
        self, attempt: int, check: run.CheckDelay, closing: RunState | None
    ) -> run.DelayChecked:
        """Judge a due delay by what is recorded now (flow.md 2.4)."""
        key = (attempt, *check.message)
        row, delay = self.rows[key], self.flow.nodes[check.delay]
        assert isinstance(delay, DelayNode)
        clicked = any(tapped == key for tapped, _ in self.clicks)
        wrote = any(row.accepted_at and at >= row.accepted_at for at in self.texts)
        reacted = clicked or (delay.condition == "no_response" and wrote)
        if row.state == "failed" or (delay.condition != "all" and reacted):
            if closing is not None:
                self.end(attempt, closing)
            return run.DelayChecked(check.path, "end", closing is not None)
        if row.tracked.delivered_at is not None or clicked or wrote:
            return run.DelayChecked(check.path, "go_on")
        row.tracked = tracked_with(row.tracked, awaits_delivery=True)
        return run.DelayChecked(check.path, "wait")

    def open_ask(self, key: Key) -> None:
        self.asks.setdefault(key, Ask())

    def close_ask(self, key: Key) -> tuple[str | None, str | None]:
        """The answer that was recorded before, and its id."""
        ask = self.asks.setdefault(key, Ask())
        ask.is_closed = True
        return ask.answer, ask.inbound

    def end(self, attempt: int, at_rest: RunState, *, too_many: bool = False) -> None:
        """Record an entry's end: the outcome once, the snapshot each time."""
        if attempt != self.attempt or self.entry_state == "cancelled":
            return
        self.snapshot = RunState.model_validate_json(at_rest.model_dump_json(exclude_defaults=True))
        ended = outcome(self.first(), too_many_sends=too_many, not_received=at_rest.not_received)
        self.ends.append((ended.state, ended.error_code))
        if self.entry_state in OPEN:
            self.entry_state, self.error_code = ended.state, ended.error_code

    def first(self) -> FirstMessage | None:
        """The first message of this attempt that was not skipped."""
        rows = [
            (row.number, key, row.state)
            for key, row in self.rows.items()
            if key[0] == self.attempt and row.state != "skipped"
        ]
        if not rows:
            return None
        _, (_, node, visit), state = min(rows)
        return FirstMessage(node, visit, state)

    def open_run(self, attempt: int) -> RunState | None:
        """What an ended entry had done; None when it is not to be taken up."""
        if attempt != self.attempt or self.is_cancelled:
            return None
        state = RunState()
        if self.snapshot is not None:
            dumped = self.snapshot.model_dump_json(exclude_defaults=True)
            state = RunState.model_validate_json(dumped)
        return None if state.over else state

    # --- news (storage.intake, storage.customers) ----------------------------------------------

    def take_status(self, key: Key, name: StatusName) -> None:
        """A status webhook; again is harmless."""
        row = self.rows[key]
        was_unknown = row.unknown_since
        row.tracked, news = apply(row.tracked, Status(None, "wamid", name, self.now))
        if row.state == "sent":
            row.accepted_at = row.accepted_at or self.now
        row.unknown_since = was_unknown if row.state == "unknown" else None
        self._tell(key, news)

    def _tell(self, key: Key, news: News) -> None:
        attempt, message = key[0], MessageRef(*key[1:])
        if news.settled is not None:
            self.outbox.append((attempt, run.Settled(message, news.settled)))
            self._reopen_unknown(attempt)
        if news.delivered:
            self.outbox.append((attempt, run.Delivered(message)))
        if news.failed:
            self.outbox.append((attempt, run.Failed(message)))
            self._fail_completed(key)

    def _reopen_unknown(self, attempt: int) -> None:
        if attempt == self.attempt and self.entry_state == "unknown" and not self.is_cancelled:
            self.entry_state, self.error_code = "running", None

    def _fail_completed(self, key: Key) -> None:
        first = self.first()
        mine = {k: row for k, row in self.rows.items() if k[0] == key[0]}
        received = any(
            row.tracked.delivered_at is not None or any(k == tapped for tapped, _ in self.clicks)
            for k, row in mine.items()
        )
        is_first = first is not None and key == (self.attempt, first.node, first.visit)
        if is_first and self.entry_state == "completed" and not received:
            self.entry_state, self.error_code = "failed", None

    def tapped(self, key: Key, button: str, inbound: str) -> None:
        """A tap; the same message again, or the same button again, changes nothing."""
        if inbound in self.inbound:
            return
        self.inbound[inbound] = self.now
        if (key, button) in self.clicks:
            return
        self.clicks[key, button] = inbound
        row = self.rows[key]
        entry, code = self.entry_state, self.error_code
        if row.state in {"sending", "retrying", "held", "unknown", "given_up"}:
            row.set("sent")
            row.accepted_at, row.unknown_since = row.accepted_at or self.now, None
            self._reopen_unknown(key[0])
        if "cancelled" in {entry, self.sendout} or code == "TOO_MANY_SENDS":
            return
        self.outbox.append((key[0], run.Clicked(MessageRef(*key[1:]), button, inbound)))

    def wrote(self, text: str, inbound: str) -> None:
        """A text: the newest open ask gets it, and `no_response` delays end."""
        if inbound in self.inbound:
            return
        self.inbound[inbound] = self.now
        self.texts.append(self.now)
        still_open = [key for key, ask in self.asks.items() if not ask.is_closed]
        if still_open:
            key = still_open[-1]
            self.asks[key] = Ask(text, inbound, is_closed=True)
            self.outbox.append((key[0], run.AskAnswered(MessageRef(*key[1:]), text, inbound)))
        for key, row in self.rows.items():
            if row.tracked.awaits_delivery:
                row.tracked = tracked_with(row.tracked, awaits_delivery=False)
                self.outbox.append((key[0], run.Delivered(MessageRef(*key[1:]))))
        waits = (isinstance(n, DelayNode) and n.condition == "no_response" for n in self._nodes())
        if self.entry_state == "running" and any(waits):
            self.outbox.append(run.Replied())

    def _nodes(self) -> list[object]:
        return list(self.flow.nodes.values())

    # --- levers (storage.sendouts, holds, cancelling, retrying, repairs) -----------------------

    def start(self) -> None:
        """The page of starts marks the entry."""
        if self.entry_state == "queued":
            self.entry_state = "running"

    def _waits_untouched(self) -> bool:
        mine = any(key[0] == self.attempt for key in self.rows)
        return self.entry_state == "running" and not mine

    def pause(self) -> None:
        if self.sendout == "running":
            self.sendout = "paused"
            if self._waits_untouched():
                self.outbox.append("held")

    def resume(self) -> None:
        if self.sendout == "paused":
            self.sendout = "running"
            if self._free("sendout") or self._waits_untouched():
                self.outbox.append(run.Released())

    def hold_channel(self) -> None:
        self.channel_held = True

    def release_channel(self) -> None:
        self.channel_held = False
        if self._free("channel"):
            self.outbox.append(run.Released())

    def _free(self, *reasons: str) -> bool:
        held = [r for r in self.rows.values() if r.state == "held" and r.held_for in reasons]
        for row in held:
            row.held_for = None
        return bool(held)

    def sweep(self) -> None:
        """What the sweep repairs of an entry that was started."""
        is_held = self.sendout != "running" or self.channel_held
        is_open = not is_held and self.entry_state != "cancelled"
        if is_open and self._free("sendout", "channel"):
            self.outbox.append(run.Released())

    def doubt_abandoned(self, key: Key) -> None:
        """The sweep finds a send whose lease has ended."""
        row = self.rows[key]
        row.set("unknown")
        row.unknown_since = self.now

    def cancel(self, *, whole_sendout: bool) -> None:
        if whole_sendout:
            self.sendout = "cancelled"
        if self.entry_state in OPEN:
            self.entry_state = "cancelled"
            for ask in self.asks.values():
                ask.is_closed = True

    def retry(self) -> bool:
        """Queue the entry again if it failed and its customer is not reached; whether it was."""
        if self.entry_state != "failed" or self.sendout == "cancelled":
            return False
        self.entry_state, self.error_code, self.snapshot = "queued", None, None
        self.attempt += 1
        for ask in self.asks.values():
            ask.is_closed = True
        return True
