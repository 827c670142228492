"""One customer's walk through a flow: the durable shell around `domain.engine`.

Signals and finished activities become stimuli, the engine's effects become activities and timers.
The rules themselves are in `domain.engine`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol, TypeVar

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, CancelledError, RetryState

with workflow.unsafe.imports_passed_through():
    from activities.recording import Recording
    from activities.send import Sending
    from domain import requests, run
    from domain.engine import advance
    from domain.flow import DelayNode
    from domain.run import Effect, RunState, Setting, Stimulus
    from workflows import messages
    from workflows.details import describe

_SEND_TAKES_AT_MOST = timedelta(minutes=2)
_HEARTBEAT = timedelta(seconds=10)
_SEND_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)
)
# A record that is away for longer becomes a server timer instead of a held workflow task.
_LOCAL_RETRY_THRESHOLD = timedelta(seconds=2)
_LOCAL_TAKES_AT_MOST = timedelta(seconds=3)
_LOCAL_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30)
)

_LAST_LOOK = "last-look"
"""Runs of earlier releases gave up waiting for a delivery without another look at the record."""

_Asked = TypeVar("_Asked")
_Told = TypeVar("_Told")


class _NamesMessage(Protocol):
    @property
    def node(self) -> str: ...

    @property
    def visit(self) -> int: ...


def _ref(named: _NamesMessage) -> run.MessageRef:
    return run.MessageRef(named.node, named.visit)


def _was_taken_back(error: ActivityError) -> bool:
    """It was cancelled in the queue, or between two tries."""
    is_cancelled = isinstance(error.cause, CancelledError)
    return is_cancelled or error.retry_state is RetryState.CANCEL_REQUESTED


async def _in_the_record(
    look: Callable[[Recording, _Asked], Awaitable[_Told]], asked: _Asked
) -> _Told:
    """Run a local activity: it leaves one event in the history, and none while it is repeated."""
    return await workflow.execute_local_activity_method(
        look,
        asked,
        start_to_close_timeout=_LOCAL_TAKES_AT_MOST,
        retry_policy=_LOCAL_RETRY,
        local_retry_threshold=_LOCAL_RETRY_THRESHOLD,
    )


@workflow.defn(name=messages.RUN_WORKFLOW)
class FlowRunWorkflow:
    """The run of one entry; its id is `run-<entryId>`."""

    @workflow.init
    def __init__(self, start: messages.RunInput) -> None:
        self._input = start
        self._entry = messages.entry_of_run(workflow.info().workflow_id)
        self._setting = Setting(
            flow=start.flow.flow,
            entry_id=str(self._entry),
            variables=start.variables,
            limits=start.limits,
        )
        attributes = workflow.info().typed_search_attributes
        self._campaign = attributes.get(messages.CAMPAIGN_NAME, "unknown")
        self._state = start.state or RunState()
        self._inbox: deque[Stimulus] = deque()
        self._work: set[asyncio.Task[None]] = set()
        self._timers: dict[int, asyncio.Task[None]] = {}
        self._sends: list[workflow.ActivityHandle[requests.SendResult]] = []
        self._overtaken_by: int | None = None
        self._failure: BaseException | None = None

    @workflow.run
    async def walk(self, start: messages.RunInput) -> None:
        is_open = await self._open(start)
        while is_open and self._overtaken_by is None:
            await workflow.wait_condition(self._has_to_look_up)
            if self._failure is not None:
                # Fails the workflow task, for everybody to see, and not the run: a repaired worker goes on.
                raise RuntimeError("a step of the run failed") from self._failure
            while self._inbox and self._overtaken_by is None:
                self._step(self._inbox.popleft())
            if self._overtaken_by is not None:
                break
            if self._done():
                return
            if workflow.info().is_continue_as_new_suggested() and not self._work:
                self._continue_as_new(start)
        if self._overtaken_by is not None:
            await self._begin_again(start, self._overtaken_by)

    # --- what can happen to a run --------------------------------------------------------------

    @workflow.signal
    def begin(self, wanted: messages.Begin) -> None:
        """Told at every start of a later attempt, also by the start that made this run."""
        if wanted.attempt > self._input.attempt:
            self._overtaken_by = wanted.attempt

    @workflow.signal
    def button_clicked(self, click: messages.ButtonClicked) -> None:
        self._hear(click, run.Clicked(_ref(click), click.button, click.inbound))

    @workflow.signal
    def message_delivered(self, message: messages.MessageDelivered) -> None:
        self._hear(message, run.Delivered(_ref(message)))

    @workflow.signal
    def message_failed(self, message: messages.MessageFailed) -> None:
        self._hear(message, run.Failed(_ref(message)))

    @workflow.signal
    def message_settled(self, message: messages.MessageSettled) -> None:
        self._hear(message, run.Settled(_ref(message), message.accepted))

    @workflow.signal
    def ask_answered(self, answer: messages.AskAnswered) -> None:
        self._hear(answer, run.AskAnswered(_ref(answer), answer.text, answer.inbound))

    @workflow.signal
    def customer_wrote(self) -> None:
        self._inbox.append(run.Replied())

    @workflow.signal
    def held(self) -> None:
        """Take back the sends that wait in the queue: there they would cost their sender's rate.

        What a worker has begun goes on; it looks at the hold itself.
        """
        for send in self._sends:
            send.cancel()

    @workflow.signal
    def released(self) -> None:
        self._inbox.append(run.Released())

    def _hear(self, about: messages.OfAttempt, stimulus: Stimulus) -> None:
        """What concerns a message of another attempt is on record, and nothing to this walk."""
        if about.attempt == self._input.attempt:
            self._inbox.append(stimulus)

    # --- the loop's parts ----------------------------------------------------------------------

    async def _open(self, start: messages.RunInput) -> bool:
        """Begin, go on after continue-as-new, or take an ended entry up again."""
        if start.state is not None:
            self._inbox.appendleft(run.Resumed())
        elif not start.reopened:
            self._inbox.appendleft(run.Started())
        else:
            opening = requests.OpenRun(entry=self._entry, attempt=start.attempt)
            opened = await _in_the_record(Recording.open_run, opening)
            if opened.state is None:
                return False
            self._state = opened.state
        return True

    def _has_to_look_up(self) -> bool:
        is_called_off = self._overtaken_by is not None or self._failure is not None
        return bool(self._inbox) or is_called_off or self._done()

    def _done(self) -> bool:
        return self._state.closed and not self._work and not self._inbox

    def _step(self, stimulus: Stimulus) -> None:
        self._state, effects = advance(self._setting, self._state, stimulus, workflow.now())
        for effect in effects:
            self._carry_out(effect)
        workflow.set_current_details(describe(self._campaign, self._setting.flow, self._state))

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case run.StartTimer():
                self._timers[effect.timer] = asyncio.create_task(self._sleep(effect))
            case run.StopTimer():
                if timer := self._timers.pop(effect.timer, None):
                    timer.cancel()
            case run.Close():
                pass
            case run.CheckDelay(waited=True) if not workflow.patched(_LAST_LOOK):
                self._step(run.DelayChecked(effect.path, "wait"))
            case _:
                task = asyncio.create_task(self._work_on(effect))
                self._work.add(task)
                task.add_done_callback(self._work_ended)

    def _work_ended(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled():
            self._failure = self._failure or task.exception()

    async def _begin_again(self, start: messages.RunInput, attempt: int) -> None:
        """Leave this attempt where it stands, and walk the next one in a history of its own."""
        await workflow.wait_condition(lambda: not self._work)
        self._stop_timers()
        fresh = {"attempt": attempt, "state": None, "reopened": False}
        workflow.continue_as_new(start.model_copy(update=fresh))

    def _stop_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()

    def _continue_as_new(self, start: messages.RunInput) -> None:
        self._stop_timers()
        # What was changed in place counts as never set, and would be left out of the input.
        whole = RunState.model_construct(**dict(self._state))
        workflow.continue_as_new(start.model_copy(update={"state": whole}))

    # --- effects -------------------------------------------------------------------------------

    async def _sleep(self, timer: run.StartTimer) -> None:
        left = timer.until - workflow.now()
        # Already due when the run went on in a new history: the SDK refuses to sleep backwards.
        if left > timedelta(0):
            await workflow.sleep(left, summary=timer.about)
        self._timers.pop(timer.timer, None)
        self._inbox.append(run.TimerFired(timer.timer))

    async def _work_on(self, effect: Effect) -> None:
        match effect:
            case run.Send():
                self._inbox.append(await self._send(effect))
            case run.CheckDelay():
                self._inbox.append(await self._check_delay(effect))
            case run.OpenAsk():
                await _in_the_record(Recording.open_ask, self._ask(effect.ask))
            case run.CloseAsk():
                answer = await _in_the_record(Recording.close_ask, self._ask(effect.ask))
                self._inbox.append(run.AskClosed(effect.ask, answer.text, answer.inbound))
            case run.Finish():
                finish = requests.FinishRun(
                    entry=self._entry,
                    attempt=self._input.attempt,
                    at_rest=self._state.at_rest(),
                    too_many_sends=effect.too_many_sends,
                )
                await _in_the_record(Recording.finish_run, finish)
                self._inbox.append(run.Finished())

    async def _send(self, send: run.Send) -> run.SendFinished:
        order: dict[str, object] = {
            "entry": self._entry,
            "node": send.message.node,
            "visit": send.message.visit,
            "number": send.number,
        }
        if self._input.attempt != 1:
            order["attempt"] = self._input.attempt
        if send.cause != "start":
            order["cause"] = send.cause
        if send.led_by is not None:
            order["led_by"] = send.led_by
        if send.due is not None:
            order["due"] = send.due
        if self._state.outputs:
            order["outputs"] = self._state.outputs
        if send.last:
            order["closing"] = self._state.at_rest()
        priority = messages.PRIORITY_OF_CAUSE[send.cause]
        if send.cause == "start":
            priority = self._input.start_priority
        sending = workflow.start_activity_method(
            Sending.send_message,
            requests.SendMessage.model_validate(order),
            task_queue=messages.send_queue(workflow.info().task_queue),
            start_to_close_timeout=_SEND_TAKES_AT_MOST,
            heartbeat_timeout=_HEARTBEAT,
            retry_policy=_SEND_RETRY,
            priority=Priority(priority_key=priority, fairness_key=self._input.channel),
            summary=send.message.node,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        self._sends.append(sending)
        try:
            result = await sending
        except ActivityError as error:
            if not _was_taken_back(error):
                raise
            return run.SendFinished(send.path, run.SendOutcome.HELD)
        finally:
            self._sends.remove(sending)
        again_in = None if result.again_in is None else timedelta(seconds=result.again_in)
        return run.SendFinished(send.path, result.outcome, again_in, result.recorded_end)

    async def _check_delay(self, check: run.CheckDelay) -> run.DelayChecked:
        delay = self._setting.flow.nodes[check.delay]
        if not isinstance(delay, DelayNode):
            raise TypeError(f"{check.delay!r} is not a delay")
        verdict = await _in_the_record(
            Recording.check_delay,
            requests.CheckDelay(
                entry=self._entry,
                attempt=self._input.attempt,
                delay=check.delay,
                condition=delay.condition,
                node=check.message.node,
                visit=check.message.visit,
                closing=self._state.at_rest() if check.last else None,
            ),
        )
        return run.DelayChecked(check.path, verdict.verdict, verdict.recorded_end)

    def _ask(self, ask: run.MessageRef) -> requests.Ask:
        return requests.Ask(
            entry=self._entry, attempt=self._input.attempt, node=ask.node, visit=ask.visit
        )
