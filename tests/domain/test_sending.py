"""The decisions around one send: before the call from the record, after it from the answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import error_codes
from domain.delivery import Accepted, NotSent, Refused, Remedy, Unclear
from domain.flow import Flow, MessageNode, TemplateMessage
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
from domain.templates import EVERY_MARKETING

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
    business_zone="UTC",
    due_for=0.5,
    row=None,
)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""A Monday."""
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
    flow: Flow = FLOW,
    ordered: dict[str, Any] | None = None,
    **differs: Any,
) -> Decision:
    order = SendMessage.model_validate(
        {"entry": ENTRY, "node": node, "visit": 1, "number": 1, "outputs": outputs or {}}
        | (ordered or {})
    )
    return before(replace(SITUATION, **differs), order, flow, policy, NOW)


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
    ({"held_templates": frozenset({("hello", "en")})}, Hold("template", template="hello (en)")),
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


# --- before: held templates and marketing that WhatsApp withheld --------------------------------


@pytest.mark.parametrize("held", [("hello", "de"), ("other", "en"), ("*", "en")])
def test_another_templates_hold_is_nothing_to_a_send(held):
    assert is_post(decided(held_templates=frozenset({held})))


def test_a_hold_of_all_marketing_is_for_marketing_templates_only():
    held = frozenset({EVERY_MARKETING})
    assert decided(held_templates=held) == Hold("template", template="* (*)")
    for node in ("utility", "authentication", "text"):
        assert is_post(decided(node, held_templates=held))


def test_a_template_that_is_held_by_name_waits_for_that_first():
    held = frozenset({EVERY_MARKETING, ("hello", "en")})
    assert decided(held_templates=held) == Hold("template", template="hello (en)")


def test_a_free_form_message_has_no_template_that_could_be_held():
    assert is_post(decided("text", held_templates=frozenset({("hello", "en")})))


def test_withheld_marketing_ends_its_path_without_a_call():
    found = decided(withheld=True)
    assert isinstance(found, NotMade)
    assert (found.state, found.outcome, found.code) == ("refused", SendOutcome.REFUSED, 131049)
    for node in ("utility", "authentication", "text"):
        assert is_post(decided(node, withheld=True))


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


# --- before: the sending window -----------------------------------------------------------------


def within(since: str, to: str, zone: str = "UTC", expires: str | None = None) -> Flow:
    """The flow with a sending window."""
    window = {"timezone": zone, "from": since, "to": to}
    document = FLOW.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    changed = {"window": window} | ({} if expires is None else {"expireAfter": expires})
    return Flow.model_validate({**document, "format": 1, **changed})


OPEN, CLOSED = within("09:00", "20:00"), within("13:30", "20:00")


@pytest.mark.parametrize("cause", ["start", "delay"])
def test_what_nobody_asked_for_waits_until_the_window_opens(cause):
    ordered = {"cause": cause, "number": 2}
    assert decided(flow=CLOSED, ordered=ordered) == Hold("window", 5400)
    assert is_post(decided(flow=OPEN, ordered=ordered))


@pytest.mark.parametrize("cause", ["click", "reply"])
def test_what_answers_the_customer_never_waits(cause):
    assert is_post(decided(flow=CLOSED, ordered={"cause": cause, "led_by": "wamid.1"}))


def test_a_delay_after_a_click_waits_like_any_other():
    ordered = {"cause": "delay", "led_by": "wamid.1", "number": 3}
    assert decided(flow=CLOSED, ordered=ordered) == Hold("window", 5400)


@pytest.mark.parametrize(
    ("client", "hours"), [("+4915112345678", 8), ("+61412345678", 14), ("+819012345678", None)]
)
def test_the_recipients_window_goes_by_the_number_else_by_the_business(client, hours):
    """At noon UTC it is 13:00 in Berlin and 21:00 in Tokyo; a mobile of Australia says nothing."""
    flow = within("21:00", "22:00", "recipient")
    found = decided(flow=flow, client=client, business_zone="America/Lima")
    assert is_post(found) if hours is None else found == Hold("window", hours * 3600)


@pytest.mark.parametrize("state", ["held", "retrying", None])
def test_the_window_is_looked_at_every_time(state):
    assert decided(flow=CLOSED, row=row(state) if state else None) == Hold("window", 5400)


