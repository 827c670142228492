"""Which registrations get which events."""

from uuid import uuid4

import pytest
from sqlalchemy import delete, select, update

from domain.inbound import Inbound
from storage.customers import Customers
from storage.flows import StoredFlows
from storage.tables import campaigns, channels, messages, sendouts
from storage.webhook_events import tell_report
from storage.webhook_tables import webhooks
from storage.webhooks import filter_columns, forget_orphans, sleeping_webhooks
from tests.record import BUSINESS
from tests.webhooks.delivering import AT, Office
from tests.webhooks.receiver import Receiver


async def campaign_name(office: Office) -> str:
    async with office.database.transaction() as connection:
        return str(await connection.scalar(select(campaigns.c.name)))


async def writes(office: Office, *inbound: Inbound) -> None:
    customers = Customers(StoredFlows(office.database), stop_words=(), start_words=())
    async with office.database.transaction() as connection:
        channel_id = (await connection.execute(select(channels.c.channel_id))).scalar_one()
        await customers.take_inbound(connection, BUSINESS, channel_id, inbound)


def text(answers: str | None = None, **more: object) -> Inbound:
    fields = {"text": "Hello", "answers": answers} | more
    return Inbound(f"wamid.{uuid4()}", "text", "+16045552331", None, AT, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expressions", "passes"),
    [
        ([], True),
        (["campaign *"], True),
        (["nothing", "campaign ????????-*"], True),
        (["campaign"], False),
        (["campaign %"], False),
    ],
)
async def test_filters_are_globs_on_the_campaigns_name(
    office: Office, expressions: list[str], passes: bool
):
    filters = [{"field": "campaign_name", "expression": e} for e in expressions]
    webhook_id = await office.register("http://127.0.0.1:1/", **filter_columns(filters))
    (message,) = await office.messages(1)
    assert (await campaign_name(office)).startswith("campaign ")
    await office.happens([(message, "sent")])

    assert bool(await office.waiting(webhook_id)) is passes


async def test_a_registration_for_another_kind_of_channel_gets_nothing(office: Office):
    webhook_id = await office.register("http://127.0.0.1:1/", channel_types=["sms"])
    (message,) = await office.messages(1)
    await office.happens([(message, "sent")])

    assert await office.waiting(webhook_id) == []


async def test_texts_pass_filters_only_as_answers_to_such_a_campaign(
    office: Office, receiver: Receiver
):
    filters = filter_columns([{"field": "campaign_name", "expression": "campaign*"}])
    webhook_id = await office.register(receiver.address, "messages", **filters)
    message = await office.message(callback_data={"order": 1})
    async with office.database.transaction() as connection:
        wamid = await connection.scalar(
            select(messages.c.wamid).where(messages.c.message_id == message)
        )
    await writes(office, text(), text(answers=wamid, details={"name": "Ana"}))
    await office.deliver_all(webhook_id)

    (call,) = receiver.taken
    assert call.event["sender"]["name"] == "Ana"
    assert call.event["callbackData"] == {"order": 1}
    assert call.event["context"]["replyToId"]


async def test_the_same_message_of_a_customer_again_is_not_told_again(office: Office):
    webhook_id = await office.register("http://127.0.0.1:1/", "messages")
    once = text()
    await writes(office, once)
    await writes(office, once)

    assert [kind for kind, *_ in await office.waiting(webhook_id)] == ["inbound"]


@pytest.mark.parametrize(("echo", "told"), [(True, ["echo"]), (False, [])])
async def test_what_is_sent_is_echoed_if_asked_for(office: Office, echo: bool, told: list[str]):
    """A status that is faster than the answer tells of the acceptance."""
    webhook_id = await office.register("http://127.0.0.1:1/", "messages", echo=echo)
    message = await office.message("sending", wamid=None)
    await office.happens([(message, "sent")])
    await office.happens([(message, "sent"), (message, "delivered")])

    assert [kind for kind, *_ in await office.waiting(webhook_id)] == told


async def test_a_tap_settles_an_unknown_message_and_is_told_with_its_echo(office: Office):
    webhook_id = await office.register("http://127.0.0.1:1/", "messages", echo=True)
    message = await office.message("unknown", wamid=None)
    tap = Inbound(
        "wamid.tap", "tap", "+16045552331", None, AT, text="Yes", reply_id=f"{message}:yes"
    )
    await writes(office, tap)

    assert sorted(kind for kind, *_ in await office.waiting(webhook_id)) == ["echo", "inbound"]


