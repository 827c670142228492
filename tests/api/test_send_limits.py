"""POST send/campaigns: limits, bad days and bad input are documented answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from settings import Settings
from storage.session import Database
from tests.api.sending import SEND, count, entry, send
from tests.conftest import client_of
from tests.record import BUSINESS, KEY, add_business, add_campaign
from tests.statements import end_the_one_that_waits
from tests.temporal_stand_ins import (
    RecordedPokes,
    api_without_temporal,
)


@pytest.fixture(autouse=True)
async def spring(business: None, database: Database) -> None:
    """The published campaign `spring`, of one version without variables."""
    async with database.transaction() as connection:
        await add_campaign(connection, "spring")


# --- limits and bad days -------------------------------------------------------------------------


@pytest.fixture
async def slow_api(
    postgres_url: str, database: Database, pokes: RecordedPokes
) -> AsyncIterator[httpx.AsyncClient]:
    """An API that takes three requests a second."""
    settings = Settings(database_url=postgres_url, requests_per_second=3)
    app = api_without_temporal(settings, database, pokes=pokes)
    async with client_of(app, KEY) as client:
        yield client


async def test_more_requests_in_a_second_than_allowed_are_429_for_that_business_alone(
    slow_api: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
):
    clock = SimpleNamespace(time=lambda: 0.0)
    monkeypatch.setattr("limits.aio.storage.memory.time", clock)
    other = UUID("22222222-2222-4222-8222-222222222222")
    async with database.transaction() as connection:
        await add_business(connection, other, key="other", sender="+15550002222")
    answers = [await slow_api.post(SEND, json={"entries": []}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    refused = answers[-1]
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["code"] == 8
    assert refused.json()["details"][0]["code"] == "ERROR_CODE_THROTTLED"
    free = await slow_api.post(
        SEND.replace(str(BUSINESS), str(other)), json={}, headers={"X-API-Key": "other"}
    )
    assert free.status_code == 200
    clock.time = lambda: 1.1
    assert (await slow_api.post(SEND, json={"entries": []})).status_code == 200


async def test_a_connection_that_breaks_during_the_commit_leaves_the_outcome_unknown(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    async def broken(_connection: object) -> None:
        raise ConnectionResetError("gone")

    await api.get("/v1/me")
    monkeypatch.setattr("sqlalchemy.ext.asyncio.AsyncConnection.commit", broken)
    answer = await api.post(SEND, json={"entries": [entry(1)]})
    assert answer.status_code == 503
    assert answer.json()["code"] == 14
    assert answer.json()["details"][0]["details"] == {"commit": "unknown"}


async def test_a_database_that_goes_away_is_503_and_nothing_was_accepted(
    api: httpx.AsyncClient, database: Database
):
    await api.get("/v1/me")
    async with database.transaction() as connection:
        await connection.execute(text("LOCK TABLE entries IN EXCLUSIVE MODE"))
        waiting = asyncio.create_task(api.post(SEND, json={"entries": [entry(1)]}))
        await end_the_one_that_waits(database)
        answer = await waiting
    assert answer.status_code == 503
    assert "commit" not in answer.json()["details"][0]["details"]
    assert await count(database) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe{}",
        '{"entries": []}'.encode("utf-16"),
        b'{"entries": [{"client": "\xed\xa0\x80"}]}',
        b"[" * 100_000,
        b'{"entries":' * 5_000 + b"1",
        b"",
        b"\x00",
        b'{"a":' + b"9" * 5_000 + b"x",
    ],
    ids=["bytes", "utf-16", "surrogate", "deep lists", "deep objects", "empty", "nul", "number"],
)
async def test_what_is_no_json_in_utf8_is_400(api: httpx.AsyncClient, body: bytes):
    answer = await api.post(SEND, content=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "ERROR_CODE_BAD_REQUEST"


@pytest.mark.parametrize(
    "variables",
    [
        {"n": "x" * 1_000_000},
        {"x" * 1_000_000: "n"},
        {str(n): n for n in range(20_000)},
        {"deep": json.loads("[" * 90 + "]" * 90)},
        {"": "", " ": " ", "ключ": "значение 🦜"},
    ],
    ids=["text of 1 MB", "name of 1 MB", "20,000 names", "90 levels", "odd names"],
)
async def test_large_and_odd_variables_are_kept(
    api: httpx.AsyncClient, database: Database, variables: dict[str, Any]
):
    await send(api, entry(1, variables=variables))
    async with database.transaction() as connection:
        stored = await connection.scalar(text("SELECT variables::text FROM entries"))
    assert json.loads(stored or "") == variables


async def test_variables_nested_too_deeply_are_an_invalid_entry(api: httpx.AsyncClient):
    deep = json.loads("[" * 200 + "]" * 200)
    (row,) = (await send(api, entry(1, variables={"a": deep}), entry(2, callbackData=deep)))["data"]
    assert row["rejectedCount"] == 2


async def test_numbers_of_any_length_are_kept_as_written(
    api: httpx.AsyncClient, database: Database
):
    number = "9" * 5_000 + "e-9999"
    body = '{"entries":[{"client":"+16045552331","campaignName":"spring","variables":{"n":%s}}]}'
    assert (await api.post(SEND, content=body % number)).status_code == 200
    async with database.transaction() as connection:
        stored = await connection.scalar(text("SELECT variables::text FROM entries"))
    assert stored == f'{{"n":{number}}}'


async def test_a_body_over_the_limit_is_413_also_when_its_length_is_not_announced(
    api: httpx.AsyncClient,
):
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(11 * 16):
            yield b" " * 65_536

    answer = await api.post(SEND, content=endless())
    assert answer.status_code == 413
    assert answer.json()["details"][0]["type"] == "ERROR_TYPE_REQUEST_ENTITY_TOO_LARGE"


async def test_a_key_without_the_scope_send_is_403(app: FastAPI, database: Database):
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE api_keys SET scopes = '{read,operate,admin}'"))
    async with client_of(app, KEY) as client:
        answer = await client.post(SEND, json={"entries": []})
    assert answer.status_code == 403


async def test_temporal_away_changes_nothing(api: httpx.AsyncClient):
    assert (await send(api, entry(1)))["data"][0]["acceptedCount"] == 1
