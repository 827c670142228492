"""The record with one business, a receiver on loopback, and what delivers to it."""

from collections.abc import AsyncIterator

import pytest

from storage.session import Database
from tests.webhooks.delivering import Office
from tests.webhooks.receiver import Receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def office(database: Database, business: None) -> Office:
    """The business with a running sendout, and its deliveries."""
    return Office(database)
