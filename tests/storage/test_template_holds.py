"""Templates that WhatsApp's codes and events hold, and who releases them (flow.md 2.10)."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from domain.account_events import TemplateStatus
from domain.delivery import Accepted
from domain.run import SendOutcome
from domain.sending import Hold, Post
from domain.templates import EVERY_MARKETING
from storage.account_intake import take_template_statuses
from storage.repairs import Repairs
from storage.senders import senders_named
from storage.session import Database
from storage.tables import channels
from storage.template_holds import held_templates, hold_by_hand, hold_by_whatsapp, release_by_hand
from tests.api.sent import add_entry, add_message
from tests.record import BUSINESS, WABA, add_business, add_channel
from tests.storage.delivery import Delivery, now, refused, status

HELLO = ("hello", "en")
PAUSED = 132015


@pytest.fixture
async def ben(delivery: Delivery, sendout_id: UUID) -> UUID:
    async with delivery.database.transaction() as connection:
        return await add_entry(connection, sendout_id, "+16045552332")


async def told(
    database: Database, event: str, at: datetime | None = None, key: tuple[str, str] = HELLO
) -> None:
    """WhatsApp's `message_template_status_update` for the account of the default channel."""
    update = TemplateStatus(*key, event, None, at)
    async with database.transaction() as connection:
        senders = await senders_named(connection, [], [WABA])
        await take_template_statuses(connection, senders, [update])


async def codes(database: Database) -> dict[tuple[str, str], int | None]:
    """The templates that are held, and why."""
    async with database.transaction() as connection:
        return {hold.key: hold.code for hold in await held_templates(connection, BUSINESS)}


class TestACodeOfATemplate:
    async def test_holds_its_message_and_every_other_of_the_template(self, delivery, ana, ben):
        answered = await delivery.send(ana, refused(PAUSED))
        assert answered is not None
        assert answered.outcome is SendOutcome.HELD
        held = await delivery.message(ana)
        assert (held.state, held.held_for, held.template) == ("held", "template", "hello (en)")
        assert await delivery.entry_state(ana) == "running"
        assert await delivery.decide(ben) == Hold("template", template="hello (en)")
        assert (await delivery.message(ben)).template == "hello (en)"
        assert isinstance(await delivery.decide(ben, "nudge"), Post)

    async def test_keeps_its_first_reason(self, delivery, ana, ben):
        first, second = await delivery.call(ana), await delivery.call(ben)
        await first.is_answered(refused(PAUSED))
        await second.is_answered(refused(132001))
        assert await codes(delivery.database) == {HELLO: PAUSED}

    async def test_holds_it_in_that_account_only(self, delivery, sendout_id, ana):
        await delivery.send(ana, refused(PAUSED))
        async with delivery.database.transaction() as connection:
            other = await add_channel(connection, BUSINESS, "+15550002222")
            await connection.execute(
                text("UPDATE channels SET waba_id = 'other' WHERE channel_id = :id"), {"id": other}
            )
            eve = await add_entry(connection, sendout_id, "+16045552333", channel_id=other)
        assert isinstance(await delivery.decide(eve), Post)

    async def test_holds_nothing_of_a_business_that_only_names_the_account(self, delivery):
        stranger = uuid4()
        async with delivery.database.transaction() as connection:
            await add_business(connection, stranger, key="another", sender="+15550003333")
            query = select(channels.c.channel_id).where(channels.c.business_id == stranger)
            theirs = (await connection.scalars(query)).one()
            await hold_by_whatsapp(connection, theirs, HELLO, code=PAUSED, message=None)
        assert await codes(delivery.database) == {}

    async def test_for_marketing_as_a_whole_holds_every_marketing_template(
        self, delivery, ana, ben
    ):
        await delivery.send(ana, refused(131063))
        assert await codes(delivery.database) == {EVERY_MARKETING: 131063}
        assert await delivery.decide(ben) == Hold("template", template="* (*)")
        assert await delivery.decide(ben, "nudge") == Hold("template", template="* (*)")
        assert isinstance(await delivery.decide(ben, "bill"), Post)

    async def test_in_a_failed_status_holds_it_but_the_message_has_failed(self, delivery, ana, ben):
        await delivery.send(ana, Accepted("wamid.1"))
        await delivery.told(status("failed", error_code=PAUSED, error_message="paused"))
        assert (await delivery.message(ana)).state == "failed"
        assert await delivery.entry_state(ana) == "failed"
        assert isinstance(await delivery.decide(ben), Hold)

    async def test_that_is_told_again_does_not_hold_it_again(self, delivery, ana):
        await delivery.send(ana, Accepted("wamid.1"))
        failed = status("failed", error_code=PAUSED)
        await delivery.told(failed)
        async with delivery.database.transaction() as connection:
            assert await release_by_hand(connection, BUSINESS, HELLO)
        await delivery.told(failed)
        assert await codes(delivery.database) == {}

    async def test_from_before_a_release_does_not_hold_it(self, delivery, ana):
        await delivery.send(ana, Accepted("wamid.1"))
        await told(delivery.database, "APPROVED", now())
        old = now() - timedelta(minutes=5)
        await delivery.told(status("failed", error_code=PAUSED, at=old))
        assert await codes(delivery.database) == {}


