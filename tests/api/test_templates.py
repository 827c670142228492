"""The record's copy of WhatsApp's templates: read, kept up to date, and made (connectly.md 6)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text, update

from api.message_calls import RECHECK
from api.routes.templates import LISTED_FOR
from settings import Settings
from storage.session import Database
from storage.tables import channels
from storage.template_tables import templates
from tests.api.calls import CAMPAIGNS, code_of, create
from tests.api.graph import simulated_graph, template_source
from tests.api.sent import FLOW
from tests.record import BUSINESS, WABA
from tests.temporal_stand_ins import (
    api_without_temporal,
)
from whatsapp.signature import HEADER, sign
from whatsapp.template_source import TemplateSource

LIST = f"/v1/businesses/{BUSINESS}/get/templates"
CREATE = f"/v1/businesses/{BUSINESS}/create/template"
SEND = f"/v1/businesses/{BUSINESS}/send/whatsapp_templated_messages"


@pytest.fixture(autouse=True)
def nothing_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """No list grows old, and WhatsApp always answers in time, however long a test takes."""
    for of in ("templates.LISTED_FOR", "simulate.LISTED_FOR", "simulate._PATIENCE"):
        monkeypatch.setattr(f"api.routes.{of}", 600.0)
    monkeypatch.setattr("api.message_calls.RECHECK", 600.0)


@pytest.fixture(scope="module")
async def graph_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with simulated_graph(tmp_path_factory.mktemp("simulator")) as url:
        yield url


@pytest.fixture
async def graph(graph_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """WhatsApp's side, without templates."""
    async with httpx.AsyncClient(base_url=graph_url, timeout=60, trust_env=False) as client:
        await client.put("/_sim/templates", json=[])
        yield client


@pytest.fixture
async def source(graph_url: str, database: Database) -> AsyncIterator[TemplateSource]:
    async with template_source(graph_url, database) as source:
        yield source


@pytest.fixture
async def app(settings: Settings, database: Database, source: TemplateSource) -> FastAPI:
    return api_without_temporal(settings, database, templates=source)


def definition(name: str = "sale", body: str = "Hello {{1}}", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "language": "en",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": body}],
        "wabaId": WABA,
        **more,
    }


async def put(graph: httpx.AsyncClient, *definitions: dict[str, Any]) -> None:
    (await graph.put("/_sim/templates", json=list(definitions))).raise_for_status()


def order(**changes: Any) -> dict[str, Any]:
    """A template to be made, in Connectly's words."""
    return {
        "name": "sale",
        "language": {"code": "en"},
        "category": "MESSAGE_TEMPLATE_GROUP_CATEGORY_MARKETING",
        "templateComponents": [
            {"header": {"media": {"type": "TYPE_IMAGE", "example": ["4::handle"]}}},
            {"body": {"text": {"text": "Hello {{1}}", "example": ["Ana"]}}},
            {"footer": {"text": {"text": "Shop"}}},
            {"buttons": [{"type": "QUICK_REPLY", "text": "Yes"}]},
        ],
        **changes,
    }


def templated(name: str = "sale", *values: str) -> dict[str, Any]:
    parameters = [{"name": f"body_{n}", "value": value} for n, value in enumerate(values, 1)]
    number = "+16045552331"
    return {"number": number, "templateName": name, "language": "en", "parameters": parameters}


async def statuses(api: httpx.AsyncClient) -> dict[str, tuple[str, str]]:
    """Status and category of each template that is listed."""
    groups = (await api.post(LIST)).json()["entity"]["templateGroups"]
    return {
        group["name"]: (template["status"].removeprefix("MESSAGE_TEMPLATE_STATUS_"), category)
        for group in groups
        for category in [group["category"]]
        for template in group["templates"]
    }


async def tell(api: httpx.AsyncClient, field: str, at: float | None = None, **value: Any) -> None:
    """An event of WhatsApp about the template `sale`."""
    named = {"message_template_name": "sale", "message_template_language": "en"}
    entry = {
        "id": WABA,
        "time": int(time.time() if at is None else at),
        "changes": [{"field": field, "value": named | value}],
    }
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    answer = await api.post(
        "/v1/providers/whatsapp/webhook", content=body, headers={HEADER: sign("secret", body)}
    )
    assert answer.status_code == 200


