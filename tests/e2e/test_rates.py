"""Each sender's messages per second, held by the Temporal server (api.md section 6, design section 3)."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import pytest

from embedded.stack import Stack
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import flow, template
from tests.e2e.patience import until

HELLO = flow(hello=template("Hello"))
SECOND = "+15550002222"


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A stack of its own: the rates are the senders', and other tests send through the first one."""
    with Stack.start() as stack:
        yield stack


@pytest.fixture
def stack(own_stack: Stack) -> Stack:
    return own_stack


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


def set_rate(business: Business, sender: str, per_second: int) -> None:
    channels = {channel["phoneNumber"]: channel for channel in business.get("/channels")["data"]}
    path = f"/channels/{channels[sender]['channelId']}"
    answer = business.http.patch(path, json={"messagesPerSecond": per_second})
    assert answer.status_code == 200, answer.text


def per_second(customers: Customers, clients: list[str]) -> list[int]:
    """How many messages were accepted for these clients in each second from the first on."""
    wanted = set(clients)
    times = [
        datetime.fromisoformat(message["acceptedAt"]).timestamp()
        for message in customers.messages()
        if message["to"] in wanted
    ]
    counts = Counter(int(at - min(times)) for at in times)
    return [counts[second] for second in range(max(counts) + 1)]


def test_each_sender_is_held_to_its_rate_and_uses_it(
    business: Business, customers: Customers, numbers: PhoneNumbers, second: str, name: str
):
    """Two backlogs at once; the first seconds hold the burst that the server allows."""
    set_rate(business, "+15550001111", 2)
    set_rate(business, second, 6)
    slow, fast = numbers.take(30), numbers.take(90)
    business.publish(name, HELLO)
    business.send(name, slow)
    business.send(name, fast, sender=second)
    until(lambda seen: len(seen) == 120, lambda: messages_to(customers, slow + fast))
    steady_slow = per_second(customers, slow)[3:-1]
    steady_fast = per_second(customers, fast)[3:-1]
    assert average(steady_slow) <= 2 * 1.25
    assert average(steady_fast) <= 6 * 1.25
    # A quarter more, because a machine that stalls makes up for it within the burst.
    # What a machine full of other work leaves is not held against it; that the rates differ is.
    assert average(steady_fast) > 1.5 * average(steady_slow)


def test_a_changed_rate_holds_for_what_is_queued(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    set_rate(business, "+15550001111", 1)
    clients = numbers.take(60)
    business.start(name, HELLO, clients)
    until(lambda seen: len(seen) >= 3, lambda: messages_to(customers, clients))
    assert len(messages_to(customers, clients)) < 30
    set_rate(business, "+15550001111", 60)
    until(lambda seen: len(seen) == 60, lambda: messages_to(customers, clients), within=60)


def test_a_paused_sendout_does_not_slow_another_of_its_sender(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """Its sends are taken out of the queue, where each would cost a part of the rate."""
    set_rate(business, "+15550001111", 3)
    paused, other = numbers.take(60), numbers.take(12)
    business.publish(name, HELLO)
    business.publish(f"{name} too", HELLO)
    first = business.send(name, paused)
    until(bool, lambda: messages_to(customers, paused))
    until(lambda seen: seen["entries"]["queued"] == 0, first.read)
    first.order("pause")
    before = len(messages_to(customers, paused))
    assert before < 30
    business.send(f"{name} too", other)
    until(lambda seen: len(seen) == 12, lambda: messages_to(customers, other), within=60)
    # Behind the paused ones they would have had to wait for ten seconds and more.
    waits = per_second(customers, paused + other)
    assert len(waits) < before / 3 + 12 / 3 + 10
    first.order("resume")
    set_rate(business, "+15550001111", 60)
    until(lambda seen: len(seen) == 60, lambda: messages_to(customers, paused))


def messages_to(customers: Customers, clients: list[str]) -> list[str]:
    wanted = set(clients)
    return [message["id"] for message in customers.messages() if message["to"] in wanted]


def average(counts: list[int]) -> float:
    return sum(counts) / len(counts)
