"""Every contract case, replayed against the running API."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from settings import Settings
from storage.session import Database
from tests.contract.cases import SEND, Answers, body_of, case_files, read_case
from tests.contract.given import make_given, stored_rows, take_step
from tests.record import BUSINESS, SENDER, add_channel
from tests.record import add_business as record_business
from tests.temporal_stand_ins import RecordedPokes, RecordedSignals


class Temporal:
    """Temporal as the case says."""

    def __init__(self, state: str) -> None:
        assert state in {"up", "away", "without workers"}, state
        self._state = state

    async def reachable(self) -> bool:
        return self._state != "away"

    async def worker_polling(self) -> bool:
        return self._state == "up"


@pytest.fixture(params=case_files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def case_file(request: pytest.FixtureRequest) -> Path:
    """One case."""
    path: Path = request.param
    return path


@pytest.fixture
async def business(database: Database, case_file: Path) -> None:
    """The business of a case: its channels are those given, or else one default channel."""
    given = read_case(case_file).get("given", {})
    async with database.transaction() as connection:
        await record_business(connection, sender=None)
        if "channels" not in given:
            await add_channel(connection, BUSINESS, SENDER, is_default=True)
        await make_given(connection, given)


@pytest.fixture
def app(
    postgres_url: str,
    database: Database,
    pokes: RecordedPokes,
    case_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> FastAPI:
    """The API with the settings of the case; all its calls are of the same second."""
    monkeypatch.setattr("limits.aio.storage.memory.time", SimpleNamespace(time=lambda: 0.0))
    given = read_case(case_file).get("given", {})
    return create_app(
        Settings(database_url=postgres_url, **given.get("settings", {})),
        database,
        pokes=pokes,
        signals=RecordedSignals(),
        temporal=Temporal(given.get("temporal", "away")),
    )


async def call(api: httpx.AsyncClient, step: Mapping[str, Any], answers: Answers) -> httpx.Response:
    """Make the call of a step and see that it is answered as the step says."""
    method, _, path = answers.filled(step.get("call", SEND)).partition(" ")
    request = api.build_request(
        method,
        path.replace("…", f"/v1/businesses/{BUSINESS}", 1),
        content=answers.filled(body_of(step)),
    )
    for name, value in step.get("headers", {}).items():
        if value is None:
            request.headers.pop(name, None)
        else:
            request.headers[name] = value
    answer = await api.send(request)
    if "status" in step:
        assert answer.status_code == step["status"], answer.text
    assert "status" in step or answer.is_success, answer.text
    if "response" in step:
        is_csv = answer.headers["content-type"].startswith("text/csv")
        body = answer.text if is_csv else answer.json()
        answers.check(step["response"], body, f"{method} {path} $")
    for name, value in step.get("responseHeaders", {}).items():
        assert answer.headers.get(name) == value, name
    return answer


async def test_the_api_answers_as_the_case_says(
    api: httpx.AsyncClient, database: Database, case_file: Path
):
    case = read_case(case_file)
    answers = Answers(case)
    for step in case.get("given", {}).get("earlier", []):
        if "call" in step or "request" in step:
            await call(api, step, answers)
        else:
            async with database.transaction() as connection:
                await take_step(connection, step)
    await call(api, case, answers)
    if "stored" in case:
        async with database.transaction() as connection:
            stored = await stored_rows(connection)
        wanted = [
            {name: row[name] for name in want}
            for want, row in zip(case["stored"], stored, strict=True)
        ]
        assert wanted == case["stored"]


def test_every_case_says_what_is_answered():
    for path in case_files():
        case = read_case(path)
        assert {"title", "status", "response"} <= case.keys(), path


def test_documented_examples_say_how_closely_they_are_matched():
    for path in case_files():
        if path.parent.name == "documented":
            case = read_case(path)
            assert case["match"] in {"exact", "names differ", "illustrative"}, path
            assert case["why"], path
            assert case["source"], path
