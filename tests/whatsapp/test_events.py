"""Reading webhook bodies: one odd value never hides the rest of a batch."""

import json

import pytest

from whatsapp.events import UnreadableEvents, read_events


def body(**value: object) -> bytes:
    """A webhook body about one phone number."""
    value = {"metadata": {"phone_number_id": "1"}, **value}
    return json.dumps({"entry": [{"id": "2", "changes": [{"value": value}]}]}).encode()


def test_what_no_database_can_store_is_marked_as_lost():
    text = {"id": "wamid.1", "timestamp": "1789000100", "type": "text", "from": "16045550001"}
    (events,) = read_events(body(messages=[text | {"text": {"body": "a\0b\ud800c"}}]))
    assert [message.text for message in events.inbound] == ["a\ufffdb?c"]


@pytest.mark.parametrize("code", [2**31, -1, "131026", None, 1.5, True])
def test_an_error_code_that_is_no_small_number_is_no_code(code):
    status = {"id": "wamid.1", "status": "failed", "timestamp": "1789000100"}
    (events,) = read_events(body(statuses=[status | {"errors": [{"code": code, "title": "t"}]}]))
    assert [(s.error_code, s.error_message) for s in events.statuses] == [(None, "t")]


def test_unknown_statuses_types_and_fields_are_passed_over():
    good = {"id": "wamid.2", "status": "sent", "timestamp": 1789000100000}
    odd = [{"id": "wamid.1", "status": "deleted", "timestamp": "1"}, "status", {"id": 7}, good]
    (events,) = read_events(body(statuses=odd, messages=[{"id": "x", "type": ["text"]}]))
    assert [(s.wamid, s.at.year) for s in events.statuses] == [("wamid.2", 2026)]
    assert events.inbound == []


USER_ID = "MX.13491208655302741918"


@pytest.mark.parametrize(
    ("named", "names"),
    [
        ({"recipient_id": "5215512345678"}, ("+5215512345678", None)),
        ({"recipient_user_id": USER_ID}, (None, USER_ID)),
        ({"recipient_id": USER_ID}, (None, USER_ID)),
        ({"recipient_id": "120363025246125486"}, (None, None)),
        ({"recipient_id": "120363025246", "recipient_type": "group"}, (None, None)),
        ({"recipient_id": 5215512345678, "recipient_user_id": "no id"}, (None, None)),
        ({"recipient_user_id": "MX." + "1" * 3000}, (None, None)),
    ],
)
def test_a_status_names_its_recipient_as_far_as_it_can(named, names):
    status = {"id": "wamid.1", "status": "sent", "timestamp": "1789000100"}
    (events,) = read_events(body(statuses=[status | named]))
    assert [(s.client, s.user_id) for s in events.statuses] == [names]


@pytest.mark.parametrize(
    ("named", "names"),
    [
        ({"from": "5215512345678", "from_user_id": USER_ID}, ("+5215512345678", USER_ID)),
        ({"from_user_id": USER_ID}, (None, USER_ID)),
        ({"from": USER_ID}, (None, USER_ID)),
        ({}, (None, None)),
    ],
)
def test_a_message_names_its_sender_as_far_as_it_can(named, names):
    message = {"id": "wamid.1", "timestamp": "1789000100", "type": "text", "text": {"body": "Hi"}}
    (events,) = read_events(body(messages=[message | named]))
    assert [(m.client, m.user_id) for m in events.inbound] == [names]


@pytest.mark.parametrize(
    ("named", "names"),
    [
        ({"wa_id": "5215512345678"}, [("+5215512345678", None, True)]),
        ({"user_id": USER_ID}, [(None, USER_ID, True)]),
        ({"wa_id": USER_ID}, [(None, USER_ID, True)]),
        ({}, []),
    ],
)
def test_a_preference_of_nobody_is_none(named, names):
    (events,) = read_events(body(user_preferences=[{"value": "stop", **named}]))
    assert [(p.client, p.user_id, p.stop) for p in events.preferences] == names


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"\xff", b'{"entry": {}}', b"[" * 100_000])
def test_a_body_that_is_none_says_so(raw):
    with pytest.raises(UnreadableEvents):
        read_events(raw)
