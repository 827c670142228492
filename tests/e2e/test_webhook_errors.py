"""What comes in at WhatsApp's webhook that should not, or not again."""

import pytest
from sqlalchemy import text

from embedded import credentials
from embedded.stack import Stack
from storage.session import Database
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import invitation
from tests.e2e.patience import eventually
from tests.e2e.provider_events import Webhook, body_of, change, status, tap


async def kept(stack: Stack) -> list[bytes]:
    """The bodies that were put aside unread."""
    async with (
        Database(stack.database_url, pool_size=1) as database,
        database.transaction() as connection,
    ):
        rows = await connection.execute(text("SELECT body FROM unread_events"))
        return [bytes(body) for body in rows.scalars()]


def test_meta_verifies_the_address_with_our_token_only(webhook: Webhook):
    """The challenge comes back for the right token; any other is refused."""
    good = webhook.verify(credentials.VERIFY_TOKEN)
    assert (good.status_code, good.text) == (200, "1158201444")
    bad = webhook.verify("guessed")
    assert bad.status_code == 403
    assert "1158201444" not in bad.text


async def test_events_without_our_signature_are_refused_and_not_kept(
    stack: Stack,
    webhook: Webhook,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
):
    """No, a wrong or another body's signature: 401, and neither records nor runs notice."""
    number = next(numbers)
    customers.behave([number], deliver=False)
    sendout = business.start(name, invitation(600), [number])
    customers.await_message(number, "Hello!")
    hello = customers.messages(number)[0]
    forged = body_of(
        change(statuses=[status(hello["id"], "read")], messages=[tap(hello, f"wamid.{name}")])
    )
    before = await kept(stack)

    assert webhook.call_unsigned(forged) == 401
    assert webhook.call(forged, secret="another secret") == 401
    assert webhook.call_unsigned(b"no JSON") == 401
    assert webhook.call(b"no JSON", secret="another secret") == 401

    assert await kept(stack) == before
    node = sendout.read()["nodes"]["hello"]
    assert (node["read"], node["clicked"]) == (0, {"yes": 0, "no": 0})
    assert customers.got(number) == ["Hello!"]


@pytest.mark.parametrize("garbage", [b"", b"no JSON", b"[]", b'{"object": "page"}', b"\xff\xfe"])
async def test_signed_garbage_is_answered_and_kept(stack: Stack, webhook: Webhook, garbage: bytes):
    """WhatsApp is not to send it for days; a person can read it later."""
    before = (await kept(stack)).count(garbage)

    assert webhook.call(garbage) == 200

    assert (await kept(stack)).count(garbage) == before + 1


async def test_a_part_for_an_unknown_channel_hides_no_other(
    stack: Stack,
    webhook: Webhook,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
):
    """It is kept; the rest of the same body counts, whatever else is unknown in it."""
    number = next(numbers)
    sendout = business.start(name, invitation(600), [number])
    wamid = customers.await_message(number, "Hello!")
    body = body_of(
        change("999999999999999", statuses=[status("wamid.unknown", "read")]),
        {"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}},
        change(
            statuses=[
                status("wamid.nobody", "delivered"),
                status(wamid, "played"),
                status(wamid, "read", recipient_id="0", novelty={"deep": [1]}),
            ],
            messages=[{"id": f"wamid.{name}", "type": "hologram", "timestamp": "soon"}],
        ),
    )

    assert webhook.call(body) == 200

    assert body in await kept(stack)
    eventually(lambda: sendout.read()["nodes"]["hello"]["read"], 1)
    assert sendout.states() == {number: "running"}


def test_events_that_come_again_change_nothing(
    webhook: Webhook, business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """The same statuses and the same tap, in one body and in several, in any order: one answer, counts as after the first."""
    number = next(numbers)
    sendout = business.start(name, invitation(600), [number])
    wamid = customers.await_message(number, "Hello!")
    hello = customers.messages(number)[0]
    statuses = [status(wamid, name) for name in ("read", "delivered", "sent", "read")]
    body = body_of(change(statuses=statuses, messages=[tap(hello, f"wamid.{name}")] * 2))

    assert [webhook.call(body) for _ in range(3)] == [200, 200, 200]
    customers.await_message(number, "Here is more.")
    failed = status(wamid, "failed", errors=[{"code": 131026, "title": "Undeliverable"}])
    assert webhook.call(body_of(change(statuses=[failed]))) == 200
    assert webhook.call(body) == 200

    sendout.await_states(completed=[number])
    assert customers.got(number) == ["Hello!", "Here is more."]
    node = sendout.read()["nodes"]["hello"]
    assert node == {
        "sent": 1,
        "delivered": 1,
        "read": 1,
        "failed": 0,
        "unknown": 0,
        "clicked": {"yes": 1, "no": 0},
    }