async def make_old(database: Database) -> None:
    """As if the list had been read an hour ago."""
    async with database.transaction() as connection:
        await connection.execute(
            text("UPDATE template_reads SET read_at = read_at - interval '1 hour'")
        )


# --- reading -------------------------------------------------------------------------------------


async def test_a_list_is_answered_again_for_some_seconds(
    api: httpx.AsyncClient, graph: httpx.AsyncClient, database: Database
):
    await put(graph, definition())
    assert await statuses(api) == {"sale": ("APPROVED", "MARKETING")}

    await put(graph, definition("other", status="PAUSED"))

    assert await statuses(api) == {"sale": ("APPROVED", "MARKETING")}
    assert LISTED_FOR <= 60
    await make_old(database)
    assert await statuses(api) == {"other": ("PAUSED", "MARKETING")}


async def test_a_list_that_whatsapp_does_not_tell_anew_stays(
    api: httpx.AsyncClient, graph: httpx.AsyncClient, database: Database
):
    await put(graph, definition())
    await statuses(api)
    await make_old(database)
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE channels SET access_token = 'expired'"))

    assert await statuses(api) == {"sale": ("APPROVED", "MARKETING")}


async def test_without_whatsapps_word_there_is_no_list(api: httpx.AsyncClient, database: Database):
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE channels SET access_token = 'expired-token'"))

    answer = await api.post(LIST)

    assert answer.status_code == 503
    assert "expired-token" not in answer.text


async def test_a_template_that_is_new_at_whatsapp_can_be_sent_at_once(
    api: httpx.AsyncClient, graph: httpx.AsyncClient, database: Database
):
    """A list is asked for when there is none, and when one that is not quite new lacks the template."""
    await put(graph, definition())
    assert (await api.post(SEND, json=templated("sale", "Ana"))).status_code == 201
    await put(graph, definition(), definition("news"))

    # A list of a moment ago is believed: callers cannot have WhatsApp asked at every call.
    assert code_of(await api.post(SEND, json=templated("news", "Ana"))) == (
        404,
        "MESSAGE_TEMPLATE_NOT_FOUND",
    )
    assert RECHECK <= 30
    await make_old(database)
    assert (await api.post(SEND, json=templated("news", "Ana"))).status_code == 201


async def test_parameters_are_judged_by_the_template_as_it_is_now(
    api: httpx.AsyncClient, graph: httpx.AsyncClient, database: Database
):
    await put(graph, definition())
    assert (await api.post(SEND, json=templated("sale", "Ana"))).status_code == 201
    await put(graph, definition(body="Hello {{1}} and {{2}}"))
    await make_old(database)

    assert (await api.post(SEND, json=templated("sale", "Ana", "Eva"))).status_code == 201
    assert code_of(await api.post(SEND, json=templated("sale", "Ana"))) == (
        400,
        "MESSAGE_TEMPLATE_INPUT_INVALID",
    )


async def test_a_simulation_shows_templates_as_whatsapp_has_them(
    api: httpx.AsyncClient, graph: httpx.AsyncClient, database: Database
):
    """Body and category are the registry's, as at a send; also while WhatsApp does not answer."""
    await put(
        graph,
        definition("greeting", "Dear {{1}}, come in"),
        definition("nudge", "Still there?", category="UTILITY"),
    )
    campaign = await create(api, "spring", FLOW)
    steps = {"steps": [{"reply": "STOP"}, {"wait": "PT20H"}], "variables": {"name": "Ana"}}

    async def shown() -> list[str]:
        simulated = await api.post(f"{CAMPAIGNS}/{campaign['campaignId']}/simulate", json=steps)
        return [message["text"] for message in simulated.json()["entity"]["messages"]]

    # The flow calls the nudge marketing, which nobody gets after a STOP.
    assert await shown() == ["Dear Ana, come in", "Still there?"]
    await make_old(database)
    async with database.transaction() as connection:
        await connection.execute(update(channels).values(access_token="revoked"))
    assert await shown() == ["Dear Ana, come in", "Still there?"]


async def test_calls_at_the_same_time_ask_whatsapp_once(
    graph: httpx.AsyncClient, source: TemplateSource, business: None, monkeypatch
):
    asked = []
    read = source._api.list_templates

    async def counted(**account: Any) -> Any:
        asked.append(account["waba_id"])
        return await read(**account)

    monkeypatch.setattr(source._api, "list_templates", counted)
    await asyncio.gather(*(source.refresh(BUSINESS, older_than=30) for _ in range(10)))

    assert asked == [WABA]


