"""The decisions right before a send, by what the record says."""

from typing import Any

import pytest

from domain.requests import SendResult
from domain.run import SendOutcome
from domain.sending import Decision, Done, Doubt, Hold, NotMade, Post
from domain.templates import EVERY_MARKETING
from tests.domain.sends import GIVE_UP, RESEND, decided, is_post, row

# --- what the record has already ---------------------------------------------------------------


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


# --- in this order -----------------------------------------------------------------------------

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


# --- held templates and marketing that WhatsApp withheld ---------------------------------------


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


# --- opt-out and the 24-hour window ------------------------------------------------------------


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


# --- the message itself ------------------------------------------------------------------------


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
