"""Conventions of every call (api.md section 1): keys, error shapes, health."""

import re
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.responses import Response

from api.app import create_app
from api.deps import KEY_REMEMBERED, CanSend
from settings import Settings
from storage.keys import add_key
from storage.session import Database
from tests.conftest import client_of
from tests.record import BUSINESS, KEY, add_business
from tests.temporal_stand_ins import RecordedPokes, RecordedSignals

OTHER = "22222222-2222-4222-8222-222222222222"
FLAT = {"message", "type", "code", "userTitle", "userMessage", "cntTraceId", "details"}


@pytest.fixture
def app(settings: Settings, database: Database, pokes: RecordedPokes) -> FastAPI:
    """The API with a few routes of the tests' own."""
    app = create_app(
        settings, database, pokes=pokes, signals=RecordedSignals(), temporal=Temporal()
    )

    @app.get("/v1/businesses/{businessId}/thing")
    async def thing(caller: CanSend) -> Response:
        return Response(caller.name)

    @app.get("/number")
    async def number(count: int) -> int:
        return count

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("for +15551234567 with the token EAAG")

    @app.get("/statement")
    async def statement() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("SELECT 1/0"))

    @app.get("/away")
    async def away() -> None:
        async with (
            Database("postgresql+asyncpg://localhost:1/none") as nowhere,
            nowhere.transaction() as connection,
        ):
            await connection.execute(text("SELECT 1"))

    return app


class Temporal:
    """Temporal as the test wants it."""

    is_reachable = True
    polls = True

    async def reachable(self) -> bool:
        return self.is_reachable

    async def worker_polling(self) -> bool:
        return self.polls


def is_flat(body: dict[str, object]) -> bool:
    trace = body["cntTraceId"]
    return (
        set(body) == FLAT
        and isinstance(trace, str)
        and re.fullmatch(r"\d{1,20}", trace) is not None
        and int(trace) < 2**64
        and isinstance(body["details"], dict)
    )


async def test_a_key_tells_its_business_name_and_scopes(api: httpx.AsyncClient):
    answer = await api.get("/v1/me")
    assert answer.json() == {
        "businessId": str(BUSINESS),
        "name": "test",
        "scopes": ["admin", "operate", "read", "send"],
    }


@pytest.mark.parametrize("key", ["", "unknown", "ключ", "x" * 5000])
async def test_a_missing_or_unknown_key_is_401_in_the_flat_shape(api: httpx.AsyncClient, key: str):
    answer = await api.get(f"/v1/businesses/{BUSINESS}/thing", headers={b"X-API-Key": key.encode()})
    assert answer.status_code == 401
    assert is_flat(answer.json())
    assert answer.json()["type"] == "ERROR_TYPE_AUTHENTICATION"
    assert answer.json()["code"] == "ERROR_CODE_UNAUTHENTICATED"


async def test_a_request_without_the_header_is_401(app: FastAPI, business: None):
    async with client_of(app) as nobody:
        answer = await nobody.get(f"/v1/businesses/{BUSINESS}/thing")
    assert answer.status_code == 401


async def test_a_revoked_key_is_401(api: httpx.AsyncClient, database: Database):
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE api_keys SET revoked_at = now()"))
    answer = await api.get(f"/v1/businesses/{BUSINESS}/thing")
    assert answer.status_code == 401