@pytest.mark.parametrize("settled_by", ["sent", "tap"])
async def test_what_was_given_up_then_sent_and_failed_is_told_as_failed_once(
    office: Office, settled_by: str
):
    """That it was given up has been told where that was decided."""
    webhook_id = await office.register("http://127.0.0.1:1/")
    message = await office.message("given_up", wamid=None, unknown_since=AT)
    if settled_by == "tap":
        reply = f"{message}:yes"
        await writes(
            office,
            Inbound("wamid.tap", "tap", "+16045552331", None, AT, text="Yes", reply_id=reply),
        )
    else:
        await office.happens([(message, "sent")])
        await office.happens([(message, "sent")])
    await office.happens([(message, "failed")])

    assert [kind for kind, *_ in await office.waiting(webhook_id) if kind != "sent"] == []


async def test_what_was_unknown_then_sent_and_failed_is_told_as_failed(office: Office):
    webhook_id = await office.register("http://127.0.0.1:1/")
    message = await office.message("unknown", wamid=None, unknown_since=AT)
    await office.happens([(message, "sent")])
    await office.happens([(message, "failed")])

    kinds = [kind for kind, *_ in await office.waiting(webhook_id)]
    assert kinds == ["sent", "delivery_failed"]


async def test_a_tap_on_a_template_of_others_has_its_payload(office: Office, receiver: Receiver):
    webhook_id = await office.register(receiver.address, "messages")
    await writes(
        office,
        Inbound("wamid.tap", "tap", "+16045552331", None, AT, text="Yes", reply_id="their payload"),
    )
    await office.deliver_all(webhook_id)

    (call,) = receiver.taken
    assert call.event["buttonResponse"]["payload"] == "their payload"


@pytest.mark.parametrize(("source", "marks"), [("api", None), ("test", True)])
async def test_what_a_draft_is_tested_with_is_told_as_a_test(
    office: Office, receiver: Receiver, source: str, marks: bool | None
):
    """Whoever tries a flow also tries what reads its events; nobody takes them for customers'."""
    webhook_id = await office.register(receiver.address)
    (message,) = await office.messages(1)
    async with office.database.transaction() as connection:
        await connection.execute(update(sendouts).values(source=source))
    await office.happens([(message, "sent")])
    await office.deliver_all(webhook_id)

    (call,) = receiver.taken
    assert call.event["metadata"].get("test") is marks
    assert call.event["statusUpdate"]["metadata"].get("test") is marks


async def test_a_report_is_told_once(office: Office, receiver: Receiver):
    webhook_id = await office.register(receiver.address, "report")
    other = await office.register("http://127.0.0.1:1/", "messages")
    for _ in range(2):
        async with office.database.transaction() as connection:
            await tell_report(connection, BUSINESS, "run-001", {"id": "r", "last_run": {}})
    await office.deliver_all(webhook_id)

    (call,) = receiver.taken
    assert call.event["report"] == {"id": "r", "last_run": {}}
    assert call.event["topic"] == "report"
    assert await office.waiting(other) == []


async def test_only_registrations_with_due_events_that_nobody_delivers_are_woken(office: Office):
    webhook_id = await office.register("http://127.0.0.1:1/")

    async def sleeping() -> list[object]:
        async with office.database.transaction() as connection:
            return list(await sleeping_webhooks(connection))

    assert await sleeping() == []
    (message,) = await office.messages(1)
    await office.happens([(message, "sent")])
    assert await sleeping() == [webhook_id]
    answer = await office.deliver(webhook_id)
    assert answer.again_in is not None
    assert await sleeping() == [], "its workflow waits for the next try"


async def test_events_of_a_registration_that_is_gone_are_forgotten(office: Office):
    webhook_id = await office.register("http://127.0.0.1:1/")
    (message,) = await office.messages(1)
    await office.happens([(message, "sent")])
    async with office.database.transaction() as connection:
        assert await forget_orphans(connection) == 0
        await connection.execute(delete(webhooks).where(webhooks.c.webhook_id == webhook_id))
        assert await forget_orphans(connection) == 1
