"""The demo's customers: what each of them does, and what the flow has for somebody who does that.

The expectations are written down here by hand, from the flow `examples/flows/demo.json`. The
engine has no part in them, so that the demo finds out when it is wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple


class Text(NamedTuple):
    """A message as a customer sees it."""

    text: str
    buttons: tuple[str, ...] = ()


class Tap(NamedTuple):
    """A tap on a button of the newest message of that node."""

    node: str
    button: str


MESSAGES: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "invite": Text("Hi {name}, will you come to our open day?", ("Yes", "No", "Stop messages")),
        "nudge": Text("{name}, a seat is still free for you.", ("Yes", "No")),
        "confirmed": Text("Great, {name}! See you at our open day."),
        "pity": Text("A pity, {name}. Maybe next time."),
    }
)
"""Every message of the flow by its node."""

IN_TIME: Final = 2.5
"""Seconds after the invite until which a tap that was heard has to stop the nudge: half of the flow's
delay."""

# Whatever a running simulator does by default, these customers behave as their plan says.
_CALM_PHONE: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "deliver": True,
        "read": False,
        "delayMs": 200,
        "duplicateStatuses": True,
        "shuffleStatuses": True,
        "latencyMs": 0,
        "failWith": None,
        "failRate": 0,
        "dropAfterAcceptRate": 0,
        "http500AfterAcceptRate": 0,
        "http500BeforeAcceptRate": 0,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What some of the customers do, and what the flow says they get.

    `gets` are the nodes of the messages WhatsApp accepts when the batch is sent, `again` those when
    the same batch is sent a second time. Attempts that fail are counted apart: a refused one never
    reaches the customer's phone, an undelivered one was accepted first.
    """

    does: str
    customers: int
    gets: tuple[str, ...]
    again: tuple[str, ...] = ()
    taps: Mapping[str, tuple[Tap, ...]] = field(default_factory=dict)
    phone: Mapping[str, Any] = field(default_factory=dict)
    refused: int = 0
    undelivered: int = 0
    asked_again: bool = False
    """Sent to once more under `allow_multiple`, which an opt-out has to stop."""

    @property
    def ends(self) -> str:
        """The outcome of the first sending."""
        return "failed" if self.refused or self.undelivered else "completed"

    @property
    def buttons(self) -> set[Tap]:
        """The buttons that are tapped, each once however often the finger came down."""
        return {tap for taps in self.taps.values() for tap in taps}


PLANS: Final = (
    Plan(
        does="taps Yes",
        customers=14,
        taps={"invite": (Tap("invite", "Yes"),)},
        gets=("invite", "confirmed"),
    ),
    Plan(
        does="taps No",
        customers=8,
        taps={"invite": (Tap("invite", "No"),)},
        gets=("invite", "pity"),
    ),
    Plan(
        does="taps Yes, and No afterwards",
        customers=6,
        taps={"invite": (Tap("invite", "Yes"),), "confirmed": (Tap("invite", "No"),)},
        gets=("invite", "confirmed", "pity"),
    ),
    Plan(
        does="taps Yes three times",
        customers=6,
        taps={
            "invite": (Tap("invite", "Yes"), Tap("invite", "Yes")),
            "confirmed": (Tap("invite", "Yes"),),
        },
        gets=("invite", "confirmed"),
    ),
    Plan(does="ignores every message", customers=14, gets=("invite", "nudge")),
    Plan(
        does="taps Yes on the nudge",
        customers=8,
        taps={"nudge": (Tap("nudge", "Yes"),)},
        gets=("invite", "nudge", "confirmed"),
    ),
    Plan(
        does="phone off when the delay ends",
        customers=6,
        phone={"delayMs": 2800, "shuffleStatuses": False},
        gets=("invite", "nudge"),
    ),
    Plan(
        does="taps Stop messages",
        customers=6,
        taps={"invite": (Tap("invite", "Stop messages"),)},
        gets=("invite",),
        asked_again=True,
    ),
    Plan(
        does="finds WhatsApp busy at first",
        customers=6,
        phone={"failWith": {"code": 130429, "times": 1}},
        gets=("invite", "nudge"),
    ),
    Plan(
        does="cannot be reached at first",
        customers=6,
        phone={"failWith": {"code": 131026, "via": "status", "times": 1}},
        gets=("invite",),
        undelivered=1,
        again=("invite", "nudge"),
    ),
    Plan(
        does="is refused by WhatsApp at first",
        customers=4,
        phone={"failWith": {"code": 130472, "via": "answer", "times": 1}},
        gets=(),
        refused=1,
        again=("invite", "nudge"),
    ),
)


