"""Whatever fits the description, and much that does not, gets an answer that is described."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from settings import Settings as ApiSettings
from storage.imports import add_import
from storage.session import Database
from storage.webhook_events import tell_report
from storage.webhooks import add_webhook, filter_columns
from tests.api.described import description, operation_ids
from tests.api.graph import simulated_graph, template_source
from tests.api.importing import a_file
from tests.api.sent import add_entry, add_message, add_sendout
from tests.conftest import serve
from tests.record import BUSINESS, KEY, add_campaign, add_channel
from tests.temporal_stand_ins import (
    api_without_temporal,
)

SCHEMA = schemathesis.openapi.from_dict(description())


def works(_context: Any, response: Any, case: Any) -> None:
    """No error of the server; only `/readyz` may say that a part is away."""
    told = {503} if case.operation.path == "/readyz" else set()
    assert response.status_code < 500 or response.status_code in told


CHECKS = [
    works,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 15


@pytest.fixture(scope="module")
async def graph_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A WhatsApp to make templates at."""
    async with simulated_graph(tmp_path_factory.mktemp("simulator")) as url:
        yield url


@pytest.fixture
async def app(settings: ApiSettings, database: Database, graph_url: str) -> AsyncIterator[FastAPI]:
    """The API, connected to WhatsApp."""
    async with template_source(graph_url, database) as templates:
        yield api_without_temporal(settings, database, templates=templates)


@pytest.fixture
async def known(business: None, database: Database) -> dict[str, str]:
    """Path parameters that lead to something."""
    async with database.transaction() as connection:
        campaign_id = await add_campaign(connection, "spring")
        sendout_id = await add_sendout(connection)
        entry_id = await add_entry(connection, sendout_id)
        await add_message(connection, entry_id)
        channel_id = await add_channel(connection, BUSINESS, "+15550002222")
        webhook = {"topic": "report", "type": "custom", "address": "https://93.184.216.34/"}
        webhook_id = await add_webhook(
            connection, BUSINESS, webhook | {"secret": "x"} | filter_columns([])
        )
        await tell_report(connection, BUSINESS, "run-001", {})
        import_id = await add_import(
            connection, BUSINESS, await a_file(connection, campaign_id), []
        )
    return {
        "businessId": str(BUSINESS),
        "campaignId": str(campaign_id),
        "campaignVersion": "v1",
        "sendoutId": str(sendout_id),
        "entryId": str(entry_id),
        "channelId": str(channel_id),
        "webhookId": str(webhook_id),
        "importId": str(import_id),
        "runId": "none",
        "client": "+16045552331",
        "name": "greeting",
        "language": "en",
    }


def signed(body: Any) -> dict[str, Any]:
    """The body as WhatsApp would send it for the channels of `known`."""
    data = json.dumps(body).encode()
    signature = hmac.new(b"secret", data, "sha256").hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"}
    return {"data": data, "headers": headers}


def try_out(address: str, operation_id: str, known: dict[str, str]) -> None:
    operation = SCHEMA.find_operation_by_id(operation_id)

    @seed(20260504)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), leads_somewhere=st.integers(0, 3))
    def answers(case: Any, leads_somewhere: int) -> None:
        # Most of the time the address is one that exists, so that the body matters.
        for name in case.path_parameters or {}:
            if leads_somewhere or name == "businessId":
                case.path_parameters[name] = known[name]
        sent: dict[str, Any] = {"headers": {"X-API-Key": KEY}}
        if operation_id == "receiveEvents":
            sent = signed(case.body)
        case.call_and_validate(base_url=address, checks=CHECKS, timeout=60, **sent)

    answers()


@pytest.mark.parametrize("operation_id", operation_ids())
async def test_every_answer_is_described(app: FastAPI, known: dict[str, str], operation_id: str):
    async with serve(app) as address:
        await asyncio.to_thread(try_out, address, operation_id, known)
