"""The judge itself: each thing that must not happen is seen when it does."""

from collections import Counter
from typing import Any, cast

import pytest

from tests.chaos.crowd import Crowd
from tests.chaos.journey import KINDS, NODE_OF_TEXT, Person
from tests.chaos.judge import complaints, counted_by_ledger
from tests.e2e.customers import Customers

NUMBER = "+16045550001"
TEXTS = {node: text for text, node in NODE_OF_TEXT.items()}
SILENT, BUYING = KINDS[0], Person({"welcome": ("yes",), "offer": ("buy",)})


def crowd(person: Person, *got: str) -> Crowd:
    """One customer whose phone shows the messages of these nodes."""
    one = Crowd(cast("Customers", None), {NUMBER: person})
    one.ledger = [
        {"to": NUMBER, "text": TEXTS[node], "opaque": f"our {node}", "id": f"wamid.{node}"}
        for node in got
    ]
    return one


def recorded(*steps: dict[str, Any], state: str = "completed") -> dict[str, Any]:
    """The entries of that customer alone."""
    return {NUMBER: {"state": state, "timeline": list(steps)}}


def send(node: str, state: str = "sent") -> dict[str, Any]:
    wamid = f"wamid.{node}" if state == "sent" else None
    return {
        "type": "send",
        "node": node,
        "state": state,
        "messageId": f"our {node}",
        "wamid": wamid,
    }


def test_a_walk_as_the_flow_says_is_no_complaint():
    nodes = ("welcome", "offer", "order", "reminder")
    assert complaints(crowd(BUYING, *nodes), recorded(*map(send, nodes))) == []


def test_what_stands_behind_a_shown_gap_is_not_missed():
    entries = recorded(send("welcome"), send("offer", "given_up"))
    assert complaints(crowd(BUYING, "welcome"), entries) == []


@pytest.mark.parametrize(
    ("person", "got", "steps", "said"),
    [
        (SILENT, ("welcome", "welcome", "nudge"), ("welcome", "nudge"), "got welcome twice"),
        (SILENT, ("welcome",), ("welcome",), "nudge is lost"),
        (SILENT, ("welcome", "nudge", "offer"), ("welcome", "nudge", "offer"), "offer is not what"),
        (SILENT, ("welcome", "nudge"), ("welcome",), "recorded"),
        (BUYING, ("welcome", "nudge", "offer"), ("welcome", "nudge", "offer"), "nudge is not what"),
    ],
)
def test_what_must_not_happen_is_seen(
    person: Person, got: tuple[str, ...], steps: tuple[str, ...], said: str
):
    """Doubled, lost, not of the flow, not in the record, a nudge to somebody who tapped."""
    found = complaints(crowd(person, *got), recorded(*map(send, steps)))
    assert [complaint for complaint in found if said in complaint]


def test_an_accepted_message_that_is_shown_as_unknown_is_seen():
    entries = recorded(send("welcome", "unknown"), state="unknown")
    found = complaints(crowd(SILENT, "welcome"), entries)
    assert f"{NUMBER}: welcome was accepted, and is shown as unknown" in found


@pytest.mark.parametrize(("tapped", "complained"), [("12:00:11", True), ("12:00:13", False)])
def test_a_nudge_is_right_only_if_the_tap_was_recorded_after_its_delay_was_judged(
    tapped: str, complained: bool
):
    """The last word on the delay counts: it may have been looked at before its message arrived."""
    decided = {"type": "decision", "node": "wait"}
    entries = recorded(
        *map(send, ("welcome", "nudge")),
        decided | {"at": "2026-05-04T12:00:10Z", "verdict": "wait"},
        decided | {"at": "2026-05-04T12:00:12Z", "verdict": "go_on"},
        {"type": "click", "node": "welcome", "at": f"2026-05-04T{tapped}Z"},
    )
    person = Person({"welcome": ("no",)})
    found = complaints(crowd(person, "welcome", "nudge"), entries)
    assert bool(found) is complained


def test_what_was_sent_to_a_phone_that_stays_off_is_not_counted_as_delivered():
    sleeper = next(person for person in KINDS if person.knobs.get("deliver") is False)
    counted = counted_by_ledger(crowd(sleeper, "welcome", "nudge"), 0)
    assert counted["welcome"] == Counter(sent=1, delivered=1)
    assert counted["nudge"] == Counter(sent=1)