@dataclass(slots=True)
class Customer:
    """One simulated customer: the plan, and the messages that reached WhatsApp for this number."""

    number: str
    name: str
    plan: Plan
    got: list[Text] = field(default_factory=list)
    newest: dict[str, str] = field(default_factory=dict)
    """Per node the wamid of its newest message."""
    tapped_after: float | None = None
    """At most so many seconds lie between the invite and its first tap, as the API heard it."""

    @property
    def phone(self) -> dict[str, Any]:
        """The simulator's settings for this customer."""
        return {**_CALM_PHONE, **self.plan.phone}

    def expects(self, *, again: bool) -> list[Text]:
        """The messages the flow has for this customer, in their order."""
        nodes = self.gets + (self.plan.again if again else ())
        return [self.text(node) for node in nodes]

    @property
    def gets(self) -> tuple[str, ...]:
        """The plan's nodes, and the nudge where it came although the customer tapped, but late.

        On a slow machine the delay may be over before such a tap is on record.
        """
        nudge = self.text("nudge")
        late = self.tapped_after is not None and self.tapped_after > IN_TIME
        if not late or nudge not in self.got:
            return self.plan.gets
        place = self.got.index(nudge)
        return (*self.plan.gets[:place], "nudge", *self.plan.gets[place:])

    def tap(self, node: str, seconds: float) -> None:
        """Note a tap that was heard when its message was at most so many seconds old."""
        if node == "invite" and self.tapped_after is None:
            self.tapped_after = seconds

    def receive(self, wamid: str, message: Text) -> tuple[Tap, ...]:
        """Note a message from the ledger; what the customer does about it."""
        self.got.append(message)
        node = next((name for name in MESSAGES if self.text(name) == message), None)
        if node is None:
            return ()
        self.newest[node] = wamid
        return self.plan.taps.get(node, ())

    def text(self, node: str) -> Text:
        """The message of that node as this customer gets it."""
        message = MESSAGES[node]
        return message._replace(text=message.text.format(name=self.name))


_NAMES = ("Ada", "Ben", "Chloé", "Dmitri", "Eva", "Farid", "Grace", "Hugo", "Inés", "João", "Kim")


def make_customers(first: int) -> list[Customer]:
    """Every planned customer, with numbers counting up from +4915… and the 9 digits of `first`."""
    customers: list[Customer] = []
    for plan in PLANS:
        for _ in range(plan.customers):
            n = len(customers)
            name = f"{_NAMES[n % len(_NAMES)]} {n + 1}"
            customers.append(Customer(f"+4915{(first + n) % 10**9:09}", name, plan))
    return customers


# --- what the API has to count -----------------------------------------------------------------

Counts = dict[str, dict[str, int]]


def expected_counts(customers: Iterable[Customer], *, again: bool) -> Counts:
    """The counts of the sendout after the first sending, or after both."""
    entries: Counter[str] = Counter()
    messages: Counter[str] = Counter()
    nodes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for customer in customers:
        plan = customer.plan
        entries[plan.ends] += 1
        messages["failed"] += plan.refused + plan.undelivered
        messages["delivered"] += len(customer.gets) - plan.undelivered
        messages["clicked"] += bool(plan.buttons)
        for tap in plan.buttons:
            nodes[tap.node][f"tapped {tap.button}"] += 1
        accepted = customer.gets
        if again:
            # Who got nothing may be sent to again; everybody else is a duplicate.
            entries["completed" if plan.again else "duplicate"] += 1
            entries["optedOut"] += plan.asked_again
            messages["delivered"] += len(plan.again)
            accepted += plan.again
        messages["sent"] += len(accepted)
        for node in accepted:
            nodes[node]["sent"] += 1
    entries["accepted"] = entries.total()
    return {"entries": dict(entries), "messages": dict(messages)} | {
        f"node {name}": dict(counts) for name, counts in nodes.items()
    }


def shown_counts(sendout: Mapping[str, Any]) -> Counts:
    """The counts of a sendout as the API answers them, zeros left out."""
    labels = {"yes": "Yes", "no": "No", "stop": "Stop messages"}
    counts: Counts = {name: _not_zero(sendout[name]) for name in ("entries", "messages")}
    for name, node in sendout["nodes"].items():
        taps = {f"tapped {labels.get(b, b)}": n for b, n in node["clicked"].items()}
        counts[f"node {name}"] = _not_zero({"sent": node["sent"]} | taps)
    return counts


def _not_zero(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: n for name, n in counts.items() if n}


def count_differences(expected: Counts, shown: Counts) -> list[str]:
    """One line per count that is not as expected."""
    lines = []
    for group in sorted({*expected, *shown}):
        wanted, found = expected.get(group, {}), shown.get(group, {})
        lines += [
            f"{group}: {name} should be {wanted.get(name, 0)}, the API says {found.get(name, 0)}"
            for name in sorted({*wanted, *found})
            if wanted.get(name, 0) != found.get(name, 0)
        ]
    return lines


def wrong_customers(customers: Sequence[Customer], *, again: bool) -> list[Customer]:
    """The customers who did not get exactly what the flow has for them."""
    return [customer for customer in customers if customer.got != customer.expects(again=again)]
