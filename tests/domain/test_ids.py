"""Ids: made again from the same facts, and read back."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from domain.ids import MESSAGE_ID, message_id, split_reply_id, time_ordered_ids, ulid_as_uuid

ENTRY = uuid.UUID("0195f3a0-0000-7000-8000-000000000001")
CREATED = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)


@given(st.uuids(), st.integers(1, 5), st.text(min_size=1), st.integers(1, 100))
def test_a_message_id_is_a_ulid_of_the_entrys_time(entry, attempt, node, visit):
    made = message_id(entry, CREATED, attempt, node, visit)
    assert MESSAGE_ID.fullmatch(made)
    assert ULID.from_str(made).datetime == CREATED.replace(microsecond=123000)


def test_the_same_message_has_the_same_id():
    """Today and in later versions, or a crash would find no row and send again."""
    assert message_id(ENTRY, CREATED, 1, "welcome", 1) == "01KE6P4YQV43S8NANPQQABPTT0"
    elsewhere = CREATED.astimezone(timezone(timedelta(hours=-3)))
    assert message_id(ENTRY, elsewhere, 1, "welcome", 1) == "01KE6P4YQV43S8NANPQQABPTT0"


def test_another_message_has_another_id():
    ids = {
        message_id(entry, CREATED + timedelta(milliseconds=later), attempt, node, visit)
        for entry in (ENTRY, uuid.UUID(int=1))
        for later in (0, 1)
        for attempt in (1, 2, 11)
        for node in ("welcome", "1:welcome", "")
        for visit in (1, 2, 11)
    }
    assert len(ids) == 2 * 2 * 3 * 3 * 3


@given(st.text(min_size=1))
def test_a_reply_id_is_read_back(button):
    """A button's id may hold anything, colons too."""
    message = message_id(ENTRY, CREATED, 1, "welcome", 1)
    assert split_reply_id(f"{message}:{button}") == (message, button)


@pytest.mark.parametrize(
    "reply_id",
    [
        "",
        "yes",
        ":yes",
        "01K6Z0M8Q4T7W2N5R9B3C1D0EF",
        "01K6Z0M8Q4T7W2N5R9B3C1D0EF:",
        "01K6Z0M8Q4T7W2N5R9B3C1D0E:yes",
        "01K6Z0M8Q4T7W2N5R9B3C1D0EFF:yes",
        "01k6z0m8q4t7w2n5r9b3c1d0ef:yes",
        "01K6Z0M8Q4T7W2N5R9B3C1D0EI:yes",
        " 01K6Z0M8Q4T7W2N5R9B3C1D0EF:yes",
    ],
)
def test_what_is_not_ours_is_not_read(reply_id):
    assert split_reply_id(reply_id) is None


def test_a_ulid_in_uuid_layout_keeps_its_bytes():
    ulid = ULID.from_str("01K6Z0M8Q4T7W2N5R9B3C1D0EF")
    assert uuid.UUID(ulid_as_uuid(ulid)).bytes == ulid.bytes


def test_time_ordered_ids_are_new_uuids_of_version_7():
    made = [uuid.UUID(str(one)) for one in time_ordered_ids(2000)]
    assert len(set(made)) == 2000
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    now = datetime.now(UTC).timestamp() * 1000
    assert all(abs((one.int >> 80) - now) < 60_000 for one in made)
