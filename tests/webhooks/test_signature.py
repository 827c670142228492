"""Both signatures, as receivers check them."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from webhooks.signature import new_secret, signature_headers

BODY = '{"text":"héllo"}'


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize(
    "secret", [new_secret(), "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "some secret text"]
)
def test_a_receiver_verifies_with_the_library_and_by_hand(secret):
    headers = signature_headers(secret, 7, now(), BODY)

    Webhook(secret).verify(BODY.encode(), headers)
    digest = hmac.new(secret.encode(), BODY.encode(), hashlib.sha256).digest()
    assert headers["x-connectly-hmac-sha256"] == base64.b64encode(digest).decode()
    assert headers["webhook-id"] == "evt_7"


@pytest.mark.parametrize("secret", ["abcde", "¿…!", "ñandú", "!"])
def test_a_secret_that_is_no_base64_stands_for_its_bytes(secret):
    headers = signature_headers(secret, 7, now(), BODY)

    Webhook(secret.encode()).verify(BODY.encode(), headers)


def test_secrets_are_long_and_never_the_same():
    one, other = new_secret(), new_secret()

    assert one != other
    assert len(base64.b64decode(one.removeprefix("whsec_"))) == 32
