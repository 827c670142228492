"""A simulated world around a run: the record, WhatsApp, the customer, the clock.

It answers the engine's effects as the activities do, but in any order and with any outcome, lets the
customer act at any moment, and hands news over later than it happened. After every step it holds the
run to what must always be true.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain import run
from domain.engine import advance
from domain.flow import DelayNode, MessageNode
from domain.run import MessageRef, Phase, RunState, SendOutcome, Setting, Stimulus
from tests.domain.world_messages import (
    NOT_POSTED,
    OUTCOMES,
    ROW_STATE,
    STANDS,
    UNSETTLED,
    Job,
    Row,
    Work,
    weight,
)

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
GRACE = timedelta(minutes=10)

_WAITS_FOR = {
    Phase.SENDING: run.Send,
    Phase.CHECKING: run.CheckDelay,
    Phase.CLOSING_ASK: run.CloseAsk,
}
_HAS_TIMER = (Phase.DELAYED, Phase.LATE, Phase.ASKING, Phase.UNSETTLED)
_COURSE = ("answer", "decide", "hand_over", "reopen", "release", "fire")


@dataclass
class World:
    """See the module."""

    setting: Setting
    choose: Callable[[list[str]], str]
    """Picks one of several things that can happen."""
    now: datetime = START
    state: RunState = field(default_factory=RunState)
    timers: dict[int, datetime] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    rows: dict[MessageRef, Row] = field(default_factory=dict)
    asks: dict[MessageRef, str | None] = field(default_factory=dict)
    """Open asks in the order they opened."""
    signals: deque[Stimulus] = field(default_factory=deque)
    taps: set[run.UsedButton] = field(default_factory=set)
    """Buttons whose first tap the run was told of."""
    snapshot: RunState | None = None
    unrecorded: bool = False
    """The entry runs again since something was settled, and its end is not recorded since."""
    numbers: dict[int, MessageRef] = field(default_factory=dict)
    owners: dict[MessageRef, int] = field(default_factory=dict)
    happened: list[tuple[Stimulus, list[run.Effect]]] = field(default_factory=list)
    phases: set[Phase] = field(default_factory=set)
    reopened: bool = False

    # --- one step ------------------------------------------------------------------------------

    def step(self, stimulus: Stimulus) -> list[run.Effect]:
        """Let the run take one step, and hold it to what must always be true."""
        before = self.state
        dumped = before.model_dump_json()
        after, effects = advance(self.setting, before, stimulus, self.now)
        assert before.model_dump_json() == dumped, "the given state is left as it was"
        reread = RunState.model_validate_json(dumped)
        assert advance(self.setting, reread, stimulus, self.now) == (after, effects)
        brief = before.model_dump_json(exclude_defaults=True)
        reread = RunState.model_validate_json(brief)
        assert advance(self.setting, reread, stimulus, self.now) == (after, effects)
        self.state = after
        self.phases |= {path.phase for path in after.paths}
        self.happened.append((stimulus, effects))
        over = before.over
        for effect in effects:
            self._carry_out(effect, was_over=over)
            over = over or isinstance(effect, run.Finish)
        if isinstance(stimulus, run.Clicked):
            self._check_click(stimulus, before)
        self._check_waiting()
        return effects

    def _carry_out(self, effect: run.Effect, *, was_over: bool) -> None:
        match effect:
            case run.StartTimer():
                assert effect.timer not in self.timers, "a timer's number is its own"
                self.timers[effect.timer] = effect.until
            case run.StopTimer():
                del self.timers[effect.timer]
            case run.OpenAsk():
                assert effect.ask not in self.asks
                self.asks[effect.ask] = None
            case run.Close():
                assert self.state.closed
            case run.Send():
                assert not was_over, "nothing is sent after the end"
                self._check_send(effect)
                self._start(effect)
            case run.Finish():
                assert not self.state.paths
                assert effect.too_many_sends == self.state.over
                self._start(effect)
            case _:
                self._start(effect)

    def _start(self, effect: Work) -> None:
        self.jobs.append(Job(effect, self.state.at_rest()))

    def _check_send(self, send: run.Send) -> None:
        """Each message belongs to one path, has its own number, and numbers grow by one."""
        on_the_way = [job.effect for job in self.jobs if isinstance(job.effect, run.Send)]
        assert send.path not in [other.path for other in on_the_way]
        assert self.owners.setdefault(send.message, send.path) == send.path
        if send.number not in self.numbers:
            assert send.number == len(self.numbers) + 1
            assert send.message not in self.numbers.values()
        assert self.numbers.setdefault(send.number, send.message) == send.message
        assert len(self.numbers) <= self.setting.limits.max_sends
        self.rows.setdefault(send.message, Row())

    def _check_click(self, click: run.Clicked, before: RunState) -> None:
        """The first tap of a button starts its path, no other tap starts anything."""
        tap = run.UsedButton(*click.message, click.button)
        begun = self.state.last_path - before.last_path
        if before.over:
            assert begun == 0
        elif tap in self.taps:
            assert begun == 0
            assert self.state.used == before.used
        else:
            revived = click.message in before.given_up
            assert self.state.over or begun == 1 + revived
            assert tap in self.state.used
        self.taps.add(tap)

    def _check_waiting(self) -> None:
        """Every pending path waits for something that will come, or for a release."""
        state = self.state
        own = {path.timer for path in state.paths} | {state.window_timer}
        assert set(self.timers) == own - {None}, "no timer is forgotten, none is left over"
        for path in state.paths:
            if kind := _WAITS_FOR.get(path.phase):
                jobs = [job for job in self.jobs if isinstance(job.effect, kind)]
                assert path.id in [_path_of(job.effect) for job in jobs]
            elif path.phase in _HAS_TIMER:
                assert path.timer is not None
        requests = [j.effect for j in self.jobs if isinstance(j.effect, run.Send | run.CheckDelay)]
        last = [request.path for request in requests if request.last]
        assert last == ([] if state.last_request is None else [state.last_request])
        finishing = any(isinstance(job.effect, run.Finish) for job in self.jobs)
        assert state.finishing == finishing
        if state.paths:
            assert not state.ended
            assert not state.closed
        else:
            recording = finishing or state.last_request is not None
            assert state.ended or recording
            assert state.closed or recording or state.window_timer is not None
        asking = [(p.node, p.visit) for p in state.paths]
        asking += [j.effect.ask for j in self.jobs if isinstance(j.effect, run.CloseAsk)]
        assert {ask for ask, answer in self.asks.items() if answer is None} <= set(asking)
        if state.closed:
            assert not self.timers
            assert state.over or not recording
            if not state.over:
                assert _kept(self.snapshot) == _kept(state.at_rest()), "the record knows all of it"

    # --- what can happen -----------------------------------------------------------------------

    def possible(self) -> list[str]:
        """What can happen now; see the methods of these names."""
        here = [row for row in self.rows.values() if row.may_be_there]
        found = {
            "decide": any(job.answer is None for job in self.jobs),
            "answer": any(job.answer is not None for job in self.jobs),
            "hand_over": bool(self.signals),
            "fire": bool(self.timers),
            "tap": any(self._tappable()),
            "write": any(row.state == "sent" and not row.replied for row in here)
            or None in self.asks.values(),
            "report": bool(here),
            "release": any(p.phase in (Phase.HELD, Phase.SENDING) for p in self.state.paths)
            and run.Released() not in self.signals,
            "continue_as_new": not self.jobs and not self.state.closed,
            "reopen": not self.jobs and self.state.closed and bool(self.signals),
        }
        return [name for name, can in found.items() if can]

    def happen(self, name: str) -> None:
        getattr(self, name)()

    def go_on(self, times: int) -> None:
        """Let so many things happen, the course of things more often than the customer's deeds."""
        for _ in range(times):
            can = self.possible()
            if can:
                self.happen(self.choose([*can, *(name for name in can if name in _COURSE)]))

    def decide(self) -> None:
        """The record decides about one effect that is on its way."""
        job = self._one([job for job in self.jobs if job.answer is None])
        match job.effect:
            case run.Send():
                job.answer = self._decide_send(job, job.effect)
            case run.CheckDelay():
                job.answer = self._decide_delay(job, job.effect)
            case run.CloseAsk():
                answer = self.asks.pop(job.effect.ask, None)
                inbound = None if answer is None else "wamid.answer"
                job.answer = run.AskClosed(job.effect.ask, answer, inbound)
            case run.Finish():
                self._record_end(job)
                job.answer = run.Finished()

    def _decide_send(self, job: Job, send: run.Send) -> run.SendFinished | None:
        row = self.rows[send.message]
        outcome = STANDS.get(row.state)
        post = self._draw("post", "do not") == "post" and row.state not in ("sending", "unknown")
        if outcome is None and post:
            # The call is on its way: what comes of it is decided after whatever happens first.
            row.state, row.posted = "sending", True
            return None
        if outcome is None:
            outcomes = [o for o in OUTCOMES.get(row.state, NOT_POSTED) for _ in range(weight(o))]
            outcome = SendOutcome(self._draw(*outcomes))
            row.state = ROW_STATE.get(outcome, row.state)
        again_in = None
        if outcome is SendOutcome.UNKNOWN:
            again_in = GRACE
        elif outcome is SendOutcome.HELD and self._draw("timed", "until released") == "timed":
            again_in = timedelta(hours=3)
        recorded = send.last and outcome in run.FINISHES_A_SEND
        if recorded:
            self._record_end(job)
        return run.SendFinished(send.path, outcome, again_in, recorded)

    def _decide_delay(self, job: Job, check: run.CheckDelay) -> run.DelayChecked:
        row = self.rows[check.message]
        delay = self.setting.flow.nodes[check.delay]
        assert isinstance(delay, DelayNode)
        reacted = row.clicked or (delay.condition == "no_response" and row.replied)
        verdict: run.Verdict = "go_on"
        if row.state == "failed" or (delay.condition != "all" and reacted):
            verdict = "end"
        elif not (row.delivered or row.clicked or row.replied):
            verdict, row.awaits_delivery = "wait", True
        recorded = check.last and verdict == "end"
        if recorded:
            self._record_end(job)
        return run.DelayChecked(check.path, verdict, recorded)

    def answer(self) -> None:
        """The run hears what was decided about one effect."""
        job = self._one([job for job in self.jobs if job.answer is not None])
        self.jobs.remove(job)
        assert job.answer is not None
        self.step(job.answer)

    def hand_over(self) -> None:
        """The run hears the oldest news."""
        self.step(self.signals.popleft())

    def fire(self) -> None:
        """Time passes until the next timer is due, or far beyond."""
        timer = min(self.timers, key=lambda t: (self.timers[t], t))
        beyond = timedelta(days=2) if self._draw("on time", "on time", "late") == "late" else None
        self.now = max(self.now, self.timers.pop(timer)) + (beyond or timedelta())
        self.step(run.TimerFired(timer))

    def _tappable(self) -> list[tuple[MessageRef, str]]:
        return [
            (ref, button.id)
            for ref, row in self.rows.items()
            if row.may_be_there
            and isinstance(node := self.setting.flow.nodes[ref.node], MessageNode)
            for button in node.buttons
        ]

    def tap(self) -> None:
        """The customer taps a button: a new one, or one tapped before."""
        ref, button = self._one(self._tappable())
        row = self.rows[ref]
        self.unrecorded = self.unrecorded or row.state in UNSETTLED
        row.clicked, row.state = True, "sent"
        self.signals.append(run.Clicked(ref, button, f"wamid.{len(self.happened)}"))

    def write(self) -> None:
        """The customer writes: the newest open ask gets the text."""
        for row in self.rows.values():
            row.replied = row.replied or row.state == "sent"
        open_asks = [ask for ask, answer in self.asks.items() if answer is None]
        if open_asks:
            self.asks[open_asks[-1]] = "words"
            self.signals.append(run.AskAnswered(open_asks[-1], "words", "wamid.answer"))
        for ref, row in self.rows.items():
            if row.awaits_delivery:
                row.awaits_delivery = False
                self.signals.append(run.Delivered(ref))
        self.signals.append(run.Replied())

    def report(self) -> None:
        """WhatsApp reports a message as received or failed, as `domain.status` takes it."""
        ref = self._one([ref for ref, row in self.rows.items() if row.may_be_there])
        row, failed = self.rows[ref], self._draw("delivered", "delivered", "failed") == "failed"
        if failed and (row.delivered or row.clicked):
            return
        unsettled = row.state in UNSETTLED
        self.unrecorded = self.unrecorded or unsettled
        row.state = "failed" if failed else "sent"
        row.delivered = row.delivered or not failed
        if unsettled:
            self.signals.append(run.Settled(ref, accepted=not failed))
        if failed and not unsettled:
            self.signals.append(run.Failed(ref))
        if row.awaits_delivery:
            row.awaits_delivery = False
            if not failed:
                self.signals.append(run.Delivered(ref))

    def release(self) -> None:
        """A hold ends, whoever is held."""
        self.signals.append(run.Released())

    def continue_as_new(self) -> None:
        """The run goes on in a new history: its timers are gone and set again."""
        kept = dict(self.timers)
        window = kept.pop(self.state.window_timer or 0, None)
        self.timers.clear()
        paths = self.state.paths
        self.step(run.Resumed())
        again = dict(self.timers)
        assert again.pop(self.state.window_timer or 0, None) == window or window is None
        assert self.state.paths == paths
        assert again == kept

    def reopen(self) -> None:
        """News for a run that is gone: it is taken up from the record's snapshot."""
        if not self.state.over:
            assert self.snapshot is not None
            self.reopened = True
            dumped = self.snapshot.model_dump_json(exclude_defaults=True)
            self.state = RunState.model_validate_json(dumped)
        self.hand_over()

    # --- the end -------------------------------------------------------------------------------

    def come_to_rest(self) -> None:
        """Let everything take its course, without another deed of the customer."""
        self.choose = lambda options: options[0]
        for _ in range(3000):
            can = self.possible()
            held = any(path.phase is Phase.HELD for path in self.state.paths)
            name = next((n for n in _COURSE if n in can and (n != "release" or held)), None)
            if name is None:
                self._check_rest()
                return
            self.happen(name)
        raise AssertionError("the run goes on for ever")

    def _check_rest(self) -> None:
        assert self.state.closed
        if not self.state.over:
            given_up = [ref for ref, row in self.rows.items() if row.state == "given_up"]
            assert sorted(self.state.given_up) == sorted(given_up), "what was settled is heard of"
            assert not self.unrecorded

    def _record_end(self, job: Job) -> None:
        self.snapshot, self.unrecorded = job.closing, False

    # --- choosing ------------------------------------------------------------------------------

    def _draw(self, *options: str) -> str:
        return self.choose(list(options))

    def _one(self, things: list):  # type: ignore[type-arg]
        return things[int(self.choose([str(i) for i in range(len(things))]))]


def _path_of(effect: Work) -> int | None:
    return None if isinstance(effect, run.Finish) else effect.path


def _kept(state: RunState | None) -> object:
    """A snapshot without the time of the last message, which its own send cannot know yet."""
    return None if state is None else state.model_copy(update={"last_message_at": None})
