"""The flow of the proofs and its customers: what each of them is owed, whatever breaks on the way."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.flows import button, delay, flow, template, text

Taps = Mapping[str, tuple[str, ...]]

FLOW: dict[str, Any] = flow(
    welcome=template("Welcome!", button("yes", "offer"), button("no"), then="wait"),
    wait=delay(10, "no_click", "nudge"),
    nudge=template("Still there?", button("now", "thanks")),
    thanks=text("Good to see you."),
    offer={
        "type": "message",
        "message": {"type": "buttons", "body": "Here is the offer."},
        "buttons": [button("buy", "order")],
        "next": "later",
    },
    later=delay(4, "all", "reminder"),
    reminder=template("The offer ends soon.", category="utility"),
    order=text("Your order is placed."),
)

NODE_OF_TEXT = {
    node["message"].get("preview") or node["message"]["body"]: name
    for name, node in FLOW["nodes"].items()
    if node["type"] == "message"
}
"""Every message of the flow reads differently."""


@dataclass(frozen=True)
class Person:
    """One kind of customer: which buttons of which message they tap, and how their phone behaves."""

    taps: Taps = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)
    """What the simulator is told of their phone: api.md section 8."""
    wakes_after: float = 0.0
    """Seconds from a message to the tap on it; until then the phone is off."""
    is_reachable: bool = True
    """Whether messages to this customer arrive, or WhatsApp reports that each has failed."""

    @property
    def reads(self) -> bool:
        """Whether their phone reports what was read."""
        return bool(self.knobs.get("read"))

    def receives(self, node: str) -> bool:
        """Whether this node's message is reported as delivered; a phone that is off wakes for its taps."""
        return self.is_reachable and (self.knobs.get("deliver", True) or node in self.taps)

    def owed(self, got: Collection[str]) -> set[str]:
        """The nodes whose messages the flow sends to who got these.

        What stands behind a message that is not among them is not owed (yet).
        """
        owed = {"welcome"}
        if "welcome" in got and self.is_reachable:
            if "yes" in self.taps.get("welcome", ()):
                owed.add("offer")
            if "welcome" not in self.taps:
                owed.add("nudge")
        if "offer" in got:
            owed.add("reminder")
            if "offer" in self.taps:
                owed.add("order")
        if "nudge" in got and "nudge" in self.taps:
            owed.add("thanks")
        return owed


_SLOW = {"latencyMs": 400}
KINDS = (
    Person(),
    Person({"welcome": ("yes",)}, _SLOW),
    Person({"welcome": ("yes",), "offer": ("buy",)}, {"read": True}),
    Person({"nudge": ("now",)}, _SLOW),
    Person({"welcome": ("no",)}),
    Person({"welcome": ("yes", "yes", "no")}, {"duplicateStatuses": True, "shuffleStatuses": True}),
    Person({"nudge": ("now", "now")}, {"read": True, "shuffleStatuses": True}),
    Person(knobs={"failWith": {"code": 131026, "via": "status"}} | _SLOW, is_reachable=False),
    Person({"welcome": ("no",)}, {"deliver": False}, wakes_after=14),
    Person({"offer": ("buy",), "welcome": ("yes",)}, _SLOW),
)


def crowd_of(numbers: Collection[str]) -> dict[str, Person]:
    """Customers of every kind in turn."""
    return {number: KINDS[place % len(KINDS)] for place, number in enumerate(numbers)}


def by_knobs(people: Mapping[str, Person]) -> Iterator[tuple[list[str], Mapping[str, Any]]]:
    """The numbers whose phones behave alike, with their behaviour."""
    phones: dict[int, tuple[list[str], Mapping[str, Any]]] = {}
    for number, person in people.items():
        phones.setdefault(id(person.knobs), ([], person.knobs))[0].append(number)
    yield from phones.values()


MESSAGES_EACH = 2.2
"""About how many messages one of them gets."""
