"""Rows of the record as a model: its messages and its asks."""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.flow import Flow, MessageNode
from domain.status import Tracked

Key = tuple[int, str, int]
"""A message: attempt, node, visit."""


@dataclass
class Row:
    """A row of `messages`."""

    tracked: Tracked
    number: int
    tries: int = 0
    lease: int | None = None
    unknown_since: datetime | None = None
    held_for: str | None = None
    accepted_at: datetime | None = None

    @property
    def state(self) -> str:
        return self.tracked.state

    def set(self, state: str) -> None:
        self.tracked = tracked_with(self.tracked, state=state)


@dataclass
class Ask:
    """A row of `asks`."""

    answer: str | None = None
    inbound: str | None = None
    is_closed: bool = False


def buttons_of(flow: Flow, key: Key) -> list[str]:
    """The buttons of a message."""
    node = flow.nodes[key[1]]
    return [button.id for button in node.buttons] if isinstance(node, MessageNode) else []


def new_message(key: Key) -> Tracked:
    name = f"{key[1]}#{key[2]}@{key[0]}"
    return Tracked(name, "new", None, None, None, None, None, awaits_delivery=False)


def tracked_with(tracked: Tracked, **changed: object) -> Tracked:
    return replace(tracked, **changed)  # type: ignore[arg-type]
