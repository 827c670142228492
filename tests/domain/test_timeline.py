"""The order of a timeline's steps: causes first, whatever the clocks said (api.md section 4)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.timeline import ClickFact, History, InboundFact, MessageFact, Step, timeline

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
FLOW: dict[str, Any] = {
    "nodes": {
        "hello": {
            "type": "message",
            "buttons": [{"id": "yes", "label": "Yes", "next": "later"}],
            "next": "wait",
        },
        "wait": {"type": "delay", "duration": "PT20H", "condition": "no_click"},
        "later": {"type": "delay", "duration": "PT1H", "condition": "all"},
    }
}
CHAIN = ("accepted", "sent", "delivered", "read")


def at(seconds: float) -> datetime:
    """A moment some seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def message(**times: datetime | None) -> MessageFact:
    """A message of the node hello, created at noon."""
    given_times: dict[str, Any] = {
        "created_at": NOON,
        "accepted_at": None,
        "unknown_since": None,
        "sent_at": None,
        "delivered_at": None,
        "read_at": None,
        "failed_at": None,
    } | times
    return MessageFact(
        message_id="M1",
        attempt=1,
        node="hello",
        visit=1,
        state="failed" if times.get("failed_at") else "sent",
        wamid="wamid.1",
        template=None,
        text="Hello",
        sender="+15550001111",
        tries=1,
        held_for=None,
        error_code=None,
        error_message=None,
        **given_times,
    )


def click(when: datetime) -> ClickFact:
    """A tap on the message."""
    return ClickFact("M1", "hello", "yes", "wamid.in", when)


def steps_of(*messages: MessageFact, **facts: Any) -> list[Step]:
    """The timeline of these facts."""
    return timeline(History("v1", FLOW, messages=list(messages), **facts))


def names(steps: list[Step]) -> list[str]:
    """What the steps are, statuses by their status."""
    return [step.facts.get("status", step.type) for step in steps]


def test_whole_seconds_of_whatsapp_do_not_come_before_our_own_note():
    steps = steps_of(
        message(
            created_at=at(3.2),
            accepted_at=at(3.6),
            sent_at=at(3),
            delivered_at=at(3),
            read_at=at(3),
        )
    )

    assert names(steps) == ["send", "accepted", "delay", "sent", "delivered", "read"]
    assert [step.at for step in steps] == [at(3.2), at(3.6), at(3.6), at(3), at(3), at(3)]


def test_a_failure_comes_after_what_was_reached_before_it():
    steps = steps_of(
        message(created_at=at(3.2), accepted_at=at(3.6), sent_at=at(4), failed_at=at(3))
    )

    assert names(steps) == ["send", "accepted", "delay", "sent", "failed"]


def test_a_tap_comes_after_the_delivery_though_whatsapps_clock_is_ahead():
    steps = steps_of(
        message(accepted_at=at(0.4), sent_at=at(5), delivered_at=at(6), read_at=at(7)),
        clicks=[click(at(2))],
    )

    assert names(steps) == [
        "send",
        "accepted",
        "delay",
        "sent",
        "delivered",
        "click",
        "delay",
        "read",
    ]
    assert [s.at for s in steps if s.type == "click"] == [at(2)]


def test_what_a_tap_led_to_stays_after_it():
    answer = MessageFact(
        "M2", 1, "more", 1, "sent", None, None, "More", "+1555", 1, None, at(2.1),
        at(2.3), None, None, None, None, None, None, None,
    )  # fmt: skip
    steps = steps_of(
        message(accepted_at=at(0.4), delivered_at=at(60)), answer, clicks=[click(at(2))]
    )

    told = [(step.facts.get("node"), step.type) for step in steps]
    assert told.index(("hello", "click")) < told.index(("more", "send"))


def test_a_second_tap_comes_after_the_first():
    again = InboundFact("wamid.again", "tap", "Yes", "M1", "yes", at(3))
    steps = steps_of(
        message(accepted_at=at(0.4), delivered_at=at(60)), clicks=[click(at(2))], inbound=[again]
    )

    assert [s.facts["counted"] for s in steps if s.type == "click"] == [True, False]


moments = st.none() | st.integers(-3_000, 30_000).map(lambda ms: at(ms / 1000))
whole_seconds = st.none() | st.integers(-5, 30).map(at)


@given(
    accepted=moments,
    sent=whole_seconds,
    delivered=whole_seconds,
    read=whole_seconds,
    tap=moments,
)
def test_steps_of_a_message_keep_their_order_and_their_times(
    accepted: datetime | None,
    sent: datetime | None,
    delivered: datetime | None,
    read: datetime | None,
    tap: datetime | None,
):
    reached = {"accepted": accepted, "sent": sent, "delivered": delivered, "read": read}
    steps = steps_of(
        message(**{f"{status}_at": when for status, when in reached.items()}),
        clicks=[] if tap is None else [click(tap)],
    )

    statuses = [step for step in steps if step.type == "status"]
    assert [s.facts["status"] for s in statuses] == [s for s in CHAIN if reached[s] is not None]
    assert [s.at for s in statuses] == [reached[s] for s in CHAIN if reached[s] is not None]
    told = names(steps)
    if tap is not None:
        assert next(s.at for s in steps if s.type == "click") == tap
        before = {"accepted", "delivered"} & set(told)
        assert all(told.index(status) < told.index("click") for status in before)
    if tap is None or tap >= NOON:
        assert told[0] == "send"
