"""Answers that get lost after WhatsApp took the message: every doubt is settled by its statuses."""

import pytest

from embedded.stack import Stack
from tests.chaos import proof
from tests.chaos.conftest import Size
from tests.chaos.crowd import Crowd
from tests.chaos.journey import FLOW, by_knobs, crowd_of
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers
from whatsapp.simulator.behaviour import Knobs

RATE = 0.05


@pytest.mark.parametrize("either_stack", ["give_up"], indirect=True)
def test_lost_answers_double_nothing_and_are_all_settled(
    stack: Stack,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    size: Size,
    seed: str,
):
    """Connections dropped and server errors after the message was taken, statuses twice and shuffled."""
    print(f"CHAOS_SEED={seed}")
    crowd = Crowd(customers, crowd_of(numbers.take(size.faulty)))
    knobs = {
        "dropAfterAcceptRate": RATE,
        "http500AfterAcceptRate": RATE,
        "duplicateStatuses": True,
        "shuffleStatuses": True,
        "seed": seed,
    }
    for clients, own in by_knobs(crowd.people):
        customers.behave(clients, **{**own, **knobs})

    sendout = business.start(name, FLOW, crowd.people)
    proof.await_end(sendout, crowd)

    assert proof.assert_exact(sendout, crowd) == 0
    lost = lost_answers(crowd, Knobs.model_validate(knobs))
    print(f"  {len(crowd.ledger)} messages, {lost} answers lost")
    assert lost >= size.faulty // 20


def lost_answers(crowd: Crowd, knobs: Knobs) -> int:
    """How many of the accepted messages were answered by nothing or by a server error.

    Each is one request, as the messages are told apart by customer and number: the simulator draws
    for every request anew.
    """
    return sum(
        knobs.chance(RATE, fault, number.lstrip("+"), request)
        for number, nodes in crowd.got().items()
        for request in range(1, len(nodes) + 1)
        for fault in ("drop", "http500After")
    )