# --- events --------------------------------------------------------------------------------------


async def test_events_change_what_is_known(api: httpx.AsyncClient, graph: httpx.AsyncClient):
    await put(graph, definition())
    await statuses(api)

    await tell(api, "message_template_status_update", event="PAUSED")
    await tell(
        api, "template_category_update", previous_category="MARKETING", new_category="UTILITY"
    )

    assert await statuses(api) == {"sale": ("PAUSED", "UTILITY")}


async def test_a_late_event_changes_nothing_but_has_whatsapp_asked_anew(
    api: httpx.AsyncClient, graph: httpx.AsyncClient, database: Database
):
    await put(graph, definition())
    await statuses(api)
    await put(graph, definition(body="Hello"))

    await tell(api, "message_template_status_update", at=time.time() - 3600, event="REJECTED")

    async with database.transaction() as connection:
        assert await connection.scalar(select(templates.c.status)) == "APPROVED"
    assert await statuses(api) == {"sale": ("APPROVED", "MARKETING")}
    async with database.transaction() as connection:
        assert "{{1}}" not in str(await connection.scalar(select(templates.c.definition)))


async def test_a_list_asked_for_before_an_event_does_not_undo_it(
    api: httpx.AsyncClient,
    graph: httpx.AsyncClient,
    source: TemplateSource,
    database: Database,
    monkeypatch,
):
    """The answer was under way while the event came in."""
    await put(graph, definition())
    await statuses(api)
    await make_old(database)
    read = source._api.list_templates

    async def overtaken(**account: Any) -> Any:
        listed = await read(**account)
        later = time.time() + 2
        await tell(api, "message_template_status_update", at=later, event="DISABLED")
        return listed

    monkeypatch.setattr(source._api, "list_templates", overtaken)

    assert await statuses(api) == {"sale": ("DISABLED", "MARKETING")}


# --- making --------------------------------------------------------------------------------------


async def test_a_template_is_made_at_whatsapp_and_can_be_sent_at_once(
    api: httpx.AsyncClient, graph: httpx.AsyncClient
):
    answer = await api.post(CREATE, json=order())

    assert answer.status_code == 200, answer.text
    made = answer.json()["entity"]
    [language] = made.pop("templates")
    assert made == {"id": "sale", "name": "sale", "category": "MARKETING"}
    [at_whatsapp] = (await graph.get("/_sim/templates")).json()["data"]
    assert language["id"] == at_whatsapp["id"]
    assert language["language"] == {"code": "en"}
    assert language["templateComponents"] == order()["templateComponents"]
    assert [c["type"] for c in at_whatsapp["components"]] == ["HEADER", "BODY", "FOOTER", "BUTTONS"]
    assert at_whatsapp["components"][1]["example"] == {"body_text": [["Ana"]]}
    parameters = [
        {"name": "header_image", "value": "https://cdn.example.com/a.jpg"},
        {"name": "body_1", "value": "Ana"},
    ]
    sent = await api.post(SEND, json=templated() | {"parameters": parameters})
    assert sent.status_code == 201, sent.text


async def test_a_repeated_key_makes_one_template(api: httpx.AsyncClient, graph: httpx.AsyncClient):
    key = {"Idempotency-Key": str(uuid4())}

    answers = [await api.post(CREATE, json=order(), headers=key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


async def test_whatsapps_refusals_are_documented_errors(
    api: httpx.AsyncClient, graph: httpx.AsyncClient
):
    await api.post(CREATE, json=order())
    assert code_of(await api.post(CREATE, json=order())) == (
        409,
        "MESSAGE_TEMPLATE_DUPLICATED_LANGUAGE",
    )
    long = [{"body": {"text": {"text": "x" * 1025}}}]
    answer = await api.post(CREATE, json=order(name="long", templateComponents=long))
    assert code_of(answer) == (400, "MESSAGE_TEMPLATE_INPUT_INVALID")
    assert "1024" in answer.json()["message"]


async def test_a_refused_token_is_told_without_the_token(
    api: httpx.AsyncClient, graph: httpx.AsyncClient, database: Database
):
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE channels SET access_token = 'EAAsecret-token'"))

    answer = await api.post(CREATE, json=order())

    assert code_of(answer) == (409, "UNAUTHENTICATED")
    assert "EAAsecret-token" not in answer.text
