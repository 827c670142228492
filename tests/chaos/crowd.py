"""The customers of a batch, who go on tapping while WhatsApp's side is killed and comes back."""

import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime

import httpx

from tests.chaos.journey import NODE_OF_TEXT, Person
from tests.e2e.customers import Customers, Message


class Crowd:
    """What these customers got, by the simulator's ledger, and their taps on it."""

    def __init__(self, customers: Customers, people: Mapping[str, Person]) -> None:
        self.people = people
        self.ledger: list[Message] = []
        self.tapped: set[tuple[str, str, str]] = set()
        """Number, node and button of every tap that WhatsApp took."""
        self._customers = customers
        self._seen = ""
        self._taps: deque[tuple[float, Message, str]] = deque()

    def look(self) -> int:
        """Read what is new and make the taps that are due; how many messages they have by now.

        While the simulator is away nothing is new. A tap whose answer was lost is made again.
        """
        try:
            for message in self._customers.messages(after=self._seen):
                self._seen = str(message["id"])
                if message["to"] in self.people:
                    self._take(message)
            self._tap()
        except httpx.TransportError:
            pass
        return len(self.ledger)

    def _take(self, message: Message) -> None:
        self.ledger.append(message)
        person = self.people[message["to"]]
        accepted_at = datetime.fromisoformat(message["acceptedAt"]).timestamp()
        for button in person.taps.get(node_of(message), ()):
            self._taps.append((accepted_at + person.wakes_after, message, button))

    def _tap(self) -> None:
        for _ in range(len(self._taps)):
            due, message, button = self._taps[0]
            if due <= time.time():
                self._customers.tap(str(message["id"]), button)
                self.tapped.add((message["to"], node_of(message), button))
                self._taps.popleft()
            else:
                self._taps.rotate(-1)

    @property
    def is_done_tapping(self) -> bool:
        """Whether every tap on what they got was made."""
        return not self._taps

    def got(self) -> dict[str, list[str]]:
        """The nodes whose messages each customer got, in order."""
        got: dict[str, list[str]] = {number: [] for number in self.people}
        for message in self.ledger:
            got[message["to"]].append(node_of(message))
        return got

    def missing(self) -> dict[str, set[str]]:
        """What is owed to whom and was not accepted, by customer."""
        got = self.got()
        missing = {n: person.owed(got[n]) - set(got[n]) for n, person in self.people.items()}
        return {number: nodes for number, nodes in missing.items() if nodes}


def node_of(message: Message) -> str:
    """The node of the flow that a message is a copy of."""
    node: str = NODE_OF_TEXT[message["text"]]
    return node
