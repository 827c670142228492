"""SIGKILL of every part at random moments of a sendout: never doubled, never lost (design section 4)."""

import time

from embedded.stack import Stack
from tests.chaos import proof
from tests.chaos.conftest import Size
from tests.chaos.crowd import Crowd
from tests.chaos.journey import FLOW, MESSAGES_EACH, by_knobs, crowd_of
from tests.chaos.kills import PARTS, Kills
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers


def test_kills_double_nothing_and_hide_nothing(
    stack: Stack,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    size: Size,
    seed: str,
):
    """`give_up` shows each gap, at most the sends on the wire at a kill; `resend` has none."""
    resends = stack.settings.unknown_outcome == "resend"
    crowd = Crowd(customers, crowd_of(numbers.take(size.entries)))
    for clients, knobs in by_knobs(crowd.people):
        customers.behave(clients, **knobs)
    business.publish(name, FLOW)
    print(f"CHAOS_SEED={seed}, {size.entries} entries, {stack.settings.unknown_outcome}")
    kills = Kills(
        stack,
        seed,
        times=size.kills_of_each,
        expected=int(MESSAGES_EACH * size.entries),
        one_by_one=resends,
    )

    sendout = business.send(name, crowd.people)
    while not kills.is_over:
        kills.look(crowd.look())
        time.sleep(0.1)
    stack.wait_ready()
    customers.await_reachable()
    proof.await_end(sendout, crowd, resends=resends)

    unknown = proof.assert_exact(sendout, crowd)
    print(f"  {len(crowd.ledger)} messages, {unknown} unknown")
    assert sorted(kills.made) == sorted(PARTS * size.kills_of_each)
    # Only the two ends of the wire can lose a send that is on it.
    lossy = kills.count(("worker", "simulator"))
    assert unknown <= (0 if resends else stack.settings.send_slots * lossy)
