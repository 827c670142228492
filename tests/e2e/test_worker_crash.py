"""A worker that dies in the middle of a batch: nothing twice, and every gap is shown."""

from collections import Counter

import pytest

from embedded.stack import Stack
from tests.e2e.business import Business, Sendout, counts
from tests.e2e.conftest import Impatient
from tests.e2e.customers import Customers, PhoneNumbers, Reactions
from tests.e2e.flows import invitation
from tests.e2e.patience import eventually, until
from tests.e2e.spring_sale import FLOW, Batch


@pytest.fixture
def stack(impatient: Impatient) -> Stack:
    return impatient.stack


def test_a_killed_worker_doubles_nothing_and_hides_no_gap(
    stack: Stack, business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """SIGKILL among the first messages: what WhatsApp took is settled, the rest is made good or shown."""
    batch = Batch(numbers.take(300))
    # Slow answers keep the sender's slots full, so that the kill finds sends on the wire.
    customers.behave(batch.clients, latencyMs=400)
    business.publish(name, FLOW)
    reactions = Reactions(customers, batch.clients, batch.button_of)

    sendout = business.send_entries(batch.entries(name))
    until(lambda seen: seen >= 120, reactions.look, every=0.1)
    stack.kill("worker")
    until(lambda _: sendout.read()["progress"] == "idle", reactions.look, every=0.4)
    expected = batch.expected()

    def gaps() -> tuple[dict[str, str | None], dict[str, str | None]]:
        """Of everybody who is short of a message: which the record does not know, which is missing."""
        reactions.look()
        got = customers.got_by(batch.clients)
        short = [client for client in batch.clients if len(got[client]) < len(expected[client])]
        return (
            {client: gap_of(sendout, client) for client in short},
            {client: missing_node(expected[client], got[client]) for client in short},
        )

    # What was taken and then given up is settled by its status, and goes on.
    _, short = until(lambda seen: seen[0] == seen[1], gaps, every=0.4)
    eventually(lambda: sendout.read()["messages"]["unknown"], len(short))

    got = customers.got_by(batch.clients)
    assert twice(got) == []
    assert all(got[client] == expected[client][: len(got[client])] for client in batch.clients)
    assert len(short) <= stack.settings.send_slots
    entries = sendout.read()["entries"]
    assert entries["unknown"] == sum(not got[client] for client in short)
    assert entries["completed"] + entries["unknown"] == entries["accepted"] == 300


def test_sends_lost_on_the_wire_are_given_up_and_shown(
    stack: Stack, business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """Worker and WhatsApp's side die together: who may have got nothing is `unknown`, and nobody gets it twice."""
    clients = numbers.take(60)
    # A second on its way to WhatsApp, a second on its way back; of some, five minutes.
    customers.behave(clients, latencyMs=2000)
    slow = clients[:5]
    customers.behave(slow, latencyMs=600_000)
    sendout = business.start(name, invitation(1), clients)
    for client in slow:
        sendout.await_step(client, "send")
    until(bool, lambda: any(customers.got_by(clients).values()), every=0.1)
    stack.kill("worker")
    stack.kill("simulator")

    customers.await_reachable()
    customers.behave(clients)
    sendout.await_idle()

    lost = [client for client, texts in customers.got_by(clients).items() if not texts]
    # What was taken and then given up is settled by its status, and goes on.
    sendout.await_states(unknown=lost, completed=[n for n in clients if n not in lost])
    got = customers.got_by(clients)
    assert twice(got) == []
    assert set(slow) <= set(lost)
    # For the slow ones the sender may have waited as long as it does before it was killed.
    assert len(lost) <= stack.settings.send_slots + len(slow)
    assert sendout.read()["entries"] == counts(
        unknown=len(lost), completed=len(clients) - len(lost)
    )
    assert {tuple(got[n]) for n in clients if n not in lost} == {("Hello!", "Still there?")}


def twice(got: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Who got which text more than once."""
    return [
        (client, text)
        for client, texts in got.items()
        for text, times in Counter(texts).items()
        if times > 1
    ]


def gap_of(sendout: Sendout, client: str) -> str | None:
    """The node whose send the record shows as unknown."""
    unknown = [s for s in sendout.steps(client, "send") if s["state"] in {"unknown", "given_up"}]
    return str(unknown[0]["node"]) if len(unknown) == 1 else None


def missing_node(expected: list[str], got: list[str]) -> str:
    """The node of the first message that a customer did not get."""
    if not got:
        return "welcome"
    return "offer" if expected[1].startswith("Great") else "nudge"
