"""Single messages: what a call stores, what many calls share, and what is done once."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, insert, select, update

from domain.ids import message_id
from storage.session import Database
from storage.tables import campaigns, claims, entries, flows, sendouts
from storage.template_tables import template_reads, templates
from tests.api.sent import add_inbound
from tests.record import BUSINESS, WABA, add_campaign, greeting
from tests.statements import statements
from tests.temporal_stand_ins import RecordedPokes

TEMPLATED = f"/v1/businesses/{BUSINESS}/send/whatsapp_templated_messages"
SESSION = f"/v1/businesses/{BUSINESS}/send/messages"
GREETING = {
    "id": "1001",
    "name": "greeting",
    "language": "en",
    "status": "APPROVED",
    "category": "UTILITY",
    "components": [{"type": "BODY", "text": "Hello {{1}}"}],
}


@pytest.fixture(autouse=True)
async def known_templates(business: None, database: Database) -> None:
    """The template `greeting`, read from WhatsApp a moment ago."""
    account = {"business_id": BUSINESS, "waba_id": WABA}
    async with database.transaction() as connection:
        await connection.execute(insert(template_reads).values(**account, read_at=func.now()))
        await connection.execute(
            insert(templates).values(
                **account,
                name="greeting",
                language="en",
                status="APPROVED",
                category="UTILITY",
                definition=GREETING,
            )
        )


def templated(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "number": f"+1604{number:07}",
        "templateName": "greeting",
        "language": "en",
        "parameters": [{"name": "body_1", "value": f"Ana {number}"}],
        **fields,
    }


def session(number: int = 1, **message: Any) -> dict[str, Any]:
    return {"recipient": {"id": f"+1604{number:07}"}, "message": message or {"text": "Hi"}}


async def sent(api: httpx.AsyncClient, body: Any, path: str = TEMPLATED, **more: Any) -> str:
    """The id that a good call answers."""
    answer = await api.post(path, json=body, **more)
    assert answer.status_code == 201, answer.text
    assert answer.json().keys() == {"id"}
    return str(answer.json()["id"])


async def wrote(database: Database, *numbers: int) -> None:
    """These customers wrote a moment ago."""
    async with database.transaction() as connection:
        for number in numbers:
            await add_inbound(connection, f"+1604{number:07}")


async def rows(database: Database, query: Any) -> list[Any]:
    async with database.transaction() as connection:
        return list((await connection.execute(query)).all())


async def count(database: Database, table: Any) -> int:
    return len(await rows(database, select(table)))


async def test_the_answered_id_is_that_of_the_message_to_be_sent(
    api: httpx.AsyncClient, database: Database, pokes: RecordedPokes
):
    answered = await sent(api, templated())

    [entry] = await rows(database, select(entries))
    assert answered == message_id(entry.entry_id, entry.created_at, 1, "message", 1)
    assert pokes.sendouts == [entry.sendout_id]


async def test_the_answered_id_of_a_campaigns_entry_is_that_of_its_start_message(
    api: httpx.AsyncClient, database: Database, pokes: RecordedPokes
):
    flow = greeting({"name": {}}, "{{name}}")
    async with database.transaction() as connection:
        await add_campaign(connection, "spring", versions={"v1": flow})

    answered = await sent(api, templated(campaignName="spring"))

    [entry] = await rows(database, select(entries))
    assert answered == message_id(entry.entry_id, entry.created_at, 1, "hello", 1)
    assert pokes.sendouts == [entry.sendout_id]
    [claim] = await rows(database, select(claims))
    assert claim.entry_id == entry.entry_id


async def test_calls_of_one_shape_share_one_flow_and_one_sendout(
    api: httpx.AsyncClient, database: Database
):
    """Also those that come first, at the same time; none takes part in the duplicate check."""
    await wrote(database, *range(8))

    # As many as there are connections: none has to wait for one.
    ids = await asyncio.gather(
        *(sent(api, templated(n)) for n in range(8)),
        *(sent(api, session(n, text=f"Hello {n}"), SESSION) for n in range(8)),
        *(sent(api, templated(1)) for _ in range(4)),
    )

    assert len(set(ids)) == 20
    assert await count(database, flows) == 2
    assert await count(database, sendouts) == 2
    assert await count(database, campaigns) == 1
    assert await count(database, claims) == 0


async def test_every_tag_has_a_place_of_its_own(api: httpx.AsyncClient, database: Database):
    for tag in (None, "shipping", "billing", "shipping"):
        await sent(api, templated(campaignName=tag))

    found = await rows(database, select(campaigns.c.name, campaigns.c.kind))
    assert sorted(found) == [("", "messages"), ("billing", "messages"), ("shipping", "messages")]
    assert await count(database, flows) == 1
    assert await count(database, sendouts) == 3


@pytest.mark.usefixtures("keys_stay_known")
async def test_the_number_of_statements_is_constant(api: httpx.AsyncClient, database: Database):
    await wrote(database, 1)
    for body, path in ((templated(), TEMPLATED), (session(), SESSION)):
        await sent(api, body, path)

        for _ in range(3):
            with statements(database) as made:
                await sent(api, body, path)

            # The campaign and channels; the template or the window; the entry.
            assert len(made) == 3


async def test_a_cancelled_sendout_makes_way_for_another(
    api: httpx.AsyncClient, database: Database
):
    await sent(api, templated())
    [first] = await rows(database, select(sendouts.c.sendout_id))
    path = f"/v1/businesses/{BUSINESS}/sendouts/{first.sendout_id}"
    assert (await api.post(f"{path}/cancel")).status_code == 200

    await sent(api, templated(2))

    states = await rows(
        database, select(sendouts.c.state, sendouts.c.is_current).order_by("created_at")
    )
    assert states == [("cancelled", False), ("running", True)]


async def test_a_paused_sendout_takes_messages_to_be_held(
    api: httpx.AsyncClient, database: Database
):
    await sent(api, templated())
    [first] = await rows(database, select(sendouts.c.sendout_id))
    shown = await api.post(f"/v1/businesses/{BUSINESS}/sendouts/{first.sendout_id}/pause")
    assert shown.json()["entity"]["source"] == "message"
    assert shown.json()["entity"]["campaignName"] is None

    await sent(api, templated(2))

    assert await count(database, sendouts) == 1


async def test_a_repeated_key_gives_the_first_id_again_and_sends_nothing_more(
    api: httpx.AsyncClient, database: Database, pokes: RecordedPokes
):
    key = {"Idempotency-Key": "order-1"}

    first = await sent(api, templated(), headers=key)
    again = await sent(api, templated(), headers=key)

    assert first == again
    assert await count(database, entries) == 1
    assert len(pokes.sendouts) == 1
    other = await api.post(TEMPLATED, json=templated(2), headers=key)
    assert other.status_code == 422
    elsewhere = await api.post(SESSION, json=session(), headers=key)
    assert elsewhere.status_code == 422


async def test_a_refused_call_leaves_nothing_behind(
    api: httpx.AsyncClient, database: Database, pokes: RecordedPokes
):
    """And its key is free for the corrected call."""
    key = {"Idempotency-Key": "order-1"}
    wrong = await api.post(TEMPLATED, json=templated(parameters=[]), headers=key)
    assert wrong.status_code == 400

    assert await count(database, campaigns) == 0
    assert pokes.sendouts == []
    await sent(api, templated(), headers=key)


async def test_a_campaign_of_messages_is_nowhere_to_be_found(
    api: httpx.AsyncClient, database: Database
):
    await sent(api, templated(campaignName="tag"))
    [campaign] = await rows(database, select(campaigns.c.campaign_id))
    path = f"/v1/businesses/{BUSINESS}/campaigns/{campaign.campaign_id}"

    for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/publish"), ("GET", "/versions")):
        answer = await api.request(method, path + more)
        assert answer.status_code == 404, (method, more)
    answer = await api.post(
        f"/v1/businesses/{BUSINESS}/send/campaigns",
        json={"entries": [{"client": "+16045552331", "campaignName": "tag"}]},
    )
    assert answer.status_code == 404


async def test_the_sendout_counts_its_messages(api: httpx.AsyncClient, database: Database):
    for number in (1, 2, 2):
        await sent(api, templated(number))
    [sendout] = await rows(database, select(sendouts.c.sendout_id))

    shown = (await api.get(f"/v1/businesses/{BUSINESS}/sendouts/{sendout.sendout_id}")).json()

    assert shown["entity"]["entries"]["queued"] == 3
    assert shown["entity"]["entries"]["duplicate"] == 0


async def test_templates_of_another_business_are_not_known_by_naming_its_account(
    api: httpx.AsyncClient, app: FastAPI, database: Database
):
    """What was read for one business is told to no other."""
    other = UUID("22222222-2222-4222-8222-222222222222")
    async with database.transaction() as connection:
        await connection.execute(update(templates).values(business_id=other))

    answer = await api.post(TEMPLATED, json=templated())

    assert answer.json()["code"] == "ERROR_CODE_MESSAGE_TEMPLATE_NOT_FOUND"
