"""The order, company and pauses in which events leave the outbox, on a clock of the test's own."""

import pytest

from whatsapp.simulator.behaviour import Knobs
from whatsapp.simulator.database import Database
from whatsapp.simulator.events import Event, status_events
from whatsapp.simulator.ledger import Accepted, Customer
from whatsapp.simulator.outbox import MOST_TOGETHER, Outbox
from whatsapp.simulator.outgoing import Content, Outgoing


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "simulator.db")
    yield database
    database.close()


@pytest.fixture
def outbox(database):
    return Outbox(database)


def event(lane: str, due: float, *, channel: str = "1", name: str = "sent") -> Event:
    return Event(lane, channel, "status", due, {"item": {"status": name}, "contact": None})


def put(outbox: Outbox, *events: Event) -> None:
    outbox.enqueue(outbox.write(events))


def lanes(outbox: Outbox, now: float) -> list[str] | None:
    batch = outbox.take(now)
    return [item.event.lane for item in batch.events] if batch else None


def test_events_leave_when_they_are_due(outbox):
    put(outbox, event("a", 10), event("b", 20))
    assert outbox.next_due() == 10
    assert lanes(outbox, 9.9) is None
    assert lanes(outbox, 10) == ["a"]
    assert lanes(outbox, 20) == ["b"]
    assert outbox.next_due() is None


def test_events_due_together_travel_together_up_to_a_limit(outbox):
    put(outbox, *[event(str(number), number) for number in range(MOST_TOGETHER + 3)])
    assert lanes(outbox, 100) == [str(number) for number in range(MOST_TOGETHER)]
    assert lanes(outbox, 100) == [str(MOST_TOGETHER + number) for number in range(3)]


def test_channels_do_not_share_a_webhook(outbox):
    put(outbox, event("a", 1), event("b", 2, channel="2"), event("c", 3))
    assert lanes(outbox, 10) == ["a", "c"]
    assert lanes(outbox, 10) == ["b"]


def test_a_lane_waits_for_the_answer_to_its_earlier_event(outbox):
    put(outbox, event("a", 1, name="sent"), event("a", 2, name="delivered"))
    first = outbox.take(1)
    assert outbox.take(2) is None
    outbox.failed(first, 2, refused=False)
    outbox.bring_forward("a", 2)
    repeated = outbox.take(2.3)
    assert [item.event.document["item"]["status"] for item in repeated.events] == [
        "sent",
        "delivered",
    ]
    outbox.delivered(repeated)
    assert len(outbox) == 0


def test_pauses_grow_from_a_fifth_of_a_second_to_two_and_start_anew_after_a_success(outbox):
    put(outbox, event("a", 0), event("a", 1000))
    now, pauses = 0.0, []
    for _ in range(9):
        outbox.failed(outbox.take(now), now, refused=True)
        pauses.append(outbox.next_due() - now)
        now = outbox.next_due()
    assert pauses[0] == pytest.approx(0.2)
    assert pauses == sorted(pauses)
    assert pauses[1] > pauses[0]
    assert pauses[-2:] == pytest.approx([2.0, 2.0])
    outbox.delivered(outbox.take(now))
    outbox.failed(outbox.take(1000), 1000, refused=True)
    assert outbox.next_due() == pytest.approx(1000.2)


def test_what_was_refused_together_is_tried_alone(outbox):
    put(outbox, event("a", 1), event("b", 1), event("c", 1))
    outbox.failed(outbox.take(1), 1, refused=True)
    assert [lanes(outbox, 2) for _ in range(4)] == [["a"], ["b"], ["c"], None]


def test_what_nobody_was_there_to_take_is_tried_together_again(outbox):
    put(outbox, event("a", 1), event("b", 1))
    outbox.failed(outbox.take(1), 1, refused=False)
    assert lanes(outbox, 2) == ["a", "b"]


def test_bringing_forward_concerns_one_message_and_outlives_a_restart(outbox, database):
    put(outbox, event("a", 50), event("a", 60), event("a#1", 70), event("b", 50))
    outbox.bring_forward("a", 5)
    assert sorted(lanes(Outbox(database), 5) or []) == ["a", "a", "a#1"]
    assert sorted(lanes(outbox, 5) or []) == ["a", "a", "a#1"]


def test_what_was_not_delivered_is_there_after_a_restart(outbox, database):
    put(outbox, event("a", 1), event("b", 2), event("c", 3))
    outbox.delivered(outbox.take(1))
    outbox.take(2)
    assert lanes(Outbox(database), 10) == ["b", "c"]


def test_an_answer_to_what_a_reset_forgot_changes_nothing(outbox, database):
    put(outbox, event("a", 1))
    batch = outbox.take(1)
    database.forget()
    outbox.forget()
    outbox.failed(batch, 1, refused=True)
    assert outbox.next_due() is None


def test_shuffled_statuses_keep_the_times_they_happened_at():
    message = Accepted(1, "wamid.A", "1", "16045552331", False, True, {})
    sent = Outgoing("text", "16045552331", "+1", False, Content("x"), None, {})
    customer = Customer("16045552331", "16045552331", "US.1")
    knobs = Knobs(read=True, delay_ms=1000, shuffle_statuses=True)
    events = status_events(message, sent, customer, knobs=knobs, failure=None, now=100)
    happened = {e.document["item"]["status"]: e.document["at"] for e in events}
    assert happened == {"sent": 101, "delivered": 102, "read": 103}
    assert [e.due for e in events] == [101, 102, 103]
    assert [e.document["item"]["status"] for e in events] != ["sent", "delivered", "read"]
