"""The main job: one request, many customers, and each gets exactly what the flow says."""

from tests.e2e.business import Business, counts
from tests.e2e.customers import Customers, PhoneNumbers, Reactions
from tests.e2e.patience import eventually, until
from tests.e2e.spring_sale import FLOW, Batch


def test_a_batch_is_sent_answered_and_nudged_exactly(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """A third taps yes, a third no, a third nothing: every message, every count and the end agree."""
    batch = Batch(numbers.take(300))
    business.publish(name, FLOW)
    reactions = Reactions(customers, batch.clients, batch.button_of)

    sendout = business.send_entries(batch.entries(name))
    expected = batch.expected()
    every_message = sum(map(len, expected.values()))
    until(lambda seen: seen >= every_message, reactions.look, every=0.2)

    assert reactions.got == expected
    sendout.await_idle()
    told = {"read": 0, "failed": 0, "unknown": 0}
    follow_up = {"sent": 100, "delivered": 100, **told, "clicked": {}}
    eventually(
        lambda: {part: sendout.read()[part] for part in ("entries", "messages", "nodes")},
        {
            "entries": counts(completed=300),
            "messages": {"sent": 500, "delivered": 500, **told, "clicked": 200},
            "nodes": {
                "welcome": {
                    "sent": 300,
                    "delivered": 300,
                    **told,
                    "clicked": {"yes": 100, "no": 100},
                },
                "nudge": follow_up,
                "offer": follow_up,
            },
        },
    )
    assert customers.got_by(batch.clients) == expected
