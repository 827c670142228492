"""Each sender's messages per second, held by the Temporal server (api.md section 6, design section 3)."""

import time
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

    def exceeds(self, since: float, accepted: list[float]) -> bool:
        """Whether more went out than rate and burst allow since it was asked for.

        A stall, of whatever part, only leaves more time for the same messages.
        """
        return len(accepted) > self.per_second * ((accepted[-1] - since) * 1.1 + BURST)

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
    """Two backlogs at once; with a machine to itself, each makes use of 90 % of its rate."""
    business.publish(name, HELLO)
    for sender, rate in zip((FIRST, second), size.rates, strict=True):
        set_rate(sender, rate)
    for _ in range(2):
        backlogs = [
            Backlog(sender, rate, numbers.take(BACKLOG * rate))
            for sender, rate in zip((FIRST, second), size.rates, strict=True)
        ]
        times = send_all(business, customers, name, backlogs)
        if not size.is_timed:
            return
        shares = [backlog.share(times[backlog.sender]) for backlog in backlogs]
        print("  of its rate each sender used", *(f"{share:.3f}" for share in shares))
        # A machine that stalled for seconds says nothing; one that does so twice is too slow.
        if min(shares) >= 0.9 and max(shares) <= 1.1:
            return
    pytest.fail(f"of their rates the senders used {shares}")


def send_all(
    business: Business, customers: Customers, name: str, backlogs: list[Backlog]
) -> dict[str, list[float]]:
    """Send all backlogs at once, none faster than it may be; when each sender's were accepted."""
    since = time.time()
    for backlog in backlogs:
        business.send(name, backlog.clients, sender=backlog.sender)
    everybody = [client for backlog in backlogs for client in backlog.clients]
    until(lambda seen: len(seen) == len(everybody), lambda: accepted(customers, everybody))
    times = {backlog.sender: accepted(customers, backlog.clients) for backlog in backlogs}
    assert not [b.sender for b in backlogs if b.exceeds(since, times[b.sender])]
    return times


def test_a_changed_rate_holds_for_what_is_queued(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str, set_rate: SetRate
):
    set_rate(FIRST, 1)
    clients = numbers.take(150)
    business.start(name, HELLO, clients)
    until(lambda seen: len(seen) >= 3, lambda: accepted(customers, clients))
    assert len(accepted(customers, clients)) < 60
    set_rate(FIRST, 60)
    # At the rate before, what is left takes a minute and a half.
    until(lambda seen: len(seen) == 150, lambda: accepted(customers, clients), within=60)


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
    # A minute of sending, so that many are in the queue at whatever moment of it they are paused.
    paused, other, beside = numbers.take(180), numbers.take(12), numbers.take(12 + 30)
    business.publish(name, HELLO)
    business.publish(f"{name} too", HELLO)
    first = business.send(name, paused)
    until(lambda seen: seen["entries"]["running"] >= 45, first.read)
    assert first.order("pause")["entries"]["running"] >= 30
    business.send(f"{name} too", other)
    business.send(f"{name} too", beside, sender=second)
    until(lambda seen: len(seen) == 12, lambda: accepted(customers, other))
    # Behind the paused ones they would have waited for longer than another sender takes for thirty more.
    last = accepted(customers, other)[-1]
    assert sum(at < last for at in accepted(customers, beside)) < len(beside)
    first.order("resume")
    set_rate(FIRST, 60)
    until(lambda seen: len(seen) == len(paused), lambda: accepted(customers, paused))


def accepted(customers: Customers, clients: list[str]) -> list[float]:
    """When messages to these clients were accepted, by the simulator's clock, in order."""
    wanted = set(clients)
    return [
        datetime.fromisoformat(message["acceptedAt"]).timestamp()
        for message in customers.messages()
        if message["to"] in wanted
    ]
