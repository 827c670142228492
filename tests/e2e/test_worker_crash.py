"""A worker that dies in the middle of a batch: nothing twice, and every gap is shown."""

from collections import Counter

import pytest

from embedded.stack import Stack
from tests.e2e.business import Business, Sendout
from tests.e2e.customers import Customers, PhoneNumbers, Reactions
from tests.e2e.patience import until
from tests.e2e.spring_sale import FLOW, Batch


@pytest.fixture
def stack(mortal_stack: list[Stack]) -> Stack:
    return mortal_stack[-1]


def test_a_killed_worker_doubles_nothing_and_hides_no_gap(
    stack: Stack, business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """SIGKILL among the first messages: at most the sends in flight are missing, all shown."""
    batch = Batch(numbers.take(300))
    # Slow answers keep the sender's slots full, so that the kill finds sends on the wire.
    customers.behave(batch.clients, latencyMs=400)
    business.publish(name, FLOW)
    reactions = Reactions(customers, batch.button_of)

    sendout = business.send_entries(batch.entries(name))
    until(lambda seen: seen >= 120, reactions.look, every=0.02)
    stack.kill("worker")
    until(lambda _: sendout.read()["progress"] == "idle", reactions.look)
    reactions.look()

    got = customers.got_by(batch.clients)
    twice = [
        (client, text)
        for client, texts in got.items()
        for text, times in Counter(texts).items()
        if times > 1
    ]
    assert twice == []
    expected = batch.expected()
    short = {client for client in batch.clients if got[client] != expected[client]}
    assert all(got[client] == expected[client][: len(got[client])] for client in short)
    assert {client: gap_of(sendout, client) for client in short} == {
        client: missing_node(expected[client], got[client]) for client in short
    }
    shown = sendout.read()
    assert shown["messages"]["unknown"] == len(short) <= stack.settings.send_slots
    entries = shown["entries"]
    assert entries["unknown"] == sum(not got[client] for client in short)
    assert entries["completed"] + entries["unknown"] == entries["accepted"] == 300


def gap_of(sendout: Sendout, client: str) -> str | None:
    """The node whose send the record shows as unknown."""
    unknown = [s for s in sendout.steps(client, "send") if s["state"] in {"unknown", "given_up"}]
    return str(unknown[0]["node"]) if len(unknown) == 1 else None


def missing_node(expected: list[str], got: list[str]) -> str:
    """The node of the first message that a customer did not get."""
    if not got:
        return "welcome"
    return "offer" if expected[1].startswith("Great") else "nudge"
