"""Every contract case, replayed against the running API."""

import json
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from settings import Settings
from storage.session import Database
from tests.contract.cases import (
    Answers,
    case_files,
    make_given,
    read_case,
    stored_rows,
    take_step,
)
from tests.record import BUSINESS, SENDER, add_channel
from tests.record import add_business as record_business
from tests.temporal_stand_ins import RecordedPokes, RecordedSignals, TemporalAway

SEND = f"/v1/businesses/{BUSINESS}/send/campaigns"


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
def app(postgres_url: str, database: Database, pokes: RecordedPokes, case_file: Path) -> FastAPI:
    """The API with the settings of the case."""
    changed = read_case(case_file).get("given", {}).get("settings", {})
    return create_app(
        Settings(database_url=postgres_url, **changed),
        database,
        pokes=pokes,
        signals=RecordedSignals(),
        temporal=TemporalAway(),
    )


async def test_the_api_answers_as_the_case_says(
    api: httpx.AsyncClient, database: Database, case_file: Path
):
    case = read_case(case_file)
    answers = Answers(case)
    for step in case.get("given", {}).get("earlier", []):
        if "send" not in step:
            async with database.transaction() as connection:
                await take_step(connection, step)
            continue
        earlier = await api.post(SEND, content=json.dumps(step["send"]))
        assert earlier.status_code == step.get("status", 200), earlier.text
        if "response" in step:
            answers.check(step["response"], earlier.json(), "earlier $")
    body = case.get("requestText") or json.dumps(case.get("request"))
    answer = await api.post(SEND, content=body, headers=case.get("headers", {}))
    assert answer.status_code == case["status"], answer.text
    answers.check(case["response"], answer.json())
    if "stored" in case:
        async with database.transaction() as connection:
            stored = await stored_rows(connection)
        wanted = [
            {name: row[name] for name in want}
            for want, row in zip(case["stored"], stored, strict=True)
        ]
        assert wanted == case["stored"]


def test_documented_examples_say_how_closely_they_are_matched():
    for path in case_files():
        if path.parent.name == "documented":
            case = read_case(path)
            assert case["match"] in {"exact", "names differ", "illustrative"}, path
            assert case["why"], path
            assert case["source"], path
