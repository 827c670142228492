"""One worker's way through the record, and a customer of a sendout that it sends."""

from uuid import UUID

import pytest

from storage.session import Database
from tests.api.sent import add_entry, add_sendout
from tests.storage.delivery import TWO_KINDS, Delivery


@pytest.fixture
def delivery(business: None, database: Database) -> Delivery:
    return Delivery(database)


@pytest.fixture
async def sendout_id(delivery: Delivery) -> UUID:
    async with delivery.database.transaction() as connection:
        return await add_sendout(connection, flow=TWO_KINDS)


@pytest.fixture
async def ana(delivery: Delivery, sendout_id: UUID) -> UUID:
    """Her entry."""
    async with delivery.database.transaction() as connection:
        return await add_entry(connection, sendout_id, "+16045552331")
