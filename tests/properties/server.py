"""Temporal, the worker and WhatsApp as a model: who does what, one small thing at a time.

`Server` carries one entry's runs as `workflows.flow_run` and `runs` do: an inbox that is heard as a
whole, activities in steps of their own (queued, claimed, on the wire, noted, answered), timers,
signals that reach nobody or take a run up again. Nothing here happens by itself: a test says what
happens next.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

from domain import run
from domain.delivery import Answer
from domain.engine import advance
from domain.flow import Flow
from domain.requests import SendMessage, SendResult
from domain.run import Limits, Phase, RunState, SendOutcome, Setting, Stimulus
from domain.sending import Post, after
from tests.properties.record import POLICY, Record
from tests.properties.rows import Key, buttons_of
from tests.properties.story import Story

_TAKES_UP_AGAIN = (run.Clicked, run.Settled)
Work = run.Send | run.CheckDelay | run.OpenAsk | run.CloseAsk | run.Finish


@dataclass
class Job:
    """An effect on its way. A send goes queued, posting, posted, decided; the others have two steps."""

    run: "Run"
    effect: Work
    closing: RunState | None = None
    step: str = "queued"
    tries: int = 0
    order: SendMessage | None = None
    answer: Answer | None = None
    stimulus: Stimulus | None = None


@dataclass
class Run:
    """One execution of the workflow."""

    attempt: int
    setting: Setting
    opens: bool = False
    """It begins by reading the record, and hears nothing before."""
    state: RunState = field(default_factory=RunState)
    inbox: deque[Stimulus] = field(default_factory=deque)
    timers: dict[int, run.StartTimer] = field(default_factory=dict)
    unset: list[Job] = field(default_factory=list)
    """Jobs of this step: they read the state once the run has heard all there is."""


@dataclass
class Server:
    """See the module."""

    record: Record
    limits: Limits
    variables: dict[str, str]
    run: Run | None = None
    overtaken_by: int | None = None
    jobs: list[Job] = field(default_factory=list)
    accepted: list[Key] = field(default_factory=list)
    """What WhatsApp took, in its order; a message may be in it once."""
    stories: dict[int, Story] = field(default_factory=dict)
    reopened: bool = False
    """The run of the newest attempt had closed, and was taken up again from its snapshot."""

    @property
    def flow(self) -> Flow:
        return self.record.flow

    # --- starting and telling (runs) -----------------------------------------------------------

    def start_entry(self) -> None:
        """The sendout starts the entry's attempt; again is harmless."""
        attempt = self.record.attempt
        if self.run is None and attempt not in self.stories:
            self._begin(attempt)
        elif self.run is not None and attempt > self.run.attempt:
            self.overtaken_by = attempt
        self.record.start()

    def _begin(self, attempt: int) -> None:
        setting = Setting(self.flow, str(self.record.entry), self.variables, self.limits)
        self.run = Run(attempt, setting)
        self.reopened = False
        self.run.inbox.append(run.Started())
        self.stories[attempt] = Story(self.flow, setting)

    def hand_over(self, *, noted: bool = True) -> None:
        """Tell a run the oldest fact in the outbox; without the note of it, it is told again."""
        fact = self.record.outbox[0]
        if noted:
            self.record.outbox.pop(0)
        if fact == "held":
            self._take_back()
            return
        attempt, stimulus = fact if isinstance(fact, tuple) else (None, fact)
        assert not isinstance(stimulus, str | tuple)
        if attempt not in (None, self.record.attempt):
            return
        if self.run is None:
            if attempt is None or not isinstance(stimulus, _TAKES_UP_AGAIN):
                return
            setting = Setting(self.flow, str(self.record.entry), self.variables, self.limits)
            self.run = Run(attempt, setting, opens=True)
            self.reopened = True
        if attempt in (None, self.run.attempt):
            self.run.inbox.append(stimulus)

    def _take_back(self) -> None:
        """A pause takes sends out of the queue: those that no worker has begun."""
        for job in self.jobs:
            mine = job.run is self.run and isinstance(job.effect, run.Send)
            if mine and job.step == "queued" and job.tries == 0:
                self._decide(job, SendResult(outcome=SendOutcome.HELD))

    # --- the run (workflows.flow_run) ----------------------------------------------------------

    def wake(self) -> None:
        """The run hears everything that has come since."""
        walking = self.run
        if walking is None:
            return
        if self.overtaken_by is not None:
            self._begin_again(walking)
            return
        if walking.opens:
            opened = self.record.open_run(walking.attempt)
            if opened is None:
                self.run = None
                return
            walking.state, walking.opens = opened, False
        while walking.inbox:
            self.step(walking, walking.inbox.popleft())
        for job in walking.unset:
            self._set_off(job)
        walking.unset.clear()
        mine = any(job.run is walking for job in self.jobs)
        if walking.state.closed and not mine:
            self.run = None

    def _begin_again(self, walking: Run) -> None:
        if not any(job.run is walking for job in self.jobs):
            assert self.overtaken_by is not None
            self._begin(self.overtaken_by)
            self.overtaken_by = None

    def step(self, walking: Run, stimulus: Stimulus) -> None:
        before = walking.state
        now = self.record.now
        walking.state, effects = advance(walking.setting, before, stimulus, now)
        story = self.stories[walking.attempt]
        story.hear(stimulus, before)
        for effect in effects:
            match effect:
                case run.StartTimer():
                    walking.timers[effect.timer] = effect
                case run.StopTimer():
                    walking.timers.pop(effect.timer, None)
                case run.Close():
                    pass
                case _:
                    self._check_end(effect, story)
                    job = Job(walking, effect)
                    walking.unset.append(job)
                    self.jobs.append(job)
                    is_asking = not isinstance(effect, run.Finish | run.CloseAsk)
                    assert not (before.over and is_asking), "the end is the end"
                    if isinstance(effect, run.Send):
                        story.is_asked(effect)
        story.agrees_with(walking.state)

    def _check_end(self, effect: Work, story: Story) -> None:
        """The end may be recorded with what is asked for only if nothing else is pending."""
        others = list(story.paths)
        match effect:
            case run.Send(last=True):
                others = [path for path in story.paths if path.at != effect.message]
            case run.CheckDelay(last=True):
                others = story.paths[1:]
            case run.Finish():
                pass
            case _:
                return
        assert not others, "an end is recorded when nothing else is pending"

    def _set_off(self, job: Job) -> None:
        job.closing = job.run.state.at_rest()
        send = job.effect
        if isinstance(send, run.Send):
            job.order = SendMessage(
                entry=self.record.entry,
                attempt=job.run.attempt,
                node=send.message.node,
                visit=send.message.visit,
                number=send.number,
                cause=send.cause,
                led_by=send.led_by,
                due=send.due,
                outputs=job.run.state.outputs,
                closing=job.closing if send.last else None,
            )

    def is_quiet(self) -> bool:
        """Nothing is on its way, so that the run may go on in a new history."""
        here = self.run
        if here is None or here.inbox or here.opens or here.state.closed:
            return False
        return self.overtaken_by is None and not any(job.run is here for job in self.jobs)

    def continue_as_new(self) -> None:
        """Go on in a new history, with the state written down and read again."""
        old = self.run
        assert old is not None
        dumped = old.state.model_dump_json(exclude_unset=False)
        new = Run(old.attempt, old.setting, state=RunState.model_validate_json(dumped))
        new.inbox.append(run.Resumed())
        self.run = new
        kept = {number: timer.until for number, timer in old.timers.items()}
        window = old.state.window_timer
        self.wake()
        again = {number: timer.until for number, timer in new.timers.items()}
        if window is not None and self.run is not None:
            kept[self.run.state.window_timer or 0] = kept.pop(window)
        assert again == kept, "every timer is set again for what is left of it"

    def close_run(self) -> None:
        """The run of a cancelled entry is closed from outside; what has begun is finished."""
        self.run, self.overtaken_by = None, None

    def fire(self, late: timedelta = timedelta()) -> None:
        """Time passes until the run's next timer is due, or beyond it."""
        assert self.run is not None
        timer = min(self.run.timers.values(), key=lambda t: (t.until, t.timer))
        del self.run.timers[timer.timer]
        self.record.now = max(self.record.now, timer.until) + late
        self.run.inbox.append(run.TimerFired(timer.timer))

    # --- activities ----------------------------------------------------------------------------

    def ready(self) -> list[Job]:
        """Jobs whose next step is theirs alone to take."""
        return [job for job in self.jobs if job not in (self.run.unset if self.run else [])]

    def claim(self, job: Job) -> None:
        """A worker takes a send up: the record decides, and the call may be made."""
        assert job.order is not None
        job.tries += 1
        was_cancelled = self.record.is_cancelled or job.order.attempt != self.record.attempt
        decision, result = self.record.take_up(job.order, job.tries)
        if result is None:
            assert isinstance(decision, Post)
            assert not was_cancelled, "nothing is sent after a cancel"
            job.step = "posting"
        else:
            self._decide(job, result)

    def post(self, job: Job, answer: Answer, *, taken: bool) -> None:
        """The call is made: `taken` is the truth, `answer` what the worker gets to hear."""
        assert job.order is not None
        if taken:
            key = (job.order.attempt, job.order.node, job.order.visit)
            assert key not in self.accepted, "no message is sent twice"
            self.accepted.append(key)
        job.answer, job.step = answer, "posted"

    def note(self, job: Job) -> None:
        """What came of the call is recorded."""
        assert job.order is not None
        assert job.answer is not None
        key = (job.order.attempt, job.order.node, job.order.visit)
        recorded = after(job.answer, self.record.rows[key].tries, POLICY)
        result = self.record.note_answer(job.order, recorded, job.tries)
        if result is None:
            job.step = "queued"
        else:
            self._decide(job, result)

    def die(self, job: Job) -> None:
        """The worker dies at it, or its word of it is lost: the activity is tried again."""
        job.step, job.answer, job.stimulus = "queued", None, None

    def look(self, job: Job) -> None:
        """A look into the record, or a note in it."""
        attempt = job.run.attempt
        match job.effect:
            case run.CheckDelay() as check:
                closing = job.closing if check.last else None
                job.stimulus = self.record.check_delay(attempt, check, closing)
            case run.OpenAsk():
                self.record.open_ask((attempt, *job.effect.ask))
            case run.CloseAsk():
                answer = self.record.close_ask((attempt, *job.effect.ask))
                job.stimulus = run.AskClosed(job.effect.ask, *answer)
            case run.Finish():
                assert job.closing is not None
                self.record.end(attempt, job.closing, too_many=job.effect.too_many_sends)
                job.stimulus = run.Finished()
        job.step = "decided"

    def _decide(self, job: Job, result: SendResult) -> None:
        assert isinstance(job.effect, run.Send)
        again_in = None if result.again_in is None else timedelta(seconds=result.again_in)
        job.stimulus = run.SendFinished(
            job.effect.path, result.outcome, again_in, result.recorded_end
        )
        job.step = "decided"

    def answer(self, job: Job) -> None:
        """The run is told how a job ended."""
        self.jobs.remove(job)
        if job.run is self.run and job.stimulus is not None:
            job.run.inbox.append(job.stimulus)

    # --- looking -------------------------------------------------------------------------------

    def tappable(self) -> list[tuple[Key, str]]:
        """Buttons a customer can see."""
        return [
            (key, button)
            for key in self.accepted
            if self.record.rows[key].tracked.failed_at is None
            for button in buttons_of(self.flow, key)
        ]

    def is_waiting_held(self) -> bool:
        state = self.run.state if self.run else None
        return state is not None and any(path.phase is Phase.HELD for path in state.paths)
