"""Where a simulated run went in one step of its engine, and what branches and splits decided."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from domain import run
from domain.conditions import choose_share, holds
from domain.flow import AskNode, BranchNode, DelayNode, MessageNode, SplitNode
from domain.run import MessageRef, RunState, Setting, Stimulus
from domain.simulated import Decision, Visit


def follow(
    setting: Setting, before: RunState, after: RunState, stimulus: Stimulus, at: timedelta
) -> tuple[list[Visit], list[Decision]]:
    """The nodes a path went through from `before` to `after`, and the decisions on its way."""
    steps = _Steps(setting, before, after, at)
    steps.take(stimulus)
    return steps.visits, steps.decisions


class _Steps:
    """Repeats one move of a path with the engine's own rules, which are pure."""

    def __init__(self, setting: Setting, before: RunState, after: RunState, at: timedelta) -> None:
        self.setting = setting
        self.before = before
        self.after = after
        self.at = at
        self.visits: list[Visit] = []
        self.decisions: list[Decision] = []

    def take(self, stimulus: Stimulus) -> None:
        nodes = self.setting.flow.nodes
        match stimulus:
            case run.Started():
                self._walk(self.setting.flow.start)
            case run.SendFinished(outcome=run.SendOutcome.ACCEPTED):
                self._walk_on(stimulus.path)
            case run.DelayChecked(verdict="go_on"):
                self._walk_on(stimulus.path)
            case run.Clicked() if self.after.last_path > self.before.last_path:
                node = nodes[stimulus.message.node]
                button = node.button(stimulus.button) if isinstance(node, MessageNode) else None
                self._walk(button.next if button else None)
            case run.AskAnswered() | run.AskClosed():
                self._ask_ended(stimulus)
            case _:
                pass

    def _walk_on(self, path_id: int) -> None:
        path = next((p for p in self.before.paths if p.id == path_id), None)
        node = self.setting.flow.nodes[path.node] if path else None
        if isinstance(node, MessageNode | DelayNode):
            self._walk(node.next)

    def _ask_ended(self, stimulus: run.AskAnswered | run.AskClosed) -> None:
        node = self.setting.flow.nodes[stimulus.ask.node]
        open_asks = [MessageRef(p.node, p.visit) for p in self.before.paths]
        if not isinstance(node, AskNode) or stimulus.ask not in open_asks:
            return
        answered = stimulus.text is not None
        inputs = {"variable": node.variable, "text": stimulus.text}
        said = "the customer answered" if answered else "no text came in time"
        self._decide(stimulus.ask.node, inputs, "answered" if answered else "timed_out", said)
        self._walk(node.next if answered else node.on_timeout)

    def _walk(self, target: str | None) -> None:
        """Through branches and splits to where the path has to wait, as `domain.walk` does."""
        while target is not None:
            node = self.setting.flow.nodes[target]
            visit = self.after.visits.get(target, 1)
            self.visits.append(Visit(target, visit, self.at))
            if isinstance(node, BranchNode):
                target = self._branch(target, node)
            elif isinstance(node, SplitNode):
                target = self._split(target, node, visit)
            else:
                self._land(target, node, visit)
                return

    def _branch(self, name: str, node: BranchNode) -> str | None:
        values = {**self.setting.variables, **self.after.outputs}
        inputs = {case.variable: values.get(case.variable, "") for case in node.cases}
        for i, case in enumerate(node.cases):
            if holds(case, values):
                said = f"case {i + 1} holds: {case.variable} {case.op} {_shown(case.value)}"
                return self._chosen(name, inputs, case.next, said)
        return self._chosen(name, inputs, node.otherwise, "no case holds")

    def _split(self, name: str, node: SplitNode, visit: int) -> str | None:
        target = choose_share(node, self.setting.entry_id, name, visit)
        inputs = {"entryId": self.setting.entry_id, "visit": visit}
        return self._chosen(name, inputs, target, "the hash of entry, visit and node says so")

    def _chosen(
        self, name: str, inputs: Mapping[str, Any], target: str | None, why: str
    ) -> str | None:
        on = f" → {target}" if target is not None else ", and nothing follows"
        self._decide(name, inputs, "end" if target is None else "go_on", why + on)
        return target

    def _land(self, name: str, node: object, visit: int) -> None:
        waits = any((p.node, p.visit) == (name, visit) for p in self.after.paths)
        if isinstance(node, DelayNode) and not waits:
            inputs = {"condition": node.condition, "clicked": True}
            self._decide(name, inputs, "end", "a button of its message was tapped before")

    def _decide(self, node: str, inputs: Mapping[str, Any], verdict: str, reason: str) -> None:
        self.decisions.append(Decision(node, self.at, dict(inputs), verdict, reason))


def _shown(value: object) -> str:
    return ", ".join(_texts(value)) if isinstance(value, tuple) else next(_texts((value,)))


def _texts(values: tuple[object, ...]) -> Iterator[str]:
    for value in values:
        yield str(value).lower() if isinstance(value, bool) else str(value)
