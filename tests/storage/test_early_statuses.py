"""Statuses of messages that nobody knows yet: kept for a day, and applied once they are known."""

from itertools import permutations

import pytest
from sqlalchemy import text

from domain.delivery import Accepted
from domain.run import SendOutcome
from storage.repairs import Repairs
from tests.storage.delivery import Delivery, status


async def kept(delivery: Delivery) -> int:
    async with delivery.database.transaction() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM early_statuses")) or 0)


@pytest.mark.parametrize("order", [*permutations(["sent", "delivered", "read"])])
async def test_what_comes_before_the_answer_without_our_id_counts_once_it_is_there(
    delivery, ana, order
):
    call = await delivery.call(ana)
    for name in [*order, *order]:
        await delivery.told(status(name))
    assert await kept(delivery) == 3
    assert (await delivery.message(ana)).state == "sending"
    answered = await call.is_answered(Accepted("wamid.1"))
    assert answered is not None
    assert answered.outcome is SendOutcome.ACCEPTED
    found = await delivery.message(ana)
    assert found.state == "sent"
    assert None not in {found.sent_at, found.delivered_at, found.read_at}
    assert await kept(delivery) == 0


async def test_a_failure_before_the_answer_fails_the_message(delivery, ana):
    call = await delivery.call(ana)
    await delivery.told(status("failed", error_code=131026))
    answered = await call.is_answered(Accepted("wamid.1"))
    assert answered is not None
    assert answered.outcome is SendOutcome.REFUSED
    assert (await delivery.message(ana)).error_code == 131026
    assert await delivery.entry_state(ana) == "failed"
    assert (ana, "message_failed") in await delivery.signalled()


async def test_statuses_of_others_stay_and_are_forgotten_after_a_day(delivery, ana):
    await delivery.told(status("delivered", wamid="wamid.of.another.system"))
    await delivery.send(ana, Accepted("wamid.1"))
    repairs = Repairs(delivery.database)
    assert await repairs.apply_early_statuses() == 0
    assert await repairs.forget_passed() == 0
    assert await kept(delivery) == 1
    async with delivery.database.transaction() as connection:
        old = "UPDATE early_statuses SET received_at = received_at - interval '25 hours'"
        await connection.execute(text(old))
    assert await repairs.forget_passed() == 1
    assert await kept(delivery) == 0


async def test_the_sweep_applies_those_that_the_answer_did_not_see(delivery, ana):
    """They came in the very moment in which it was recorded."""
    await delivery.told(status("delivered"))
    async with delivery.database.transaction() as connection:
        hidden = "UPDATE early_statuses SET wamid = 'wamid.2'"
        await connection.execute(text(hidden))
    await delivery.send(ana, Accepted("wamid.1"))
    async with delivery.database.transaction() as connection:
        await connection.execute(text("UPDATE early_statuses SET wamid = 'wamid.1'"))
    repairs = Repairs(delivery.database)
    assert await repairs.apply_early_statuses() == 1
    assert (await delivery.message(ana)).delivered_at is not None
    assert await kept(delivery) == 0
    assert await repairs.apply_early_statuses() == 0


async def test_a_status_with_our_id_is_never_early(delivery, ana):
    call = await delivery.call(ana)
    await delivery.told(status("delivered", message_id=call.message_id))
    assert await kept(delivery) == 0
    assert (await delivery.message(ana)).state == "sent"
