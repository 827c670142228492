"""Random flows, random orders of events: the engine and the record agree on what was sent.

The run lives on the models of `server` and `record`; `story` says what the flow demands. What must
hold at every moment is asserted where it would break, what must hold in the end is asserted here.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from domain import run
from domain.delivery import Accepted, Answer, NotSent, Refused, Remedy, Unclear
from domain.flow import MessageNode
from domain.run import Limits, RunState
from tests.domain.random_flows import VALUES, VARIABLE, flows
from tests.properties.record import OPEN, Record
from tests.properties.rows import Key
from tests.properties.server import Job, Server

ENTRY = UUID("33333333-3333-4333-8333-333333333333")
ANSWERS: dict[str, tuple[Answer, bool]] = {
    "taken": (Accepted("wamid"), True),
    "taken, and the answer lost": (Unclear("broken connection"), True),
    "lost before it was taken": (Unclear("read timeout"), False),
    "refused": (Refused(131026, "Undeliverable"), False),
    "refused, and all else, too": (Refused(131031, "Locked", remedy=Remedy.HOLD_CHANNEL), False),
    "to be tried again": (Refused(131056, "Pair limit", remedy=Remedy.BACKOFF), False),
    "no connection": (NotSent("no connection"), False),
}
OFTEN = [*["taken"] * 8, *["taken, and the answer lost"] * 3, *ANSWERS]
NATURAL = 4000
"""Steps after which a run that still goes on is taken to go on for ever."""
which = st.integers(0, 99)
_Thing = TypeVar("_Thing")


class AnyOrder(RuleBasedStateMachine):
    """One entry, and everything that can happen to it."""

    server: Server
    record: Record

    def __init__(self) -> None:
        super().__init__()
        self.inbound = 0
        self.failed: set[Key] = set()

    @initialize(
        flow=flows(),
        value=st.sampled_from(VALUES),
        max_sends=st.sampled_from([2, 4, 100]),
        skips=st.booleans(),
    )
    def begin(self, flow, value, max_sends, skips):
        messages = [name for name, n in flow.nodes.items() if isinstance(n, MessageNode)]
        skipped = frozenset(messages[-1:] if skips else [])
        self.record = Record(flow, ENTRY, skipped=skipped)
        self.server = Server(self.record, Limits(max_sends=max_sends), {VARIABLE: value})
        self.server.start_entry()

    # --- the course of things ------------------------------------------------------------------

    @rule(steps=st.integers(1, 12), at=which, answer=st.sampled_from(OFTEN))
    def things_take_their_course(self, steps, at, answer):
        for step in range(steps):
            self.go_on(at + step, answer)

    @precondition(lambda self: self.server.run is not None)
    @rule()
    def the_run_hears_what_came(self):
        self.server.wake()

    @precondition(lambda self: self.record.outbox)
    @rule(noted=st.sampled_from([True, True, False]))
    def a_fact_is_handed_over(self, noted):
        self.server.hand_over(noted=noted)

    @precondition(lambda self: self.server.ready())
    @rule(at=which, answer=st.sampled_from(OFTEN))
    def a_job_goes_on(self, at, answer):
        self._job_goes_on(_one(self.server.ready(), at), answer)

    @precondition(lambda self: self.server.ready())
    @rule(at=which)
    def a_worker_dies_at_a_job(self, at):
        self.server.die(_one(self.server.ready(), at))

    @precondition(lambda self: self.server.run is not None and self.server.run.timers)
    @rule(late=st.sampled_from([timedelta(), timedelta(), timedelta(days=2)]))
    def a_timer_fires(self, late):
        self.server.fire(late)

    @rule(minutes=st.sampled_from([1, 11]))
    def time_passes(self, minutes):
        self.record.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.server.is_quiet())
    @rule()
    def the_run_continues_as_new(self):
        self.server.continue_as_new()

    # --- the customer, and WhatsApp ------------------------------------------------------------

    @precondition(lambda self: self.server.accepted)
    @rule(at=which, name=st.sampled_from(["delivered", "delivered", "read", "sent", "failed"]))
    def a_status_comes(self, at, name):
        key = _one(self.server.accepted, at)
        row = self.record.rows[key]
        shown = row.tracked.delivered_at is not None or any(k == key for k, _ in self.record.clicks)
        if name == "failed" and shown:
            return
        if name == "failed":
            self.failed.add(key)
        elif key in self.failed and name != "sent":
            return
        self.record.take_status(key, name)

    @precondition(lambda self: self.server.tappable())
    @rule(at=which, again=st.booleans())
    def a_button_is_tapped(self, at, again):
        key, button = _one(self.server.tappable(), at)
        self.inbound += 1
        for _ in range(1 + again):
            self.record.tapped(key, button, f"tap {self.inbound}")

    @precondition(lambda self: self.server.accepted)
    @rule(again=st.booleans())
    def the_customer_writes(self, again):
        self.inbound += 1
        for _ in range(1 + again):
            self.record.wrote("words", f"text {self.inbound}")

    # --- levers --------------------------------------------------------------------------------

    @rule(lever=st.sampled_from(["pause", "resume", "hold_channel", "release_channel", "sweep"]))
    def a_lever_is_pulled(self, lever):
        getattr(self.record, lever)()

    @precondition(lambda self: any(r.state == "sending" for r in self.record.rows.values()))
    @rule(at=which)
    def the_sweep_doubts_what_a_dead_worker_left(self, at):
        left = [key for key, row in self.record.rows.items() if row.state == "sending"]
        self.record.doubt_abandoned(_one(left, at))

    @precondition(lambda self: self.record.entry_state == "failed")
    @rule()
    def the_entry_is_retried(self):
        # Too many sends is no failure that a retry could help; nor is one of our own.
        if self.record.error_code is None and self.record.retry():
            self.server.start_entry()

    @precondition(lambda self: not self.record.is_cancelled)
    @rule(whole=st.booleans(), sure=st.integers(0, 9))
    def the_entry_is_cancelled(self, whole, sure):
        if sure == 9:
            self.record.cancel(whole_sendout=whole)

    @precondition(lambda self: self.record.is_cancelled and self.server.run is not None)
    @rule()
    def the_run_of_what_was_cancelled_is_closed(self):
        if self.record.entry_state == "cancelled":
            self.server.close_run()

    # --- in the end ----------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "server"):
            return
        for step in range(NATURAL):
            if self.record.is_cancelled:
                self.server.close_run()
            self.record.resume()
            if self.record.channel_held:
                self.record.release_channel()
            if not self.go_on(step, "taken"):
                break
        else:
            raise AssertionError("the run goes on for ever")
        self._check_rest()

    def _check_rest(self) -> None:
        server, record = self.server, self.record
        assert server.run is None, "nothing is forgotten that the run waits for"
        assert record.entry_state not in OPEN
        story = server.stories[record.attempt]
        if record.is_cancelled:
            return
        assert story.paths == [], "the end is recorded when nothing is pending"
        assert record.snapshot is not None
        self._check_messages()
        if story.too_many:
            assert record.snapshot.over
            assert record.ends[-1] == ("failed", "TOO_MANY_SENDS")
            return
        clicks = {(*key[1:], b) for key, b in record.clicks if key[0] == record.attempt}
        assert story.used == clicks, "every click was heard, and started its path once"
        for key, ask in record.asks.items():
            assert ask.is_closed or key[0] != record.attempt
        self._check_snapshot(record.snapshot)
        self._check_outcome()

    def _check_messages(self) -> None:
        """Every message the flow demands was sent, or something stands in its way."""
        record, server = self.record, self.server
        story = server.stories[record.attempt]
        rows = {key[1:]: row.state for key, row in record.rows.items() if key[0] == record.attempt}
        assert set(rows) == set(story.demanded) or story.too_many
        for ref, state in rows.items():
            was_accepted = (record.attempt, *ref) in server.accepted
            assert state in {"sent", "failed", "refused", "skipped", "given_up", "expired"} or (
                story.too_many
            )
            if state == "sent":
                assert was_accepted
                assert ref in story.sent or story.too_many
            elif state == "given_up":
                assert ref in story.given_up or story.too_many
            elif state in {"refused", "skipped"}:
                assert not was_accepted

    def _check_snapshot(self, snapshot: RunState) -> None:
        story = self.server.stories[self.record.attempt]
        assert snapshot.visits == story.visits
        assert {tuple(tapped) for tapped in snapshot.used} == story.used
        assert set(snapshot.given_up) == story.given_up
        assert snapshot.outputs == story.outputs
        assert snapshot.sends == len(story.demanded)

    def _check_outcome(self) -> None:
        first = self.record.first()
        state = self.record.entry_state
        if first is None:
            assert state == "completed"
        elif first.state == "given_up":
            assert state == "unknown"
        else:
            assert state != "unknown"
        if first is not None and first.state == "refused":
            assert state == "failed"

    # --- one step ------------------------------------------------------------------------------

    def go_on(self, at: int, answer: str) -> bool:
        """The next thing that happens by itself; whether there was any."""
        server, record = self.server, self.record
        jobs = server.ready()
        walking = server.run if server.overtaken_by is None else None
        if walking is not None and (walking.inbox or walking.opens):
            server.wake()
        elif jobs:
            self._job_goes_on(_one(jobs, at), answer)
        elif record.outbox:
            server.hand_over()
        elif server.overtaken_by is not None or (
            server.run is not None and server.run.state.closed
        ):
            server.wake()
        elif server.is_waiting_held() and record.is_cancelled:
            # Nobody releases it; it is closed from outside.
            return False
        elif server.is_waiting_held() and record.sendout == "running" and not record.channel_held:
            # The sweep looks after what is held without a reason.
            record.sweep()
            assert record.outbox or (server.run and server.run.timers), "held for ever"
            if not record.outbox:
                server.fire()
        elif server.run is not None and server.run.timers:
            server.fire()
        else:
            return False
        return True

    def _job_goes_on(self, job: Job, answer: str) -> None:
        server = self.server
        match job.step, job.effect:
            case "queued", run.Send():
                server.claim(job)
            case "queued", _:
                server.look(job)
            case "posting", _:
                heard, taken = ANSWERS[answer]
                server.post(job, heard, taken=taken)
            case "posted", _:
                server.note(job)
            case _:
                server.answer(job)


def _one(things: Sequence[_Thing], at: int) -> _Thing:
    return things[at % len(things)]


AnyOrder.TestCase.settings = settings(
    max_examples=250,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestAnyOrder = AnyOrder.TestCase
