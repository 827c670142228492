"""What a run has to do, told plainly: flow.md section 2 read once more, without the engine.

A `Story` hears what the run heard, in the same order, and keeps no more than which paths are where.
It knows nothing of timers, of activities, of snapshots, of how an end is recorded.
"""

from collections import Counter
from dataclasses import dataclass, field

from domain import run
from domain.conditions import choose_case, choose_share
from domain.flow import AskNode, BranchNode, DelayNode, Flow, MessageNode, SplitNode
from domain.run import MessageRef, RunState, SendOutcome, Setting, Stimulus


@dataclass
class Teller:
    """One path: it is at a message that is to be sent, at a delay or at an ask."""

    at: MessageRef
    message: MessageRef | None
    """The message it belongs to: the one sent last on it, or the clicked one."""
    is_asked: bool = False
    """Its send is being decided: news of it wait for that."""
    news: bool | None = None
    """What became of its message, heard before the answer: accepted or not."""


@dataclass
class Story:
    """See the module. `demanded` are the messages the flow wants, in its order."""

    flow: Flow
    setting: Setting
    visits: Counter[str] = field(default_factory=Counter)
    paths: list[Teller] = field(default_factory=list)
    demanded: list[MessageRef] = field(default_factory=list)
    asked: list[MessageRef] = field(default_factory=list)
    sent: set[MessageRef] = field(default_factory=set)
    used: set[tuple[str, int, str]] = field(default_factory=set)
    given_up: set[MessageRef] = field(default_factory=set)
    outputs: dict[str, str] = field(default_factory=dict)
    too_many: bool = False
    is_cancelled: bool = False

    @property
    def over(self) -> bool:
        return self.too_many or self.is_cancelled

    # --- what is heard -------------------------------------------------------------------------

    def hear(self, stimulus: Stimulus, before: RunState) -> None:
        """`before` says only which node a path's number or a timer's means."""
        if self.over:
            return
        match stimulus:
            case run.Started():
                self._enter(None, self.flow.start)
            case run.SendFinished():
                self._answered(_where(before, stimulus.path), stimulus.outcome)
            case run.Settled():
                self._settled(stimulus.message, accepted=stimulus.accepted)
            case run.Clicked():
                self._clicked(stimulus)
            case run.Failed():
                self._failed(stimulus.message)
            case run.Replied():
                self._end([p for p in self.paths if self._condition(p) == "no_response"])
            case run.DelayChecked():
                self._judged(stimulus, before)
            case run.AskAnswered() | run.AskClosed():
                self._ask_over(stimulus.ask, stimulus.text)

    def is_asked(self, send: run.Send) -> None:
        """The engine wants this message sent, for the first time or again."""
        path = self._at(send.message)
        # What was due in the moment in which the run came to its limit goes out, unheard.
        if not self.too_many:
            assert path is not None, f"nobody asked for {send.message}"
            assert not path.is_asked, f"{send.message} is on its way twice"
            path.is_asked = True
        if send.message not in self.asked:
            self.asked.append(send.message)
            assert send.message in self.demanded
            assert send.number == len(self.asked) <= self.setting.limits.max_sends

    def _answered(self, message: MessageRef | None, outcome: SendOutcome) -> None:
        path = None if message is None else self._at(message)
        if path is None:
            return
        news, path.news, path.is_asked = path.news, None, False
        nobody_knows = {SendOutcome.UNKNOWN, SendOutcome.HELD, SendOutcome.GIVEN_UP}
        if outcome is SendOutcome.CANCELLED:
            self.is_cancelled, self.paths = True, []
        elif news is False and outcome in {*nobody_knows, SendOutcome.ACCEPTED}:
            self._end([path])
        elif outcome is SendOutcome.ACCEPTED or (news and outcome in nobody_knows):
            self._was_sent(path)
        elif outcome not in {SendOutcome.UNKNOWN, SendOutcome.HELD}:
            if outcome is SendOutcome.GIVEN_UP:
                self.given_up.add(path.at)
            self._end([path])

    def _was_sent(self, path: Teller) -> None:
        self.sent.add(path.at)
        node = self.flow.nodes[path.at.node]
        assert isinstance(node, MessageNode)
        path.message = path.at
        self._enter(path, node.next)

    def _settled(self, message: MessageRef, *, accepted: bool) -> None:
        path = self._at(message)
        if path is not None and path.is_asked:
            path.news = accepted
        elif path is not None and accepted:
            self._was_sent(path)
        elif path is not None:
            self._end([path])
        elif message in self.given_up:
            self.given_up.remove(message)
            if accepted:
                fresh = Teller(message, message)
                self.paths.append(fresh)
                self._was_sent(fresh)

    def _clicked(self, click: run.Clicked) -> None:
        node = self.flow.nodes[click.message.node]
        assert isinstance(node, MessageNode)
        button = node.button(click.button)
        assert button is not None
        tapped = (*click.message, click.button)
        if tapped in self.used:
            return
        self.used.add(tapped)
        self._settled(click.message, accepted=True)
        waiting = [p for p in self.paths if p.message == click.message]
        self._end([p for p in waiting if self._condition(p) in {"no_click", "no_response"}])
        if not self.over:
            self._enter(None, button.next, click.message)

    def _failed(self, message: MessageRef) -> None:
        ends = []
        for path in self.paths:
            is_message = isinstance(self.flow.nodes[path.at.node], MessageNode)
            if is_message and path.at == message and path.is_asked:
                path.news = False
            elif not is_message and path.message == message:
                ends.append(path)
        self._end(ends)

    def _judged(self, checked: run.DelayChecked, before: RunState) -> None:
        where = _where(before, checked.path)
        path = None if where is None else self._at(where)
        if path is None:
            return
        if checked.verdict == "wait":
            waiting = next(p for p in before.paths if p.id == checked.path)
            if waiting.waited and waiting.noted is None:
                self._end([path])
            return
        node = self.flow.nodes[path.at.node]
        assert isinstance(node, DelayNode)
        if checked.verdict == "go_on":
            self._enter(path, node.next)
        else:
            self._end([path])

    def _ask_over(self, ask: MessageRef, text: str | None) -> None:
        path = self._at(ask)
        if path is None:
            return
        node = self.flow.nodes[ask.node]
        assert isinstance(node, AskNode)
        if text is not None:
            self.outputs[node.variable] = text
        self._enter(path, node.on_timeout if text is None else node.next)

    # --- paths ---------------------------------------------------------------------------------

    def _enter(
        self, path: Teller | None, target: str | None, message: MessageRef | None = None
    ) -> None:
        """Go to `target` on a path, or on a new one that belongs to `message`."""
        if path is not None:
            message = path.message
        while target is not None:
            node = self.flow.nodes[target]
            if isinstance(node, BranchNode):
                target = choose_case(node, {**self.setting.variables, **self.outputs})
                continue
            self.visits[target] += 1
            if not isinstance(node, SplitNode):
                break
            target = choose_share(node, self.setting.entry_id, target, self.visits[target])
        if target is None:
            self._end([path])
            return
        if path is None:
            path = Teller(MessageRef("", 0), message)
            self.paths.append(path)
        path.at, path.is_asked, path.news = MessageRef(target, self.visits[target]), False, None
        self._arrive(path)

    def _arrive(self, path: Teller) -> None:
        """A path has come to a new place."""
        match self.flow.nodes[path.at.node]:
            case MessageNode() if len(self.demanded) == self.setting.limits.max_sends:
                self.too_many, self.paths = True, []
            case MessageNode():
                self.demanded.append(path.at)
            case DelayNode(condition="no_click" | "no_response"):
                if any(tapped[:2] == path.message for tapped in self.used):
                    self._end([path])

    def _end(self, ended: list[Teller] | list[Teller | None]) -> None:
        self.paths = [path for path in self.paths if not any(path is one for one in ended)]

    def _at(self, place: MessageRef) -> Teller | None:
        return next((path for path in self.paths if path.at == place), None)

    def _condition(self, path: Teller) -> str | None:
        node = self.flow.nodes[path.at.node]
        return node.condition if isinstance(node, DelayNode) else None

    # --- comparing -----------------------------------------------------------------------------

    def agrees_with(self, state: RunState) -> None:
        """The engine is where the story is."""
        assert Counter((p.at, p.message) for p in self.paths) == Counter(
            (MessageRef(p.node, p.visit), p.message) for p in state.paths
        )
        assert self.demanded == self.asked or self.too_many
        assert state.visits == self.visits
        assert {tuple(tapped) for tapped in state.used} == self.used
        assert len(state.used) == len(self.used)
        assert set(state.given_up) == self.given_up
        assert state.outputs == self.outputs
        # A run that was cancelled has nothing more to do either.
        assert state.over == self.over


def _where(before: RunState, path: int) -> MessageRef | None:
    found = [p for p in before.paths if p.id == path]
    return MessageRef(found[0].node, found[0].visit) if found else None
