"""API keys say nothing of what they are not: the same work and the same answer for all bad ones."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from storage.keys import add_key, hash_key
from storage.session import Database
from storage.tables import api_keys
from tests.conftest import client_of
from tests.record import BUSINESS, add_business
from tests.statements import statements

OTHER = "22222222-2222-4222-8222-222222222222"
NOBODY = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
async def client(
    app: FastAPI, business: None, database: Database
) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key; besides the business's there is a revoked one."""
    async with database.transaction() as connection:
        await add_key(
            connection, BUSINESS, name="old", scopes=frozenset({"read"}), secret="revoked-key"
        )
        await connection.execute(text("UPDATE api_keys SET revoked_at = now() WHERE name = 'old'"))
    async with client_of(app) as client:
        yield client


async def asked(client: httpx.AsyncClient, key: str, business: str) -> tuple[int, bytes, Any]:
    """Status, body without the trace id, and headers without the date and the id's length."""
    answer = await client.get(f"/v1/businesses/{business}/campaigns", headers={"X-API-Key": key})
    body = re.sub(rb'("cntTraceId":)"\d+"', rb'\1""', answer.content)
    headers = {k: v for k, v in answer.headers.items() if k not in {"date", "content-length"}}
    return answer.status_code, body, headers


async def test_bad_keys_cost_the_same_statements_and_get_the_same_answer(
    client: httpx.AsyncClient, database: Database
):
    seen = []
    for key, business in (
        ("unknown-key", str(BUSINESS)),
        ("revoked-key", str(BUSINESS)),
        ("unknown-key", NOBODY),
        ("revoked-key", NOBODY),
    ):
        with statements(database) as made:
            answer = await asked(client, key, business)
        seen.append((answer, made))

    (status, body, _), made = seen[0]
    assert status == 401
    assert json.loads(body)["code"] == "ERROR_CODE_UNAUTHENTICATED"
    assert len(made) == 1
    assert all(one == seen[0] for one in seen)


@pytest.mark.usefixtures("keys_stay_known")
async def test_a_good_key_does_not_tell_which_businesses_exist(
    client: httpx.AsyncClient, database: Database
):
    async with database.transaction() as connection:
        await add_business(connection, UUID(OTHER), key="other-key", sender=None)
    await asked(client, "other-key", OTHER)
    seen = []
    for business in (str(BUSINESS), NOBODY):
        with statements(database) as made:
            answer = await asked(client, "other-key", business)
        seen.append((answer, made))

    assert seen[0] == seen[1]
    assert seen[0][0][0] == 403


async def test_keys_are_kept_as_their_sha_256_only(database: Database, business: None):
    async with database.transaction() as connection:
        key_id, secret = await add_key(
            connection, BUSINESS, name="till", scopes=frozenset({"send"})
        )
        query = select(api_keys).where(api_keys.c.key_id == key_id)
        row = (await connection.execute(query)).one()

    assert row.key_hash == hash_key(secret)
    assert secret not in str(row)
    assert len(secret) >= 43
