"""The API with stand-ins that tell what was asked of Temporal."""

from uuid import UUID

import pytest
from fastapi import FastAPI

from settings import Settings
from storage.session import Database
from tests.api.sent import add_sendout
from tests.temporal_stand_ins import (
    RecordedClosing,
    RecordedPokes,
    RecordedSignals,
    api_without_temporal,
)


@pytest.fixture
def signals() -> RecordedSignals:
    """How often signals were to be handed over."""
    return RecordedSignals()


@pytest.fixture
def closing() -> RecordedClosing:
    """The sendouts whose runs were to be closed."""
    return RecordedClosing()


@pytest.fixture
def app(
    settings: Settings,
    database: Database,
    pokes: RecordedPokes,
    signals: RecordedSignals,
    closing: RecordedClosing,
) -> FastAPI:
    """The API on the empty database, with Temporal away."""
    return api_without_temporal(settings, database, pokes=pokes, signals=signals, closing=closing)


@pytest.fixture
def keys_stay_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was found good is not looked up again, however long the test takes."""
    monkeypatch.setattr("api.deps.KEY_REMEMBERED", 3600.0)


@pytest.fixture
async def sendout_id(business: None, database: Database) -> UUID:
    """A running sendout without entries, of the flow `tests.api.sent.FLOW`."""
    async with database.transaction() as connection:
        return await add_sendout(connection)
