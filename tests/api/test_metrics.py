"""GET /metrics, as Prometheus reads it (api.md section 7)."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from api.metrics import Metrics
from runs import Runs
from settings import Settings
from storage.flows import StoredFlows
from storage.outbox import RunOutbox
from storage.session import Database
from temporal import connect
from tests.api.sending import SEND, entry
from tests.api.sent import add_entry, add_message, add_sendout
from tests.conftest import client_of
from tests.record import BUSINESS, add_campaign
from tests.temporal_stand_ins import (
    RecordedPokes,
    api_without_temporal,
)

CUSTOMERS = f"/v1/businesses/{BUSINESS}/customers"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def scraped(api: httpx.AsyncClient) -> Samples:
    """Every sample, by name and labels."""
    answer = await api.get("/metrics", headers={"X-API-Key": ""})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"sendout_{name}", tuple(sorted(labels.items()))))


async def test_requests_are_counted_by_route_and_never_by_address(api: httpx.AsyncClient):
    for client in ("+16045552331", "+16045552332"):
        assert (await api.get(f"{CUSTOMERS}/{client}")).status_code == 404
    await api.get("/v1/me", headers={"X-API-Key": "unknown"})
    await api.get("/nothing/+16045552331")
    await api.request("PROPFIND", "/v1/me")

    samples = await scraped(api)

    route = "/v1/businesses/{businessId}/customers/{client}"
    count = ("http_requests_total", {"method": "GET"})
    assert value(samples, count[0], **count[1], route=route, status="404") == 2
    assert value(samples, count[0], **count[1], route="/v1/me", status="401") == 1
    assert value(samples, count[0], **count[1], route="none", status="404") == 1
    assert value(samples, "http_request_seconds_count", method="GET", route=route) == 2
    assert value(samples, count[0], method="other", route="/v1/me", status="405") == 1
    shown = str(samples)
    assert "1604555" not in shown
    assert str(BUSINESS) not in shown


async def test_entries_are_counted_by_what_became_of_them(
    api: httpx.AsyncClient, database: Database
):
    async with database.transaction() as connection:
        await add_campaign(connection, "spring")
    nothing = await scraped(api)
    batch = {"entries": [entry(1), entry(2), entry(3, client="nobody")]}
    for headers in ({"Idempotency-Key": "one"}, {"Idempotency-Key": "one"}):
        assert (await api.post(SEND, json=batch, headers=headers)).status_code == 200
    await api.post(SEND, json={"entries": [entry(1)]})
    await api.post(SEND, json=batch | {"options": {"dryRun": True}})

    samples = await scraped(api)

    outcomes = ("accepted", "duplicate", "rejected")
    assert [value(nothing, "entries_total", outcome=o) for o in outcomes] == [0, 0, 0]
    assert [value(samples, "entries_total", outcome=o) for o in outcomes] == [2, 1, 1]


async def test_what_waits_in_the_record_is_told(
    api: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("api.routes.metrics._PATIENCE", 60.0)
    async with database.transaction() as connection:
        entry_id = await add_entry(connection, await add_sendout(connection))
        for number, state in enumerate(("held", "held", "unknown", "sending", "sent"), 1):
            await add_message(connection, entry_id, state, visit=number)
        await connection.execute(
            text("INSERT INTO unread_events (reason, body) VALUES ('odd', '{}')")
        )
        await connection.execute(
            text("INSERT INTO run_signals (entry_id, name, body) VALUES (:id, 'released', '{}')"),
            {"id": entry_id},
        )

    samples = await scraped(api)

    told = ("held_messages", "unknown_messages", "sending_messages", "unread_events", "run_signals")
    assert [value(samples, name) for name in told] == [2, 1, 1, 1, 1]
    assert value(samples, "database_up") == 1
    assert value(samples, "temporal_up") == 0


async def test_it_answers_while_the_database_is_away(settings: Settings, pokes: RecordedPokes):
    async with Database("postgresql+asyncpg://localhost:1/none") as nowhere:
        app = api_without_temporal(settings, nowhere, pokes=pokes)
        async with client_of(app) as client:
            samples = await scraped(client)
    assert value(samples, "database_up") == 0
    assert value(samples, "unread_events") is None


async def test_a_broken_request_is_counted_as_500(app: FastAPI, business: None):
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    async with client_of(app) as client:
        await client.get("/broken")
        samples = await scraped(client)
    assert value(samples, "http_requests_total", method="GET", route="/broken", status="500") == 1


async def test_pokes_that_fail_are_counted(settings: Settings, database: Database):
    away = settings.model_copy(update={"temporal_address": "127.0.0.1:1"})
    flows = StoredFlows(database)
    metrics = Metrics()
    runs = Runs(
        await connect(away, flows),
        flows,
        RunOutbox(database),
        task_queue="none",
        note_failure=lambda call: metrics.left_to_sweep.labels(call).inc(),
    )

    runs.poke(BUSINESS)
    shown = ""
    while 'sendout_left_to_sweep_total{call="poke"} 1.0' not in shown:
        await asyncio.sleep(0.01)
        shown = metrics.exposition(None, temporal_up=False).decode()
    assert 'sendout_left_to_sweep_total{call="hand_over"} 0.0' in shown
