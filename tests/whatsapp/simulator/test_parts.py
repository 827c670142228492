"""The pure parts: signatures, phone numbers, message ids and token buckets."""

import base64
import hashlib
import hmac

import pytest

from whatsapp.signature import sign, verify
from whatsapp.simulator.phone import dialled, user_id, whatsapp_id
from whatsapp.simulator.throughput import TokenBuckets
from whatsapp.simulator.wamid import message_id

BODY = b'{"text":"\\u00e1"}'


def test_a_signature_is_the_hmac_of_the_exact_bytes():
    expected = "sha256=" + hmac.new(b"secret", BODY, hashlib.sha256).hexdigest()
    assert sign("secret", BODY) == expected
    assert verify("secret", BODY, expected)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        sign("secret", BODY).removeprefix("sha256="),
        sign("secret", BODY).upper(),
        sign("secret", BODY)[:-1],
        sign("other", BODY),
        sign("secret", BODY + b" "),
        "sha256=é",
        "sha256=\udcff",
    ],
)
def test_any_other_signature_is_wrong(header):
    assert not verify("secret", BODY, header)


@pytest.mark.parametrize(
    ("number", "wa_id"),
    [
        ("525512345678", "5215512345678"),
        ("5215512345678", "5215512345678"),
        ("5531987654321", "553187654321"),
        ("5511987654321", "5511987654321"),
        ("541155555555", "5491155555555"),
        ("5491155555555", "5491155555555"),
        ("16045552331", "16045552331"),
    ],
)
def test_whatsapp_ids_follow_the_national_rules(number, wa_id):
    assert whatsapp_id(number) == wa_id


@pytest.mark.parametrize(
    ("to", "digits"),
    [
        ("+52 (55) 1234-5678", "525512345678"),
        ("5512345678", "15512345678"),
        ("16045552331", "16045552331"),
        ("+0123456789", None),
        ("+12345678901234567", None),
        ("+1604555x", None),
        ("", None),
        ("+٣٤٥٦٧٨٩٠", None),
    ],
)
def test_a_number_is_dialled_in_international_form(to, digits):
    assert dialled(to, business_digits="15550001111") == digits


def test_a_user_id_is_stable_distinct_and_names_the_country():
    assert user_id("5215512345678") == user_id("5215512345678")
    assert user_id("5215512345678").startswith("MX.")
    assert user_id("5215512345678") != user_id("5215512345679")


def test_a_message_id_is_the_same_for_the_same_database_and_number():
    assert message_id("16045552331", "a", 1) == message_id("16045552331", "a", 1)
    others = {
        message_id("16045552331", "a", 2),
        message_id("16045552331", "b", 1),
        message_id("16045552332", "a", 1),
    }
    assert len(others - {message_id("16045552331", "a", 1)}) == 3
    assert base64.b64decode(message_id("16045552331", "a", 1).removeprefix("wamid."))[-1] == 0


def test_a_bucket_fills_at_its_rate_up_to_its_capacity():
    now = [0.0]
    buckets = TokenBuckets(clock=lambda: now[0])

    def taken(key: str, tries: int) -> int:
        return sum(buckets.take(key, rate=2, capacity=4) for _ in range(tries))

    assert taken("a", 10) == 4
    assert taken("b", 1) == 1
    now[0] = 1.0
    assert taken("a", 10) == 2
    now[0] = 1000.0
    assert taken("a", 10) == 4