@pytest.mark.parametrize(
    ("differs", "expected"),
    [
        ({"sendout_state": "paused"}, Hold("sendout")),
        ({"channel_held": True}, Hold("channel")),
        ({"opted_out": True}, Hold("window", 5400)),
        ({"skip_nodes": frozenset({"marketing"})}, NotMade("skipped", SendOutcome.SKIPPED)),
    ],
)
def test_other_holds_come_before_the_window_and_the_message_itself_after_it(differs, expected):
    assert decided(flow=CLOSED, **differs) == expected


def test_a_free_form_message_is_judged_at_the_moment_it_is_sent():
    """The customer may write until the sending window opens."""
    assert decided("text", flow=CLOSED, window_open=False) == Hold("window", 5400)


# --- before: too late ---------------------------------------------------------------------------

EXPIRING = Flow.model_validate(
    {
        **FLOW.model_dump(by_alias=True, exclude_defaults=True, mode="json"),
        "format": 1,
        "expireAfter": "PT1H",
    }
)
EXPIRED = NotMade("expired", SendOutcome.EXPIRED)
LATER = {"number": 2, "cause": "delay"}


@pytest.mark.parametrize(("due_for", "in_time"), [(3599.5, True), (3600, False), (90_000, False)])
def test_the_first_message_is_due_when_its_entry_is(due_for, in_time):
    found = decided(flow=EXPIRING, due_for=due_for)
    assert is_post(found) if in_time else found == EXPIRED


@pytest.mark.parametrize(("minutes", "in_time"), [(59, True), (60, False), (3000, False)])
def test_later_messages_are_due_when_the_run_says(minutes, in_time):
    """However long ago the entry was."""
    ordered = {**LATER, "due": NOW - timedelta(minutes=minutes)}
    found = decided(flow=EXPIRING, ordered=ordered, due_for=90_000)
    assert is_post(found) if in_time else found == EXPIRED


def test_without_expire_after_nothing_is_ever_too_late():
    assert is_post(decided(due_for=9e6))
    assert is_post(decided(ordered={**LATER, "due": NOW - timedelta(days=900)}))


def test_a_later_message_of_which_nobody_knows_when_it_was_due_is_sent():
    """Asked for by a run of a release that did not tell."""
    assert is_post(decided(flow=EXPIRING, ordered=LATER, due_for=90_000))


@pytest.mark.parametrize("state", ["held", "retrying", None])
@pytest.mark.parametrize(
    "differs", [{}, {"sendout_state": "paused"}, {"channel_held": True}, {"opted_out": True}]
)
def test_an_expired_message_is_never_posted_and_no_hold_keeps_it(state, differs):
    existing = row(state) if state else None
    assert decided(flow=EXPIRING, row=existing, due_for=3600, **differs) == EXPIRED


@pytest.mark.parametrize(
    ("differs", "reason"),
    [({"sendout_state": "paused"}, "sendout"), ({"channel_held": True}, "channel")],
)
def test_no_hold_lasts_beyond_the_messages_time(differs, reason):
    assert decided(flow=EXPIRING, due_for=600, **differs) == Hold(reason, 3000)


@pytest.mark.parametrize(("expires", "waits"), [("PT1H", 3000), ("PT3H", 5400)])
def test_a_window_is_waited_for_until_it_opens_or_the_message_expires(expires, waits):
    flow = within("13:30", "20:00", expires=expires)
    assert decided(flow=flow, due_for=600) == Hold("window", waits)


@pytest.mark.parametrize("state", ["unknown", "held"])
def test_what_may_have_been_sent_is_given_up_instead_of_called_not_made(state):
    """Also when it was held before it was to be sent again."""
    existing = row(state, unknown_for=601)
    found = decided(policy=RESEND, flow=EXPIRING, row=existing, due_for=3600)
    assert found == NotMade("given_up", SendOutcome.GIVEN_UP)
    assert is_post(decided(policy=RESEND, flow=EXPIRING, row=existing, due_for=3599))


def test_until_its_grace_ends_an_unknown_outcome_is_waited_for_as_ever():
    found = decided(flow=EXPIRING, row=row("unknown", unknown_for=500), due_for=3600)
    assert found == Done(SendResult(outcome=SendOutcome.UNKNOWN, again_in=100))


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


def test_an_unknown_code_is_a_refusal_for_good():
    assert refused(999_999).state == "refused"


def test_the_refusal_is_told_in_whatsapps_words():
    assert refused(131026).message == "Title"
    assert refused(131026, details="Not on WhatsApp").message == "Title: Not on WhatsApp"


def test_every_class_but_the_templates_has_a_row_above():
    assert {case[0] for case in _BY_REMEDY} == set(Remedy) - {Remedy.HOLD_TEMPLATE}
