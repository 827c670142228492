"""The flow engine: what a run does next (flow.md section 2).

`advance` is a pure function: the same state, stimulus and time give the same answer, on the first
run and on every replay. It knows no Temporal, no database and no clock.
"""

from datetime import datetime

from domain import run
from domain.flow import AskNode, DelayNode, MessageNode
from domain.run import Effect, MessageRef, Path, Phase, RunState, SendOutcome, Setting, Stimulus
from domain.walk import WAITING_ON_MESSAGE, Walk

_UNSETTLED = (SendOutcome.UNKNOWN, SendOutcome.GIVEN_UP, SendOutcome.HELD)
"""Answers after which a status may still tell what became of the message; held is among them
because a message of unknown outcome may be held before it is sent again."""


def advance(
    setting: Setting, state: RunState, stimulus: Stimulus, now: datetime
) -> tuple[RunState, list[Effect]]:
    """Take one step: the state after the stimulus, and what to do now, in order.

    `now` is the run's own time (timezone-aware). The given state is left as it was. A stimulus that
    comes too late, or a second time, changes nothing.
    """
    step = _Step(setting, state.model_copy(deep=True), now)
    step.state.closed = False
    step.take(stimulus)
    step.settle_down()
    return step.state, step.effects


class _Step(Walk):
    """What each stimulus does to the paths."""

    def take(self, stimulus: Stimulus) -> None:  # noqa: C901, PLR0912 one case per stimulus
        match stimulus:
            case run.Started():
                self.begin(self.flow.start, message=None, cause="start", led_by=None)
            case run.Resumed():
                self.resumed()
            case run.SendFinished():
                self.send_finished(stimulus)
            case run.TimerFired():
                self.timer_fired(stimulus.timer)
            case run.DelayChecked():
                self.delay_checked(stimulus)
            case run.Clicked():
                self.clicked(stimulus)
            case run.Replied():
                self.replied()
            case run.Delivered():
                self.check_late(stimulus.message)
            case run.Failed():
                self.failed(stimulus.message)
            case run.Settled():
                self.settled(stimulus.message, accepted=stimulus.accepted)
            case run.Released():
                self.released()
            case run.AskAnswered() | run.AskClosed():
                self.ask_ended(stimulus)
            case run.Finished():
                self.state.finishing = False
                self.end_recorded = not self.state.changed

    def resumed(self) -> None:
        self.state.window_timer = None
        for path in self.state.paths:
            if path.timer is not None and path.until is not None:
                about = f"{path.node}: {path.phase}"
                self.effects.append(run.StartTimer(path.timer, path.until, about))

    def send_finished(self, stimulus: run.SendFinished) -> None:
        path = self.path(stimulus.path, Phase.SENDING)
        ref = self.message_of(path) if path else None
        if stimulus.outcome is SendOutcome.ACCEPTED:
            self.state.last_message_at = self.now
        self.answered(stimulus)
        if path is None or ref is None:
            return
        noted, path.noted = path.noted, None
        match _as_known(stimulus.outcome, noted):
            case SendOutcome.ACCEPTED:
                self.accepted(path, ref)
            case SendOutcome.HELD if noted == "released":
                self.send(path)
            case SendOutcome.HELD:
                path.phase = Phase.HELD
                again_in = stimulus.again_in
                # Taken back from the queue: nobody looked at the time.
                again_in = self.until_expiry(path) if again_in is None else again_in
                self.wait(path, again_in, f"held before sending {ref.node}")
            case SendOutcome.UNKNOWN:
                path.phase = Phase.UNSETTLED
                self.wait(path, stimulus.again_in, f"outcome of {ref.node} unknown")
            case SendOutcome.CANCELLED:
                self.stop_everything()
                self.state.over = self.end_recorded = True
            case SendOutcome.GIVEN_UP:
                self.state.given_up.append(ref)
                self.drop(path)
            case _:
                self.drop(path)

    def answered(self, stimulus: run.SendFinished | run.DelayChecked) -> None:
        """Note whether the entry's end was recorded with it, as things still are."""
        if self.state.last_request == stimulus.path:
            self.state.last_request = None
            self.end_recorded = stimulus.recorded_end and not self.state.changed

    def accepted(self, path: Path, ref: MessageRef) -> None:
        """The provider has the message: follow `next` (flow.md 2.2)."""
        self.state.last_message_at = self.now
        path.message = ref
        self.go(path, self.message_node(ref.node).next)

    def timer_fired(self, timer: int) -> None:
        if timer == self.state.window_timer:
            self.state.window_timer = None
            return
        path = next((p for p in self.state.paths if p.timer == timer), None)
        if path is None:
            return
        over, path.timer, path.until = path.until, None, None
        if path.phase in (Phase.DELAYED, Phase.ASKING) and self.flow.expire_after is not None:
            path.due = over
        match path.phase:
            case Phase.DELAYED:
                self.check_delay(path)
            case Phase.LATE:
                # A delivery that is on record may not have reached the run yet.
                path.waited = True
                self.check_delay(path)
            case Phase.ASKING:
                path.phase = Phase.CLOSING_ASK
                self.effects.append(run.CloseAsk(path.id, MessageRef(path.node, path.visit)))
            case Phase.HELD | Phase.UNSETTLED:
                self.send(path)
            case _:
                pass

    def delay_checked(self, stimulus: run.DelayChecked) -> None:
        path = self.path(stimulus.path, Phase.CHECKING)
        self.answered(stimulus)
        if path is None:
            return
        node = self.flow.nodes[path.node]
        if stimulus.verdict == "go_on" and isinstance(node, DelayNode):
            path.cause = "delay"
            self.go(path, node.next, since=path.due)
        elif stimulus.verdict == "end":
            self.drop(path)
        elif path.noted is not None:
            path.due = None
            self.check_delay(path)
        elif path.waited and path.message is not None:
            self.state.not_received.append(path.message)
            self.drop(path)
        else:
            # From now on the delivery makes it due.
            path.phase, path.due = Phase.LATE, None
            until = self.setting.limits.late_delivery
            self.wait(path, until, f"{path.node}: waiting for delivery")

    def clicked(self, click: run.Clicked) -> None:
        """A tap starts its button's path, at most once (flow.md 2.3), and ends delays on it."""
        node = self.flow.nodes.get(click.message.node)
        used = run.UsedButton(*click.message, click.button)
        if self.state.over or not isinstance(node, MessageNode) or used in self.state.used:
            return
        button = node.button(click.button)
        if button is None or click.message.visit > self.state.visits.get(click.message.node, 0):
            return
        self.state.used.append(used)
        self.settled(click.message, accepted=True)
        for path in self.waiting_on(click.message):
            if self.delay_condition(path) != "all":
                self.drop(path)
        self.check_late(click.message)
        self.begin(button.next, message=click.message, cause="click", led_by=click.inbound_id)

    def replied(self) -> None:
        for path in list(self.state.paths):
            if path.phase in WAITING_ON_MESSAGE and self.delay_condition(path) == "no_response":
                self.drop(path)
            elif path.phase in (Phase.LATE, Phase.CHECKING) and path.message is not None:
                self.check_late(path.message)

    def check_late(self, message: MessageRef) -> None:
        """Something shows that the message was received: look at the delays waiting for that."""
        for path in self.waiting_on(message):
            if path.phase is Phase.CHECKING:
                path.noted = "delivered"
            elif path.phase is Phase.LATE:
                self.stop_timer(path)
                self.check_delay(path)

    def failed(self, message: MessageRef) -> None:
        """`failed` reported later ends every path that waits on that message (flow.md 2.2)."""
        for path in list(self.state.paths):
            waits = path.phase in (*WAITING_ON_MESSAGE, Phase.ASKING, Phase.CLOSING_ASK)
            if waits and path.message == message:
                self.call_off(path)
            elif path.phase is Phase.SENDING and self.message_of(path) == message:
                path.noted = "failed"

    def settled(self, message: MessageRef, *, accepted: bool) -> None:
        """An unknown outcome became known, before or after it was given up (flow.md 2.2)."""
        for path in list(self.state.paths):
            if self.message_of(path) != message:
                continue
            if path.phase is Phase.SENDING:
                path.noted = "accepted" if accepted else "failed"
            elif accepted:
                self.stop_timer(path)
                self.accepted(path, message)
            else:
                self.drop(path)
        if message not in self.state.given_up or self.state.over:
            return
        self.state.given_up.remove(message)
        if accepted:
            if self.state.window_timer is None:
                # One that is open stays open for as long as it was to.
                self.state.last_message_at = self.now
            next_node = self.message_node(message.node).next
            self.begin(next_node, message=message, cause="delay", led_by=None)
        else:
            # The entry runs again since it is settled; its end is another one now.
            self.state.ended, self.state.changed = False, True

    def released(self) -> None:
        for path in list(self.state.paths):
            if path.phase is Phase.HELD:
                self.stop_timer(path)
                self.send(path)
            elif path.phase is Phase.SENDING and path.noted is None:
                path.noted = "released"

    def ask_ended(self, stimulus: run.AskAnswered | run.AskClosed) -> None:
        """The answer goes on at `next`, silence at `on_timeout` (flow.md 2.5)."""
        asking = (Phase.ASKING, Phase.CLOSING_ASK)
        path = next(
            (
                p
                for p in self.state.paths
                if p.phase in asking and (p.node, p.visit) == stimulus.ask
            ),
            None,
        )
        node = self.flow.nodes[path.node] if path else None
        if path is None or not isinstance(node, AskNode):
            return
        self.stop_timer(path)
        if stimulus.text is None:
            path.cause = "delay"
            self.go(path, node.on_timeout, since=path.due)
        else:
            self.state.outputs[node.variable] = stimulus.text
            path.cause, path.led_by = "reply", stimulus.inbound_id
            self.go(path, node.next)


def _as_known(outcome: SendOutcome, noted: str | None) -> SendOutcome:
    """The outcome of a send: a status may be faster than the activity's answer, and knows better."""
    if noted == "failed" and outcome in (SendOutcome.ACCEPTED, *_UNSETTLED):
        return SendOutcome.REFUSED
    if noted == "accepted" and outcome in _UNSETTLED:
        return SendOutcome.ACCEPTED
    return outcome
