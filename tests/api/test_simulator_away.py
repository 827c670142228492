"""The embedded stack while its simulator is away: what needs it says so, and what had been done."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from embedded.ports import free_ports
from settings import Settings
from storage import channels
from storage.session import Database
from storage.templates import TemplateCopies
from tests.api.calls import CAMPAIGNS, create
from tests.api.sent import FLOW
from tests.record import BUSINESS
from tests.temporal_stand_ins import api_without_temporal
from whatsapp.client import CloudApi
from whatsapp.simulated_numbers import SimulatedNumbers
from whatsapp.template_source import TemplateSource

CHANNELS = f"/v1/businesses/{BUSINESS}/channels"


@pytest.fixture
async def app(settings: Settings, database: Database) -> AsyncIterator[FastAPI]:
    """The API as the embedded stack puts it together, with nobody at the simulator's address."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"

    async def sender_of(channel_id: UUID) -> dict[str, str]:
        async with database.transaction() as connection:
            return await channels.sender_of(connection, channel_id)

    async with CloudApi(url, "v25.0", http_timeout=60) as graph:
        yield api_without_temporal(
            settings,
            database,
            numbers=SimulatedNumbers(url, sender_of),
            templates=TemplateSource(graph, TemplateCopies(database), simulator_url=url),
        )


async def test_a_channel_that_was_changed_is_stored(api: httpx.AsyncClient):
    before = (await api.get(CHANNELS)).json()["data"][0]
    path = f"{CHANNELS}/{before['channelId']}"

    answer = await api.patch(path, json={"messagesPerSecond": 7})

    assert answer.status_code == 503
    said = f"The WhatsApp simulator does not answer. Channel {before['channelId']} is stored"
    assert answer.json()["message"].startswith(said)
    assert (await api.get(path)).json()["entity"] == before | {"messagesPerSecond": 7}


async def test_a_flow_with_templates_is_not_published(api: httpx.AsyncClient):
    campaign = await create(api, "spring", FLOW)

    answer = await api.post(f"{CAMPAIGNS}/{campaign['campaignId']}/publish", json={})

    assert answer.status_code == 503
    assert "Nothing was published" in answer.json()["message"]
    read = (await api.get(f"{CAMPAIGNS}/{campaign['campaignId']}")).json()["entity"]
    assert read["state"] == "draft"
