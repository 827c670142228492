"""Each sender's messages per second, held by the Temporal server (api.md section 6, design section 3)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest

from tests.chaos.conftest import Size
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import flow, template
from tests.e2e.patience import until

HELLO = flow(hello=template("Hello"))
FIRST, SECOND = "+15550001111", "+15550002222"
BACKLOG = 30
"""Seconds of sending that wait for each sender."""
BURST = 2.0
"""Seconds of sending that the server allows at once, of which a stalled machine makes use at any time."""
STEADY = 3.0
"""Seconds after which the burst that the server allows at first is over."""

pytestmark = pytest.mark.parametrize("either_stack", ["give_up"], indirect=True)
SetRate = Callable[[str, int], None]


@pytest.fixture
def second(business: Business) -> str:
    """Another sender of the business; its number."""
    known = {channel["phoneNumber"] for channel in business.get("/channels")["data"]}
    if SECOND not in known:
        business.post(
            "/channels",
            {
                "phoneNumber": SECOND,
                "phoneNumberId": "2222",
                "wabaId": "8888",
                "accessToken": "second-token",
                "appSecret": "second-secret",
            },
        )
    return SECOND


@dataclass(frozen=True)
class Backlog:
    """What waits for one sender, and how fast it is to send that."""

    sender: str
    per_second: int
    clients: list[str]

    def exceeds(self, accepted: list[float]) -> bool:
        """Whether more went out than rate and burst allow, however the messages were bunched."""
        allowed = self.per_second * ((accepted[-1] - accepted[0]) * 1.1 + BURST)
        return len(accepted) > allowed

    def share(self, accepted: list[float]) -> float:
        """The part of its rate that a sender made use of, from the third second to its last message."""
        steady = [at for at in accepted if at >= accepted[0] + STEADY]
        return (len(steady) - 1) / (steady[-1] - steady[0]) / self.per_second


def test_each_sender_is_held_to_its_rate_and_uses_it(
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    second: str,
    name: str,
    size: Size,
    set_rate: SetRate,
):
    """Two backlogs at once; nothing makes up for a stall by more than the server's burst."""
    business.publish(name, HELLO)
    for _ in range(2):
        backlogs = [
            Backlog(sender, rate, numbers.take(BACKLOG * rate))
            for sender, rate in zip((FIRST, second), size.rates, strict=True)
        ]
        shares = measure(business, customers, name, backlogs, set_rate)
        print("  of its rate each sender used", *(f"{share:.3f}" for share in shares))
        # A machine that stalled for seconds says nothing; one that does so twice is too slow.
        if min(shares) >= 0.9 and max(shares) <= 1.1:
            return
    pytest.fail(f"of their rates the senders used {shares}")


def measure(
    business: Business,
    customers: Customers,
    name: str,
    backlogs: list[Backlog],
    set_rate: SetRate,
) -> list[float]:
    """Send all backlogs at once; each one's share of its rate."""
    for backlog in backlogs:
        set_rate(backlog.sender, backlog.per_second)
    for backlog in backlogs:
        business.send(name, backlog.clients, sender=backlog.sender)
    everybody = [client for backlog in backlogs for client in backlog.clients]
    until(lambda seen: len(seen) == len(everybody), lambda: accepted(customers, everybody))
    times = {backlog.sender: accepted(customers, backlog.clients) for backlog in backlogs}
    assert not [backlog.sender for backlog in backlogs if backlog.exceeds(times[backlog.sender])]
    return [backlog.share(times[backlog.sender]) for backlog in backlogs]


def test_a_changed_rate_holds_for_what_is_queued(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str, set_rate: SetRate
):
    set_rate(FIRST, 1)
    clients = numbers.take(60)
    business.start(name, HELLO, clients)
    until(lambda seen: len(seen) >= 3, lambda: accepted(customers, clients))
    assert len(accepted(customers, clients)) < 30
    set_rate(FIRST, 60)
    until(lambda seen: len(seen) == 60, lambda: accepted(customers, clients), within=60)


def test_a_paused_sendout_does_not_slow_another_of_its_sender(
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    second: str,
    name: str,
    set_rate: SetRate,
):
    """Its sends are taken out of the queue, where each would cost a part of the rate."""
    set_rate(FIRST, 3)
    set_rate(second, 3)
    paused, other, beside = numbers.take(60), numbers.take(12), numbers.take(12 + 30)
    business.publish(name, HELLO)
    business.publish(f"{name} too", HELLO)
    first = business.send(name, paused)
    until(bool, lambda: accepted(customers, paused))
    until(lambda seen: seen["entries"]["queued"] == 0, first.read)
    first.order("pause")
    before = len(accepted(customers, paused))
    assert before < 30
    business.send(f"{name} too", other)
    business.send(f"{name} too", beside, sender=second)
    until(lambda seen: len(seen) == 12, lambda: accepted(customers, other), within=60)
    # Behind the paused ones they would have waited for longer than another sender takes for thirty more.
    last = accepted(customers, other)[-1]
    assert sum(at < last for at in accepted(customers, beside)) < len(beside)
    first.order("resume")
    set_rate(FIRST, 60)
    until(lambda seen: len(seen) == 60, lambda: accepted(customers, paused))


def accepted(customers: Customers, clients: list[str]) -> list[float]:
    """When messages to these clients were accepted, by the simulator's clock, in order."""
    wanted = set(clients)
    return [
        datetime.fromisoformat(message["acceptedAt"]).timestamp()
        for message in customers.messages()
        if message["to"] in wanted
    ]