async def test_a_key_in_use_stops_working_soon_after_it_was_revoked(
    api: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("api.deps.KEY_REMEMBERED", 0.0)
    assert KEY_REMEMBERED <= 2
    assert (await api.get(f"/v1/businesses/{BUSINESS}/thing")).status_code == 200
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE api_keys SET revoked_at = now()"))
    assert (await api.get(f"/v1/businesses/{BUSINESS}/thing")).status_code == 401


@pytest.mark.parametrize("business_id", [OTHER, "not-a-uuid"])
async def test_a_key_of_another_business_is_403_as_rpc_status(
    api: httpx.AsyncClient, business_id: str
):
    answer = await api.get(f"/v1/businesses/{business_id}/thing")
    assert answer.status_code == 403
    body = answer.json()
    assert set(body) == {"code", "message", "details"}
    assert body["code"] == 7
    (detail,) = body["details"]
    assert detail.pop("@type") == "type.googleapis.com/connectly.error.PartialError"
    assert is_flat(detail)
    assert detail["type"] == "ERROR_TYPE_AUTHORIZATION"
    assert detail["code"] == "ERROR_CODE_PERMISSION_DENIED"
    assert body["message"] == detail["message"]


async def test_a_key_without_the_scope_is_403(api: httpx.AsyncClient, database: Database):
    async with database.transaction() as connection:
        await add_key(
            connection, BUSINESS, name="reader", scopes=frozenset({"read"}), secret="read-key"
        )
    answer = await api.get(f"/v1/businesses/{BUSINESS}/thing", headers={"X-API-Key": "read-key"})
    assert answer.status_code == 403
    assert "`send`" in answer.json()["message"]


async def test_the_case_of_the_business_id_does_not_count(api: httpx.AsyncClient):
    assert (await api.get(f"/v1/businesses/{str(BUSINESS).upper()}/thing")).status_code == 200


async def test_the_use_of_a_key_is_recorded_at_most_once_a_minute(
    api: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("api.deps.KEY_REMEMBERED", 0.0)
    used = []
    for _ in range(2):
        await api.get("/v1/me")
        async with database.transaction() as connection:
            used.append(await connection.scalar(text("SELECT last_used_at FROM api_keys")))
    assert used[0] is not None
    assert used[0] == used[1]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing/here", 404, "ERROR_CODE_NOT_FOUND"),
        ("GET", "/number", 400, "ERROR_CODE_BAD_REQUEST"),
        ("GET", "/number?count=many", 400, "ERROR_CODE_BAD_REQUEST"),
        ("GET", "/broken", 500, "ERROR_CODE_UNSPECIFIED"),
        ("GET", "/statement", 500, "ERROR_CODE_UNSPECIFIED"),
    ],
)
async def test_errors_of_the_framework_and_of_ours_have_the_flat_shape(
    api: httpx.AsyncClient, method: str, path: str, status: int, code: str
):
    answer = await api.request(method, path)
    assert answer.status_code == status
    assert is_flat(answer.json())
    assert answer.json()["code"] == code


async def test_a_wrong_parameter_is_named(api: httpx.AsyncClient):
    assert "`count`" in (await api.get("/number?count=many")).json()["message"]


async def test_a_wrong_method_is_405_as_rpc_status_and_names_those_allowed(api: httpx.AsyncClient):
    answer = await api.delete("/v1/me")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.json()["code"] == 12


async def test_the_database_away_is_503(api: httpx.AsyncClient):
    answer = await api.get("/away")
    assert answer.status_code == 503
    assert answer.json()["code"] == 14
    assert answer.json()["details"][0]["type"] == "ERROR_TYPE_UNAVAILABLE"


async def test_an_error_of_ours_is_logged_under_its_trace_id_without_numbers(
    api: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
):
    answer = await api.get("/broken")
    logged = capsys.readouterr().out
    assert answer.json()["cntTraceId"] in logged
    assert "RuntimeError" in logged
    assert "15551234567" not in logged
    assert "RuntimeError" not in answer.text


async def test_health_needs_no_key(app: FastAPI, database: Database):
    async with client_of(app) as nobody:
        assert (await nobody.get("/healthz")).status_code == 200
        assert (await nobody.get("/readyz")).json()["status"] == "ok"


@pytest.mark.parametrize(
    ("reachable", "polls", "status", "all_"),
    [(True, True, "ok", 200), (True, False, "ok", 503), (False, False, "degraded", 503)],
)
async def test_temporal_away_degrades_and_only_all_asks_for_it(
    api: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    reachable: bool,
    polls: bool,
    status: str,
    all_: int,
):
    monkeypatch.setattr(Temporal, "is_reachable", reachable)
    monkeypatch.setattr(Temporal, "polls", polls)
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert (await api.get("/readyz?all=1")).status_code == all_


async def test_a_database_that_is_away_is_not_ready(settings: Settings, pokes: RecordedPokes):
    async with Database("postgresql+asyncpg://localhost:1/none") as nowhere:
        app = create_app(
            settings, nowhere, pokes=pokes, signals=RecordedSignals(), temporal=Temporal()
        )
        async with client_of(app) as client:
            answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "away"


async def test_two_businesses_do_not_open_each_other(database: Database, app: FastAPI):
    async with database.transaction() as connection:
        await add_business(connection)
        await add_business(connection, UUID(OTHER), key="other-key", sender=None)
    async with client_of(app) as client:
        for key, business, status in (
            (KEY, BUSINESS, 200),
            (KEY, OTHER, 403),
            ("other-key", OTHER, 200),
            ("other-key", BUSINESS, 403),
        ):
            answer = await client.get(
                f"/v1/businesses/{business}/thing", headers={"X-API-Key": key}
            )
            assert answer.status_code == status
