"""Steps in plain words, and what a run waits for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from api.schemas.entries import Step as ShownStep
from domain.explanation import _NOT_SENT, _WORDS, Holds, error_in_words, in_words, waits
from domain.timeline import _NOT_MADE, AskFact, DecisionFact, History, Step
from tests.domain.test_timeline import FLOW, NOON, at, click, message

TOLD_BY_ENTRIES = {"accepted", "duplicate", "started", "ended"}
NOTHING = Holds(None, None)


def test_every_kind_of_step_has_its_words():
    kinds = set(get_args(ShownStep.model_fields["type"].annotation))
    assert set(_WORDS) == kinds - TOLD_BY_ENTRIES
    assert set(_NOT_SENT) == _NOT_MADE


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (190, "error 190: The access token is invalid or expired; it is about the account"),
        (130429, "so it is tried again with growing pauses"),
        (4, "error 4: The app has reached its call limit; nothing was sent"),
        (999_999, "a code that is not known here; this message is refused for good"),
    ],
)
def test_an_error_says_what_it_means_and_calls_for(code: int, said: str):
    assert said in error_in_words(code, None)


@pytest.mark.parametrize(
    ("kind", "facts", "said"),
    [
        ("hold", {"node": "a", "heldFor": "channel"}, '"a" is held back: the channel is held'),
        (
            "hold",
            {"node": "a", "heldFor": "window", "until": NOON},
            '"a" is held back until 2026-05-04 12:00:00Z: the sending window is closed',
        ),
        ("not_sent", {"node": "a", "reason": "skipped"}, "taken out of the sendout (skipNodes)"),
        ("ask_timeout", {"node": "a"}, '"a" had no answer in time'),
        ("answer", {"node": "a", "text": "M"}, 'the customer answers "a": "M"'),
        ("reply", {"kind": "image", "text": None}, "the customer sends a message (image)"),
        ("click", {"button": "b", "counted": False}, "changed nothing: tapped before, or over"),
        ("status", {"node": "a", "status": "unknown"}, 'nobody knows whether WhatsApp took "a"'),
    ],
)
def test_steps_in_words(kind: str, facts: dict[str, Any], said: str):
    assert said in in_words(Step(kind, NOON, facts))


def waiting(now_in_hours: float = 1, **facts: Any) -> list[str]:
    """What a run waits for some hours after its message was accepted at noon."""
    facts = {"messages": [message(accepted_at=NOON)]} | facts
    now = NOON + timedelta(hours=now_in_hours)
    return waits(History("v1", FLOW, **facts), NOTHING, now)


def test_a_delay_is_waited_for_until_it_decides():
    assert waiting() == ['the delay "wait": until 2026-05-05 08:00:00Z']
    assert waiting(21) == ['the delay "wait": due, it waits for a delivery report']
    decided = DecisionFact("wait", "end", {}, at(72_000))
    assert waiting(21, decisions=[decided]) == ["its next step, which is due"]


def test_a_message_outside_its_window_waits_until_that_opens():
    held = replace(message(), state="held", held_for="window", held_until=at(3600))
    assert waiting(messages=[held]) == [
        '"hello": the sending window is closed until 2026-05-04 13:00:00Z'
    ]


def test_each_path_waits_for_itself():
    assert waiting(clicks=[click(at(60))]) == [
        'the delay "wait": until 2026-05-05 08:00:00Z',
        'the delay "later": until 2026-05-04 13:01:00Z',
    ]


def test_the_delay_of_a_message_that_failed_is_over():
    failed = message(accepted_at=NOON, failed_at=at(5))
    assert waiting(messages=[failed]) == ["its next step, which is due"]


def test_only_open_questions_wait():
    answered = AskFact("size", 1, NOON, at(5), "wamid.1", "M")
    opened = AskFact("colour", 1, NOON, None, None, None)
    assert waiting(messages=[], asks=[answered, opened]) == ['an answer to "colour"']
