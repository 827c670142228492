"""What comes of a call by its answer: the message, the next try, and what it holds."""

from typing import Any

import pytest

from domain import error_codes
from domain.delivery import Accepted, NotSent, Refused, Remedy, Unclear
from domain.flow import MessageNode
from domain.message_types import TemplateMessage
from domain.run import SendOutcome
from domain.sending import Policy, Recorded, after
from domain.templates import EVERY_MARKETING
from tests.domain.sends import FLOW, GIVE_UP, RESEND


def test_accepted_is_sent():
    accepted = Accepted("wamid.1", "16045552331")
    assert after(accepted, 1, GIVE_UP) == Recorded("sent", SendOutcome.ACCEPTED, accepted)


@pytest.mark.parametrize("policy", [GIVE_UP, RESEND, Policy(unknown_grace=15)])
def test_an_unclear_answer_is_looked_at_again_after_the_grace(policy):
    found = after(Unclear("timed out"), 1, policy)
    assert (found.state, found.outcome) == ("unknown", SendOutcome.UNKNOWN)
    assert (found.again_in, found.message) == (policy.unknown_grace, "timed out")


def test_without_a_connection_the_call_is_repeated_with_growing_pauses():
    found = [after(NotSent("refused"), tries, GIVE_UP) for tries in range(1, 8)]
    assert {recorded.state for recorded in found} == {"retrying"}
    assert [recorded.again_in for recorded in found] == [1, 2, 5, 10, 30, 30, 30]


def refused(code: int, tries: int = 1, retry_after: float | None = None, **other: Any) -> Recorded:
    remedy = other.pop("remedy", error_codes.lookup(code).remedy)
    answer = Refused(code, "Title", other.pop("details", ""), remedy, retry_after)
    return after(answer, tries, GIVE_UP)


_BY_REMEDY = [
    # a code of each class, the row's state, the run's answer, the pause, the channel is held
    (Remedy.PERMANENT, 131026, "refused", SendOutcome.REFUSED, None, False),
    (Remedy.BACKOFF, 130429, "retrying", SendOutcome.UNKNOWN, 1.0, False),
    (Remedy.RETRY_AFTER, 131056, "retrying", SendOutcome.UNKNOWN, 1.0, False),
    (Remedy.SUPPRESS, 131049, "refused", SendOutcome.REFUSED, None, False),
    (Remedy.HOLD_CHANNEL, 190, "held", SendOutcome.HELD, None, True),
]


@pytest.mark.parametrize(("remedy", "code", "state", "outcome", "pause", "held"), _BY_REMEDY)
def test_the_class_of_a_code_decides_about_a_refusal(remedy, code, state, outcome, pause, held):
    assert error_codes.lookup(code).remedy is remedy
    found = refused(code)
    assert (found.state, found.outcome, found.again_in) == (state, outcome, pause)
    assert (found.code, found.holds_channel) == (code, held)


@pytest.mark.parametrize(
    "code", [c for c, e in error_codes.ERRORS.items() if e.remedy is Remedy.HOLD_TEMPLATE]
)
def test_a_refusal_that_is_about_the_template_holds_it(code):
    """All marketing templates, if it is about those."""
    node = FLOW.nodes["utility"]
    assert isinstance(node, MessageNode)
    assert isinstance(node.message, TemplateMessage)
    answer = Refused(code, "Title", remedy=error_codes.lookup(code).remedy)
    found = after(answer, 1, GIVE_UP, node.message)
    assert (found.state, found.outcome, found.code) == ("held", SendOutcome.HELD, code)
    assert found.holds_template == (EVERY_MARKETING if code == 131063 else ("hello", "en"))
    assert not found.holds_channel


def test_a_free_form_message_that_is_refused_like_a_template_is_refused_for_good():
    found = refused(132015)
    assert (found.state, found.holds_template) == ("refused", None)


@pytest.mark.parametrize("code", sorted(error_codes.ERRORS))
def test_no_refusal_is_ever_taken_for_a_message_that_may_have_been_sent(code):
    for tries in (1, 2, 50):
        found = refused(code, tries)
        assert found.state in ("refused", "retrying", "held")
        assert (found.again_in is not None) == (found.state == "retrying")


def test_pauses_grow_as_the_table_says_and_end_where_it_says():
    assert [refused(131056, tries).again_in for tries in (1, 2, 3, 4, 5, 99)] == [
        1,
        4,
        16,
        64,
        64,
        64,
    ]
    states = [refused(131000, tries).state for tries in (1, 2, 3)]
    assert states == ["retrying", "retrying", "refused"]


@pytest.mark.parametrize(
    ("code", "remedy", "named", "expected"),
    [
        (4, Remedy.RETRY_AFTER, 900.0, 900.0),
        (4, Remedy.RETRY_AFTER, 5.0, 60.0),
        (999_999, Remedy.RETRY_AFTER, 300.0, 300.0),
        (999_999, Remedy.RETRY_AFTER, None, 60.0),
    ],
)
def test_a_pause_named_by_the_answer_is_kept_to(code, remedy, named, expected):
    """Never shorter than the table's; for a code the table does not know, a minute."""
    assert refused(code, remedy=remedy, retry_after=named).again_in == expected


@pytest.mark.parametrize(
    ("code", "expires_in", "again_in"),
    [
        # A limit's pause, and a hold that nobody may ever release.
        (131056, 0.5, 0.5),
        (131056, 90.0, 1.0),
        (133015, 90.0, 90.0),
        (190, 90.0, 90.0),
        (190, None, None),
        (131026, 90.0, None),
    ],
)
def test_whatever_it_waits_for_it_is_looked_at_again_when_it_expires(code, expires_in, again_in):
    answer = Refused(code, "Title", remedy=error_codes.lookup(code).remedy)
    assert after(answer, 1, GIVE_UP, None, expires_in).again_in == again_in
    unsent = after(NotSent("refused"), 9, GIVE_UP, None, 7.0)
    assert (unsent.state, unsent.again_in) == ("retrying", 7.0)


def test_an_unknown_outcome_keeps_its_grace_also_when_it_expires_before():
    """It may have been sent in time."""
    assert after(Unclear("timed out"), 1, GIVE_UP, None, 7.0).again_in == 600


def test_an_unknown_code_is_a_refusal_for_good():
    assert refused(999_999).state == "refused"


def test_the_refusal_is_told_in_whatsapps_words():
    assert refused(131026).message == "Title"
    assert refused(131026, details="Not on WhatsApp").message == "Title: Not on WhatsApp"


def test_every_class_but_the_templates_has_a_row_above():
    assert {case[0] for case in _BY_REMEDY} == set(Remedy) - {Remedy.HOLD_TEMPLATE}
