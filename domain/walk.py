"""Paths moving through a flow: the steps that every stimulus of `domain.engine` is made of."""

from dataclasses import replace
from datetime import datetime, timedelta

from domain import run
from domain.conditions import choose_case, choose_share
from domain.flow import AskNode, BranchNode, DelayNode, MessageNode, SplitNode
from domain.run import Effect, MessageRef, Path, Phase, RunState, Setting

WAITING_ON_MESSAGE = (Phase.DELAYED, Phase.CHECKING, Phase.LATE)


class Walk:
    """One step of a run being taken: its state, changed in place, and the effects so far."""

    def __init__(self, setting: Setting, state: RunState, now: datetime) -> None:
        self.setting = setting
        self.flow = setting.flow
        self.state = state
        self.now = now
        self.effects: list[Effect] = []
        self.end_recorded = False

    # --- walking -------------------------------------------------------------------------------

    def begin(
        self,
        target: str | None,
        *,
        message: MessageRef | None,
        cause: run.Cause,
        led_by: str | None,
    ) -> None:
        """Start a new path at `target`."""
        if self.state.over:
            return
        self.state.last_path += 1
        self.state.changed = True
        path = Path(
            id=self.state.last_path,
            phase=Phase.SENDING,
            node=self.flow.start,
            message=message,
            cause=cause,
            led_by=led_by,
        )
        self.state.paths.append(path)
        self.state.ended = False
        self.go(path, target)

    def go(self, path: Path, target: str | None, *, since: datetime | None = None) -> None:
        """Move a path to `target`, through branches and splits, to where it has to wait.

        `since` is when that was due, if it was before now: the worker may have been away.
        """
        landed = self.landing(target, self.state.visits)
        if landed is None:
            self.drop(path)
            return
        node = self.flow.nodes[landed]
        visit = self.state.visits.get(landed, 0) + 1
        path.node, path.visit, path.noted = landed, visit, None
        path.due, path.waited = None, False
        self.state.visits[landed] = visit
        match node:
            case MessageNode():
                self.first_send(path, since or self.now)
            case DelayNode():
                path.phase = Phase.DELAYED
                self.start_delay(path, node)
            case AskNode():
                path.phase = Phase.ASKING
                self.effects.append(run.OpenAsk(path.id, MessageRef(landed, visit)))
                self.wait(path, node.timeout, f"{landed}: waiting for a text")
            case _:
                raise AssertionError(f"a path cannot wait at {landed!r}")

    def landing(self, target: str | None, visits: dict[str, int]) -> str | None:
        """Where a path that goes to `target` next has to wait; counts visits of splits."""
        steps = 0
        while target is not None:
            node = self.flow.nodes[target]
            steps += 1
            if steps > len(self.flow.nodes):
                raise AssertionError(f"branches and splits lead in a circle at {target!r}")
            if isinstance(node, BranchNode):
                values = {**self.setting.variables, **self.state.outputs}
                target = choose_case(node, values)
            elif isinstance(node, SplitNode):
                visits[target] = visits.get(target, 0) + 1
                target = choose_share(node, self.setting.entry_id, target, visits[target])
            else:
                break
        return target

    def first_send(self, path: Path, due: datetime) -> None:
        if self.state.sends >= self.setting.limits.max_sends:
            self.stop_everything()
            self.state.over = True
            return
        self.state.sends += 1
        path.number = self.state.sends
        path.due = due if self.flow.expire_after is not None else None
        self.send(path)

    def send(self, path: Path) -> None:
        """Ask for the path's message to be sent, or for another look at it."""
        path.phase = Phase.SENDING
        ref = MessageRef(path.node, path.visit)
        visits = dict(self.state.visits)
        ends_here = self.landing(self.message_node(ref.node).next, visits) is None
        # A split on the way is counted only when it is passed: that end is recorded after it.
        ends_here = ends_here and visits == self.state.visits
        self.effects.append(
            run.Send(
                path=path.id,
                message=ref,
                number=path.number,
                cause=path.cause,
                led_by=path.led_by,
                last=ends_here and self.is_last(path),
                # The first message is due when the entry is, by the record's clock.
                due=path.due if path.number > 1 else None,
            )
        )

    def until_expiry(self, path: Path) -> timedelta | None:
        """How long a held message may still be sent (flow.md 2.11); at least a second."""
        if path.due is None or self.flow.expire_after is None:
            return None
        return max(path.due + self.flow.expire_after - self.now, timedelta(seconds=1))

    def start_delay(self, path: Path, node: DelayNode) -> None:
        already_clicked = any(used[:2] == path.message for used in self.state.used)
        if node.condition != "all" and already_clicked:
            self.drop(path)
            return
        about = {
            "all": "then go on",
            "no_click": "then go on without a click",
            "no_response": "then go on without a response",
        }[node.condition]
        self.wait(path, node.duration, f"{path.node}: {about}")

    def check_delay(self, path: Path) -> None:
        if path.message is None:
            raise AssertionError(f"the delay {path.node!r} belongs to no message")
        path.phase, path.noted = Phase.CHECKING, None
        last = self.is_last(path)
        self.effects.append(
            run.CheckDelay(path.id, path.node, path.message, last=last, waited=path.waited)
        )

    def is_last(self, path: Path) -> bool:
        """Whether the end may be recorded with what this path asks for now.

        Never while another snapshot is on its way to the record: the older could come second.
        """
        state = self.state
        others = any(p is not path for p in state.paths)
        if others or state.finishing or state.last_request is not None:
            return False
        state.last_request, state.changed = path.id, False
        return True

    # --- ending --------------------------------------------------------------------------------

    def settle_down(self) -> None:
        """After every stimulus: record the end once nothing is pending, then wait for clicks."""
        state = self.state
        self.withhold_end()
        if state.paths:
            state.ended = False
            self.stop_window()
            return
        if not state.ended:
            if not self.end_recorded:
                if not state.finishing and state.last_request is None:
                    self.finish()
                return
            state.ended = True
        if state.finishing:
            return
        if state.window_timer is not None and self.may_be_tapped():
            return
        self.stop_window()
        self.open_window()

    def withhold_end(self) -> None:
        """Another path began after one of this step had asked with the end: both are pending."""
        if len(self.state.paths) < 2:
            return
        for at, effect in enumerate(self.effects):
            if isinstance(effect, run.Send | run.CheckDelay) and effect.last:
                self.effects[at] = replace(effect, last=False)
                self.state.last_request, self.state.changed = None, True

    def finish(self) -> None:
        self.state.finishing, self.state.changed = True, False
        self.effects.append(run.Finish(too_many_sends=self.state.over))

    def open_window(self) -> None:
        """Stay open for clicks for a while after the last message (flow.md 2.6), then close."""
        last = self.state.last_message_at
        until = last + self.setting.limits.click_window if last is not None else self.now
        if until <= self.now or not self.may_be_tapped():
            self.state.closed = True
            self.effects.append(run.Close())
            return
        self.state.last_timer += 1
        self.state.window_timer = self.state.last_timer
        self.effects.append(run.StartTimer(self.state.last_timer, until, "open for clicks"))

    def stop_window(self) -> None:
        if self.state.window_timer is not None:
            self.effects.append(run.StopTimer(self.state.window_timer))
            self.state.window_timer = None

    def may_be_tapped(self) -> bool:
        """Whether some message of this run still has a button nobody tapped that would count."""
        if self.state.over:
            return False
        used = set(self.state.used)
        return any(
            run.UsedButton(name, visit, button.id) not in used
            for name, visits in self.state.visits.items()
            if isinstance(node := self.flow.nodes[name], MessageNode)
            for button in node.buttons
            for visit in range(1, visits + 1)
        )

    def stop_everything(self) -> None:
        for path in list(self.state.paths):
            self.call_off(path)

    # --- paths and timers ----------------------------------------------------------------------

    def path(self, path_id: int, phase: Phase) -> Path | None:
        return next((p for p in self.state.paths if p.id == path_id and p.phase is phase), None)

    def waiting_on(self, message: MessageRef) -> list[Path]:
        return [
            p for p in self.state.paths if p.phase in WAITING_ON_MESSAGE and p.message == message
        ]

    def message_of(self, path: Path) -> MessageRef | None:
        """The message a path is sending, if it is sending one."""
        sending = (Phase.SENDING, Phase.HELD, Phase.UNSETTLED)
        return MessageRef(path.node, path.visit) if path.phase in sending else None

    def message_node(self, name: str) -> MessageNode:
        node = self.flow.nodes[name]
        if not isinstance(node, MessageNode):
            raise TypeError(f"{name!r} is not a message")
        return node

    def delay_condition(self, path: Path) -> str | None:
        node = self.flow.nodes[path.node]
        return node.condition if isinstance(node, DelayNode) else None

    def drop(self, path: Path) -> None:
        """End a path."""
        self.stop_timer(path)
        self.state.paths.remove(path)

    def call_off(self, path: Path) -> None:
        """End a path from outside: an open ask must not take a text any more."""
        if path.phase is Phase.ASKING:
            self.effects.append(run.CloseAsk(path.id, MessageRef(path.node, path.visit)))
        self.drop(path)

    def wait(self, path: Path, duration: timedelta | None, about: str) -> None:
        if duration is None:
            return
        self.state.last_timer += 1
        path.timer, path.until = self.state.last_timer, self.now + duration
        self.effects.append(run.StartTimer(path.timer, path.until, about))

    def stop_timer(self, path: Path) -> None:
        if path.timer is not None:
            self.effects.append(run.StopTimer(path.timer))
            path.timer = path.until = None
