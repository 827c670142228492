"""Statuses of a message: twice, late and in any order they come to the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.status import News, Status, Tracked, apply

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SENT = Status("M", "wamid.1", "sent", NOON)
DELIVERED = Status("M", "wamid.1", "delivered", NOON + timedelta(seconds=1))
READ = Status("M", "wamid.1", "read", NOON + timedelta(seconds=2))
FAILED = Status("M", "wamid.1", "failed", NOON + timedelta(seconds=3), 131026, "Undeliverable")
ACCEPTED = Tracked("M", "sent", "wamid.1", None, None, None, None, awaits_delivery=False)
OPEN = ("sending", "retrying", "unknown", "given_up", "held")


def after(message: Tracked, *statuses: Status) -> Tracked:
    for status in statuses:
        message, _ = apply(message, status)
    return message


def news(message: Tracked, *statuses: Status) -> list[News]:
    told = []
    for status in statuses:
        message, one = apply(message, status)
        told.append(one)
    return told


# --- one at a time -----------------------------------------------------------------------------


def test_each_status_writes_down_its_time():
    found = after(ACCEPTED, SENT, DELIVERED, READ)
    assert (found.sent_at, found.delivered_at, found.read_at) == (SENT.at, DELIVERED.at, READ.at)
    assert (found.state, found.failed_at) == ("sent", None)


def test_read_implies_delivered_and_sent():
    found = after(ACCEPTED, READ)
    assert (found.sent_at, found.delivered_at, found.read_at) == (READ.at,) * 3


def test_failed_writes_down_why():
    found = after(ACCEPTED, SENT, FAILED)
    assert (found.state, found.failed_at) == ("failed", FAILED.at)
    assert (found.error_code, found.error_message) == (131026, "Undeliverable")


@pytest.mark.parametrize("received", [DELIVERED, READ])
def test_failed_counts_only_for_a_message_that_was_not_delivered(received):
    """Before or after: it arrived."""
    for order in ((received, FAILED), (FAILED, received)):
        found = after(ACCEPTED, *order)
        assert (found.state, found.failed_at, found.error_code) == ("sent", None, None)
        assert found.error_message is None


def test_a_refused_message_stays_refused():
    refused = replace(ACCEPTED, state="refused", wamid=None, error_code=132000)
    assert after(refused, FAILED) == refused
    assert after(refused, SENT).state == "refused"


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("status", [SENT, DELIVERED, READ])
def test_any_status_but_failed_shows_that_an_open_message_was_taken(state, status):
    message = replace(ACCEPTED, state=state, wamid=None, error_message="the connection broke")
    found = after(message, status)
    assert (found.state, found.wamid, found.error_message) == ("sent", "wamid.1", None)


def test_the_first_wamid_is_kept():
    assert after(ACCEPTED, replace(SENT, wamid="wamid.2")).wamid == "wamid.1"


# --- any order, any number of times ------------------------------------------------------------


@pytest.mark.parametrize("state", ["sent", *OPEN])
@pytest.mark.parametrize(
    "statuses",
    [(SENT, DELIVERED, READ), (SENT, FAILED), (SENT, DELIVERED, READ, FAILED), (READ, FAILED)],
)
def test_every_order_comes_to_the_same(state, statuses):
    trouble = None if state == "sent" else "the connection broke"
    message = replace(ACCEPTED, state=state, error_message=trouble)
    assert len({after(message, *order) for order in permutations(statuses)}) == 1


@given(st.lists(st.sampled_from([SENT, DELIVERED, READ, FAILED]), max_size=8), st.randoms())
def test_repetitions_and_order_change_nothing(statuses, chance):
    again = [*statuses, *statuses]
    chance.shuffle(again)
    once = dict.fromkeys(statuses)
    for state in ("sent", "unknown", "sending"):
        message = replace(ACCEPTED, state=state)
        assert after(message, *again) == after(message, *once)


# --- what the run is told ----------------------------------------------------------------------


def test_most_statuses_are_no_news():
    assert news(ACCEPTED, SENT, DELIVERED, READ, FAILED) == [News()] * 4


def test_a_delay_that_waits_hears_of_the_delivery_once():
    waited_for = replace(ACCEPTED, awaits_delivery=True)
    assert news(waited_for, SENT, DELIVERED, READ) == [News(), News(delivered=True), News()]
    assert news(waited_for, READ, DELIVERED) == [News(delivered=True), News()]


def test_a_failure_is_news_once():
    assert news(ACCEPTED, FAILED, FAILED) == [News(failed=True), News()]
    waited_for = replace(ACCEPTED, awaits_delivery=True)
    assert news(waited_for, FAILED, DELIVERED) == [News(failed=True), News()]


@pytest.mark.parametrize("state", ["unknown", "given_up", "held"])
def test_the_first_status_settles_what_was_unknown(state):
    """A held message had an unknown outcome, or no status could name it."""
    message = replace(ACCEPTED, state=state)
    assert news(message, DELIVERED, READ) == [News(settled=True), News()]
    assert news(message, FAILED, FAILED) == [News(settled=False), News()]


@pytest.mark.parametrize("state", ["sending", "retrying"])
def test_a_send_under_way_is_not_settled_by_a_status(state):
    """Its activity reads the record and answers for itself."""
    assert news(replace(ACCEPTED, state=state), SENT) == [News()]
