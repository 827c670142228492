"""How an entry ends: the rules of flow.md section 2, the first that holds."""

import pytest

from domain.outcome import FirstMessage, Outcome, outcome
from domain.run import MessageRef

HI = MessageRef("hi", 1)


def first(state: str, code: int | None = None, words: str | None = None) -> FirstMessage:
    return FirstMessage("hi", 1, state, code, words)


def ended(
    message: FirstMessage | None, *, too_many_sends: bool = False, lost: tuple[MessageRef, ...] = ()
) -> tuple[str, str | None]:
    found = outcome(message, too_many_sends=too_many_sends, not_received=lost)
    return found.state, found.error_code


EVERY_STATE = ["sent", "refused", "failed", "unknown", "given_up", "opted_out", "expired"]


@pytest.mark.parametrize("state", EVERY_STATE)
def test_too_many_sends_comes_before_everything(state):
    found = ended(first(state, 131026), too_many_sends=True, lost=(HI,))
    assert found == ("failed", "TOO_MANY_SENDS")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (first("refused", 131026), ("failed", "131026")),
        (first("failed", 131049), ("failed", "131049")),
        (first("failed"), ("failed", None)),
        (first("unknown"), ("unknown", "UNKNOWN")),
        (first("given_up"), ("unknown", "UNKNOWN")),
        (first("opted_out"), ("opted_out", None)),
        (first("expired"), ("failed", "EXPIRED")),
        (first("sent"), ("completed", None)),
        (None, ("completed", None)),
    ],
)
def test_the_first_message_decides(message, expected):
    assert ended(message) == expected


def test_the_error_is_told_in_the_providers_words():
    found = outcome(first("refused", 131026, "The message cannot be delivered"))
    assert found == Outcome("failed", "131026", "The message cannot be delivered")


@pytest.mark.parametrize(
    ("state", "expected"),
    [("sent", "not_received"), ("failed", "failed"), ("given_up", "unknown")],
)
def test_a_delay_gave_up_waiting_for_the_first_message(state, expected):
    """What is known to have failed, or was never known, is not called not received."""
    assert ended(first(state, 1), lost=(HI,))[0] == expected


def test_only_the_first_message_not_received_counts():
    others = (MessageRef("hi", 2), MessageRef("later", 1))
    assert ended(first("sent"), lost=others) == ("completed", None)
