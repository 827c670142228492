"""The decisions around one send: before the call from the record, after it from the answer."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain import error_codes
from domain.delivery import Accepted, NotSent, Refused, Remedy, Unclear
from domain.flow import Flow
from domain.requests import SendMessage, SendResult
from domain.run import SendOutcome
from domain.sending import (
    Decision,
    Done,
    Doubt,
    Hold,
    MessageRow,
    NotMade,
    Policy,
    Post,
    Recorded,
    Situation,
    after,
    before,
)

ENTRY = UUID(int=1)
SITUATION = Situation(
    message_id="01K6Z0M8Q4T7W2N5R9B3C1D0EF",
    entry_id=ENTRY,
    sendout_id=UUID(int=2),
    channel_id=UUID(int=3),
    created_at=datetime(2026, 1, 5, 9, tzinfo=UTC),
    client="+16045552331",
    variables='{"name": "Ana", "price": 19.90}',
    entry_state="running",
    attempt=1,
    sendout_state="running",
    skip_nodes=frozenset(),
    flow_hash="hash",
    phone_number_id="1",
    access_token="token",
    channel_held=False,
    opted_out=False,
    led_by_since_opt_out=False,
    window_open=True,
    row=None,
)
GIVE_UP = Policy(unknown_outcome="give_up", unknown_grace=600)
RESEND = Policy(unknown_outcome="resend", unknown_grace=600)


def template(category: str) -> dict[str, Any]:
    called = {"type": "template", "name": "hello", "language": "en", "category": category}
    return {"type": "message", "message": {**called, "body": ["{{name}}", "{{price}}"]}}


FLOW = Flow.model_validate(
    {
        "format": 1,
        "start": "marketing",
        "variables": {"name": {}, "price": {"default": ""}},
        "nodes": {
            **{name: template(name) for name in ("marketing", "utility", "authentication")},
            "text": {"type": "message", "message": {"type": "text", "body": "Hi {{name}}"}},
            "asking": {
                **template("utility"),
                "message": {**template("utility")["message"], "body": ["{{answer}}"]},
            },
            "ask": {"type": "ask", "variable": "answer", "timeout": "PT1H"},
        },
    }
)


def decided(
    node: str = "marketing",
    policy: Policy = GIVE_UP,
    outputs: dict[str, str] | None = None,
    **differs: Any,
) -> Decision:
    order = SendMessage(entry=ENTRY, node=node, visit=1, number=1, outputs=outputs or {})
    return before(replace(SITUATION, **differs), order, FLOW, policy)


def row(state: str, *, unknown_for: float | None = None) -> MessageRow:
    return MessageRow(state, 1, unknown_for)


def is_post(decision: Decision) -> bool:
    return isinstance(decision, Post)


# --- before: what the record has already --------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("sent", SendOutcome.ACCEPTED),
        ("refused", SendOutcome.REFUSED),
        ("failed", SendOutcome.REFUSED),
        ("skipped", SendOutcome.SKIPPED),
        ("opted_out", SendOutcome.OPTED_OUT),
        ("expired", SendOutcome.EXPIRED),
        ("given_up", SendOutcome.GIVEN_UP),
    ],
)
def test_what_is_decided_stands_whatever_has_changed_since(state, outcome):
    everything: dict[str, Any] = {
        "entry_state": "cancelled",
        "sendout_state": "paused",
        "channel_held": True,
    }
    found = decided(row=row(state), **everything, skip_nodes=frozenset({"marketing"}))
    assert found == Done(SendResult(outcome=outcome))


@pytest.mark.parametrize("entry_state", ["running", "cancelled"])
@pytest.mark.parametrize("policy", [GIVE_UP, RESEND])
def test_a_call_that_may_have_been_made_is_never_blindly_repeated(entry_state, policy):
    assert decided(policy=policy, row=row("sending"), entry_state=entry_state) == Doubt()


@pytest.mark.parametrize("state", ["held", "retrying"])
def test_what_was_provably_not_sent_is_sent_now(state):
    assert is_post(decided(row=row(state)))


@pytest.mark.parametrize("policy", [GIVE_UP, RESEND])
@pytest.mark.parametrize(("unknown_for", "left"), [(None, 600), (0, 600), (599.5, 0.5)])
def test_an_unknown_outcome_is_waited_for_until_the_grace_ends(policy, unknown_for, left):
    found = decided(policy=policy, row=row("unknown", unknown_for=unknown_for))
    assert found == Done(SendResult(outcome=SendOutcome.UNKNOWN, again_in=left))


@pytest.mark.parametrize("unknown_for", [600, 10_000])
def test_after_the_grace_the_setting_decides(unknown_for):
    unknown = row("unknown", unknown_for=unknown_for)
    assert decided(policy=GIVE_UP, row=unknown) == NotMade("given_up", SendOutcome.GIVEN_UP)
    assert is_post(decided(policy=RESEND, row=unknown))


@pytest.mark.parametrize(
    ("differs", "expected"),
    [
        ({"sendout_state": "paused"}, Hold("sendout")),
        ({"channel_held": True}, Hold("channel")),
        ({"entry_state": "cancelled"}, Done(SendResult(outcome=SendOutcome.CANCELLED))),
    ],
)
def test_a_second_call_obeys_holds_and_cancels_too(differs, expected):
    unknown = row("unknown", unknown_for=601)
    assert decided(policy=RESEND, row=unknown, **differs) == expected


# --- before: in this order ----------------------------------------------------------------------

SPEAKS_AGAINST: list[tuple[dict[str, Any], Decision]] = [
    ({"entry_state": "cancelled"}, Done(SendResult(outcome=SendOutcome.CANCELLED))),
    ({"sendout_state": "cancelled"}, Done(SendResult(outcome=SendOutcome.CANCELLED))),
    ({"skip_nodes": frozenset({"marketing"})}, NotMade("skipped", SendOutcome.SKIPPED)),
    ({"sendout_state": "paused"}, Hold("sendout")),
    ({"channel_held": True}, Hold("channel")),
    ({"opted_out": True}, NotMade("opted_out", SendOutcome.OPTED_OUT)),
]


@pytest.mark.parametrize("at", range(len(SPEAKS_AGAINST)))
def test_the_first_thing_that_speaks_against_a_send_decides(at):
    """Also when all that comes after it speaks against it as well."""
    differs, expected = SPEAKS_AGAINST[at]
    assert decided(**differs) == expected
    later = {
        key: value for other, _ in reversed(SPEAKS_AGAINST[at:]) for key, value in other.items()
    }
    assert decided(**later) == expected


def test_a_node_that_is_not_skipped_is_sent():
    assert is_post(decided(skip_nodes=frozenset({"utility"})))


# --- before: opt-out and the 24-hour window -----------------------------------------------------


@pytest.mark.parametrize("led_by_since_opt_out", [True, False])
@pytest.mark.parametrize(
    ("node", "marketing"), [("marketing", True), ("utility", False), ("authentication", False)]
)
def test_of_templates_the_category_decides_for_a_customer_who_opted_out(
    node, marketing, led_by_since_opt_out
):
    found = decided(node, opted_out=True, led_by_since_opt_out=led_by_since_opt_out)
    if marketing:
        assert found == NotMade("opted_out", SendOutcome.OPTED_OUT)
    else:
        assert is_post(found)


def test_free_form_is_marketing_unless_a_click_or_reply_since_the_opt_out_led_to_it():
    assert decided("text", opted_out=True) == NotMade("opted_out", SendOutcome.OPTED_OUT)
    assert is_post(decided("text", opted_out=True, led_by_since_opt_out=True))
    assert is_post(decided("text"))


def test_the_window_is_for_free_form_messages_only():
    found = decided("text", window_open=False)
    assert isinstance(found, NotMade)
    assert (found.state, found.outcome, found.code) == ("refused", SendOutcome.REFUSED, 131047)
    assert is_post(decided("marketing", window_open=False))


# --- before: the message itself -----------------------------------------------------------------


def test_the_message_is_rendered_with_the_entrys_own_values():
    found = decided()
    assert isinstance(found, Post)
    assert found.node.message.body == ("Ana", "19.90")  # type: ignore[union-attr]
    assert found.template == "hello (en)"
    text = decided("text")
    assert isinstance(text, Post)
    assert (text.text, text.template) == ("Hi Ana", None)


@pytest.mark.parametrize("outputs", [{}, {"answer": "  "}, {"answer": "\n"}])
def test_a_template_parameter_that_renders_empty_is_refused_without_a_call(outputs):
    found = decided("asking", outputs=outputs)
    assert isinstance(found, NotMade)
    assert (found.state, found.outcome, found.code) == ("refused", SendOutcome.REFUSED, 131008)


def test_an_answer_fills_the_parameter():
    assert is_post(decided("asking", outputs={"answer": "blue"}))


@pytest.mark.parametrize(("length", "fits"), [(4093, True), (4094, False)])
def test_a_text_too_long_with_its_variables_is_refused_without_a_call(length, fits):
    found = decided("text", variables=f'{{"name": "{"x" * length}"}}')
    assert is_post(found) is fits
    if isinstance(found, NotMade):
        assert (found.state, found.code) == ("refused", 132005)


def test_only_messages_can_be_sent():
    with pytest.raises(TypeError):
        decided("ask")


# --- after --------------------------------------------------------------------------------------


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


def test_a_refusal_that_holds_its_template_is_not_repeated_blindly():
    assert refused(132015).state in ("refused", "held")


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


def test_an_unknown_code_is_a_refusal_for_good():
    assert refused(999_999).state == "refused"


def test_the_refusal_is_told_in_whatsapps_words():
    assert refused(131026).message == "Title"
    assert refused(131026, details="Not on WhatsApp").message == "Title: Not on WhatsApp"


def test_every_class_but_the_templates_has_a_row_above():
    assert {case[0] for case in _BY_REMEDY} == set(Remedy) - {Remedy.HOLD_TEMPLATE}
