"""The record with one business, a receiver on loopback, and what delivers to it."""

from collections.abc import AsyncIterator

import pytest

from storage.session import Database
from tests.webhooks.delivering import Office
from tests.webhooks.receiver import Receiver

FIRST_PAUSE = 60.0
"""Seconds before an event is tried a second time: long enough that none is due by itself."""


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed, and who was away, is not tried again before `pass_time`, on any machine."""
    monkeypatch.setattr("domain.webhook_events._FIRST_PAUSE", FIRST_PAUSE)
    monkeypatch.setattr("activities.webhooks.random.uniform", lambda *_: FIRST_PAUSE)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def office(database: Database, business: None) -> Office:
    """The business with a running sendout, and its deliveries."""
    return Office(database)
