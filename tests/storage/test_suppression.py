"""After 131049 no marketing template goes to that customer for 24 hours (flow.md 2.8)."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.delivery import Accepted
from domain.sending import NotMade, Post
from storage.identity import remember
from storage.repairs import Repairs
from tests.api.sent import add_entry
from tests.record import BUSINESS
from tests.storage.delivery import Delivery, now, refused, status

ANA, ALSO_ANA, BEN = "+5215512345678", "+525512345678", "+16045552332"


@pytest.fixture
async def ana(delivery: Delivery, sendout_id: UUID) -> UUID:
    return await entry(delivery, sendout_id, ANA)


async def entry(delivery: Delivery, sendout_id: UUID, client: str) -> UUID:
    async with delivery.database.transaction() as connection:
        return await add_entry(connection, sendout_id, client)


async def is_withheld(delivery: Delivery, entry_id: UUID) -> bool:
    """Whether marketing is refused without a call, and a bill is sent all the same."""
    assert isinstance(await delivery.decide(entry_id, "bill"), Post)
    found = await delivery.decide(entry_id, "nudge")
    if isinstance(found, NotMade):
        assert (found.state, found.code) == ("refused", 131049)
        assert (await delivery.message(entry_id, "nudge")).tries == 0
    return isinstance(found, NotMade)


async def test_in_an_answer(delivery, sendout_id, ana):
    await delivery.send(ana, refused(131049))
    assert (await delivery.message(ana)).state == "refused"
    assert await is_withheld(delivery, await entry(delivery, sendout_id, ANA))
    assert not await is_withheld(delivery, await entry(delivery, sendout_id, BEN))


async def test_in_a_status(delivery, ana):
    await delivery.send(ana, Accepted("wamid.1"))
    await delivery.told(status("failed", error_code=131049))
    assert await is_withheld(delivery, ana)


async def test_under_every_name(delivery, sendout_id, ana):
    await delivery.send(ana, refused(131049))
    also = await entry(delivery, sendout_id, ALSO_ANA)
    async with delivery.database.transaction() as connection:
        await remember(connection, BUSINESS, [(ANA, ALSO_ANA, None)])
    assert await is_withheld(delivery, also)


@pytest.mark.parametrize(("ago", "withheld"), [(23, True), (25, False)])
async def test_for_24_hours_from_whatsapps_time(delivery, ana, ago, withheld):
    await delivery.send(ana, Accepted("wamid.1"))
    at = now() - timedelta(hours=ago)
    await delivery.told(status("failed", error_code=131049, at=at))
    assert await is_withheld(delivery, ana) is withheld


async def test_an_older_one_does_not_shorten_it(delivery, sendout_id, ana):
    await delivery.send(ana, Accepted("wamid.1"))
    second = await entry(delivery, sendout_id, ANA)
    await delivery.send(second, refused(131049))
    at = now() - timedelta(hours=23, minutes=59)
    await delivery.told(status("failed", error_code=131049, at=at))
    async with delivery.database.transaction() as connection:
        left = await connection.scalar(text("SELECT until - now() FROM suppressions"))
    assert left > timedelta(hours=23)


async def test_no_other_code_suppresses(delivery, ana):
    await delivery.send(ana, refused(131026))
    assert not await is_withheld(delivery, ana)


async def test_the_sweep_removes_it_once_it_is_over(delivery, ana):
    await delivery.send(ana, refused(131049))
    assert await Repairs(delivery.database).forget_passed() == 0
    async with delivery.database.transaction() as connection:
        await connection.execute(text("UPDATE suppressions SET until = now() - interval '1 s'"))
    assert not await is_withheld(delivery, ana)
    assert await Repairs(delivery.database).forget_passed() == 1