class TestATemplatesStatus:
    @pytest.mark.parametrize(
        ("event", "code"),
        [("PAUSED", 132015), ("DISABLED", 132016), ("REJECTED", 132001), ("DELETED", 132001)],
    )
    async def test_holds_it_with_the_code_that_a_send_would_get(self, delivery, event, code):
        await told(delivery.database, event)
        assert await codes(delivery.database) == {HELLO: code}

    @pytest.mark.parametrize("event", ["PENDING", "FLAGGED", "IN_APPEAL", "NOVELTY"])
    async def test_of_another_kind_changes_nothing(self, delivery, event):
        await told(delivery.database, event)
        assert await codes(delivery.database) == {}
        await told(delivery.database, "PAUSED")
        await told(delivery.database, event)
        assert await codes(delivery.database) == {HELLO: PAUSED}

    async def test_approved_releases_the_runs_that_wait_each_once(self, delivery, ana, ben):
        await delivery.send(ana, refused(PAUSED))
        await delivery.decide(ben)
        for _ in range(2):
            await told(delivery.database, "APPROVED")
        assert sorted(await delivery.signalled()) == sorted([(ana, "released"), (ben, "released")])
        assert isinstance(await delivery.decide(ana), Post)

    async def test_approved_does_not_release_what_a_person_holds(self, delivery):
        async with delivery.database.transaction() as connection:
            await hold_by_hand(connection, BUSINESS, HELLO, by="ops", message=None)
        await told(delivery.database, "APPROVED")
        assert await codes(delivery.database) == {HELLO: None}

    @pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0), (1, 0, 1, 0)])
    async def test_counts_by_whatsapps_time_in_whichever_order_it_comes(self, delivery, order):
        at = now() - timedelta(hours=2)
        history = [("PAUSED", at), ("APPROVED", at + timedelta(hours=1))]
        for place in order:
            await told(delivery.database, *history[place])
        assert await codes(delivery.database) == {}
        await told(delivery.database, "PAUSED", at + timedelta(minutes=90))
        await told(delivery.database, *history[1])
        assert await codes(delivery.database) == {HELLO: PAUSED}

    async def test_releases_nothing_of_other_templates(self, delivery, ana):
        await delivery.send(ana, refused(PAUSED))
        await told(delivery.database, "APPROVED", key=("nudge", "en"))
        await told(delivery.database, "APPROVED", key=("hello", "de"))
        assert await delivery.signalled() == []
        assert await codes(delivery.database) == {HELLO: PAUSED}


class TestTheSweep:
    async def test_releases_what_is_held_no_more_and_was_not_told(self, delivery, ana):
        await delivery.send(ana, refused(PAUSED))
        repairs = Repairs(delivery.database)
        assert await repairs.release_held() == 0
        await self.forget_holds(delivery)
        assert await repairs.release_held() == 1
        assert await repairs.release_held() == 0
        assert await delivery.signalled() == [(ana, "released")]

    async def test_leaves_what_all_marketing_or_another_hold_keeps_back(self, delivery, ana, ben):
        await delivery.send(ana, refused(131063))
        await told(delivery.database, "PAUSED", key=("nudge", "en"))
        await delivery.decide(ben, "nudge")
        async with delivery.database.transaction() as connection:
            await add_message(connection, ben, "held", held_for="window", node="bill", number=2)
        assert await Repairs(delivery.database).release_held() == 0
        await told(delivery.database, "APPROVED", key=("nudge", "en"))
        assert await delivery.signalled() == [(ben, "released")]
        assert await Repairs(delivery.database).release_held() == 0

    async def forget_holds(self, delivery: Delivery) -> None:
        """As if the hold had ended between the send's look at it and its note."""
        async with delivery.database.transaction() as connection:
            await connection.execute(text("UPDATE template_holds SET held_since = NULL"))
