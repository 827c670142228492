"""Which events statuses make."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from domain.status import Status, StatusName, Tracked, apply
from domain.webhook_events import like_pattern, pause_after, told_of

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
NAMES: tuple[StatusName, ...] = ("sent", "delivered", "read", "failed")


def message(state: str = "sent") -> Tracked:
    return Tracked("01", state, "wamid.1", None, None, None, None, awaits_delivery=False)


def status(name: StatusName) -> Status:
    at = AT + timedelta(seconds=NAMES.index(name))
    return Status("01", "wamid.1", name, at, error_code=131026 if name == "failed" else None)


def told(*bodies: tuple[StatusName, ...], state: str = "sent") -> list[str]:
    """The kinds told when these bodies of statuses come one after the other."""
    now = message(state)
    kinds: list[str] = []
    for body in bodies:
        before = now
        for name in body:
            now, _ = apply(now, status(name))
        kinds += [t.kind for t in told_of(before, now)]
    return kinds


@pytest.mark.parametrize("order", [*permutations(("sent", "delivered", "read"))])
def test_in_any_order_each_is_told_once_and_none_goes_back(order):
    assert told(*((name,) for name in order)) == ["sent", "delivered", "read"]
    assert told(order) == ["sent", "delivered", "read"]


def test_the_same_again_is_not_told_again():
    assert told(("delivered",), ("delivered",), ("sent",)) == ["sent", "delivered"]


def test_a_failure_is_told_once_with_its_error():
    before = message()
    after, _ = apply(before, status("failed"))
    (event,) = told_of(before, after)

    assert (event.kind, event.at, event.error_code) == (
        "delivery_failed",
        after.failed_at,
        "131026",
    )
    assert told(("failed",), ("failed",), ("sent",)) == ["delivery_failed"]


def test_one_that_arrives_after_all_is_told_so():
    assert told(("failed",), ("delivered",)) == ["delivery_failed", "sent", "delivered"]
    assert told(("failed", "delivered")) == ["sent", "delivered"]


def test_a_failure_after_the_delivery_is_none():
    assert told(("delivered",), ("failed",)) == ["sent", "delivered"]


def test_a_message_that_was_given_up_is_not_told_of_as_failed_again():
    assert told(("failed",), state="given_up") == []


def test_the_failure_of_one_that_was_given_up_and_then_sent_was_told_when_it_was_given_up():
    now = replace(message(), was_given_up=True)
    after, _ = apply(now, status("failed"))

    assert told_of(now, after) == []


def test_an_acceptance_that_a_status_tells_first_is_echoed_once():
    assert told(("sent",), ("read",), state="sending") == ["echo", "sent", "delivered", "read"]
    assert told(("failed",), state="unknown") == ["delivery_failed"]


def test_times_are_those_of_the_facts():
    before = message()
    after = replace(before, sent_at=AT, delivered_at=AT + timedelta(seconds=1))

    assert [t.at for t in told_of(before, after)] == [AT, AT + timedelta(seconds=1)]


@pytest.mark.parametrize(
    ("glob", "pattern"),
    [
        ("spring-*", "spring-%"),
        ("v?.0", "v_.0"),
        ("100%_off", "100\\%\\_off"),
        ("a\\b", "a\\\\b"),
    ],
)
def test_globs_become_patterns(glob, pattern):
    assert like_pattern(glob) == pattern


def test_pauses_double_up_to_an_hour():
    assert [pause_after(tries, 0.5) for tries in (1, 2, 3, 12, 13, 100)] == [
        1.0,
        2.0,
        4.0,
        2048.0,
        3600.0,
        3600.0,
    ]
    assert (pause_after(1, 0.0), pause_after(1, 1.0)) == (0.75, 1.25)
