"""Sending windows and messages that expire, as they are decided right before a send."""

from datetime import timedelta

import pytest

from domain.flow import Flow
from domain.requests import SendResult
from domain.run import SendOutcome
from domain.sending import Done, Hold, NotMade, Post
from tests.domain.sends import NOW, RESEND, decided, flow_with, is_post, row

# --- the sending window ------------------------------------------------------------------------


def within(since: str, to: str, zone: str = "UTC", expires: str | None = None) -> Flow:
    """The flow with a sending window."""
    window = {"timezone": zone, "from": since, "to": to}
    expiring = {} if expires is None else {"expireAfter": expires}
    return flow_with(window=window, **expiring)


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


# --- too late ----------------------------------------------------------------------------------

EXPIRING = flow_with(expireAfter="PT1H")
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


def test_a_message_that_may_go_out_says_when_it_expires():
    post = decided(flow=EXPIRING, due_for=600)
    assert isinstance(post, Post)
    assert post.expires_in == 3000


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
