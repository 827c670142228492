"""Outcomes that two transactions work out at the same time: one of both sees the other."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from domain.delivery import Accepted, NotSent, Unclear
from domain.requests import FinishRun, OpenRun, SendResult
from domain.run import MessageRef, RunState, SendOutcome
from domain.sending import Doubt, NotMade, Policy, Post
from storage.cancelling import cancel_entry, cancel_sendout
from storage.ending import end_entry, lock_entry
from storage.identity import remember
from storage.intake import take_statuses
from storage.run_record import RunRecord
from storage.tables import channels
from tests.api.sent import add_click, add_entry, add_inbound, add_message, claim
from tests.record import BUSINESS
from tests.storage.delivery import Delivery, now, refused, status, waiting

ANA = "+16045552331"


@pytest.fixture
async def ana(delivery: Delivery, ana: UUID) -> UUID:
    """Her entry, with its claim on the campaign."""
    async with delivery.database.transaction() as connection:
        await claim(connection, ana)
    return ana


async def sent(delivery: Delivery, entry_id: UUID, state: str = "running") -> str:
    """Her first message, accepted a minute ago; its id, and wamid.1 at WhatsApp."""
    async with delivery.database.transaction() as connection:
        return await add_message(connection, entry_id, "sent", wamid="wamid.1", accepted_at=now())


class TestAFailureAtTheEnd:
    async def test_that_comes_while_the_end_is_recorded_changes_it(self, delivery, ana):
        await sent(delivery, ana)
        async with delivery.database.transaction() as ending:
            await lock_entry(ending, ana)
            await end_entry(ending, ana, 1, RunState())
            told = await waiting(
                delivery.database, delivery.told(status("failed", error_code=131026))
            )
        await told
        assert await delivery.entry_state(ana) == "failed"
        assert not await delivery.has_claim(ana)

    async def test_that_is_being_recorded_is_seen_by_the_end(self, delivery, ana):
        await sent(delivery, ana)
        record = RunRecord(delivery.database)
        async with delivery.database.transaction() as telling:
            channel_id = (await telling.scalars(select(channels.c.channel_id))).one()
            failed = status("failed", error_code=131026)
            await take_statuses(telling, BUSINESS, channel_id, [failed])
            finish = record.finish_run(FinishRun(entry=ana, at_rest=RunState()))
            ended = await waiting(delivery.database, finish)
        await ended
        assert await delivery.entry_state(ana) == "failed"

    async def test_that_is_faster_than_the_answer_is_seen_by_it(self, delivery, ana):
        call = await delivery.call(ana)
        failed = status("failed", message_id=call.message_id, error_code=131026)
        async with delivery.database.transaction() as telling:
            channel_id = (await telling.scalars(select(channels.c.channel_id))).one()
            await take_statuses(telling, BUSINESS, channel_id, [failed])
            answered = await waiting(
                delivery.database, call.is_answered(Accepted("wamid.1", "16045552331"))
            )
        assert (await answered).outcome == "refused"
        assert await delivery.entry_state(ana) == "failed"

    async def test_never_makes_two_wait_for_each_other(self, delivery, sendout_id):
        """Answers, ends and failures of the same entries in opposite orders; PostgreSQL would end one."""
        async with delivery.database.transaction() as connection:
            ids = [await add_entry(connection, sendout_id, f"+1604555{n:04}") for n in range(9)]
        calls = [await delivery.call(entry_id) for entry_id in ids]
        failed = [
            status("failed", wamid=f"wamid.{n}", message_id=call.message_id, error_code=131026)
            for n, call in enumerate(calls)
        ]
        record = RunRecord(delivery.database)
        finishes = [
            record.finish_run(FinishRun(entry=entry_id, at_rest=RunState())) for entry_id in ids
        ]
        answers = [call.is_answered(Accepted(f"wamid.{n}", None)) for n, call in enumerate(calls)]
        bodies = [delivery.told(*failed), delivery.told(*reversed(failed))]
        await asyncio.gather(*answers, *bodies, *finishes)
        assert {await delivery.entry_state(entry_id) for entry_id in ids} == {"failed"}

    @pytest.mark.parametrize("received", ["delivered", "read", "click", "reply", "reply elsewhere"])
    async def test_changes_nothing_once_something_was_received(self, delivery, ana, received):
        """Also a reply under another of the customer's names."""
        await sent(delivery, ana)
        other = "+16045559999"
        async with delivery.database.transaction() as connection:
            await lock_entry(connection, ana)
            await end_entry(connection, ana, 1, RunState())
            more: dict[str, Any] = {"node": "nudge", "number": 2, "wamid": "wamid.2"}
            match received:
                case "delivered" | "read":
                    more[f"{received}_at"] = now()
                    await add_message(connection, ana, **more)
                case "click":
                    message_id = await add_message(connection, ana, **more)
                    await add_click(connection, message_id, "yes")
                case _:
                    name = ANA if received == "reply" else other
                    await remember(connection, BUSINESS, [(ANA, other, None)])
                    await add_inbound(connection, name)
        await delivery.told(status("failed", error_code=131026))
        assert await delivery.entry_state(ana) == "completed"

    async def test_a_reply_from_before_the_message_does_not_count(self, delivery, ana):
        async with delivery.database.transaction() as connection:
            await add_inbound(connection, ANA)
        await sent(delivery, ana)
        async with delivery.database.transaction() as connection:
            await end_entry(connection, ana, 1, RunState())
        await delivery.told(status("failed", error_code=131026))
        assert await delivery.entry_state(ana) == "failed"


class TestAnAnswerAfterItsMessageWasGivenUp:
    """The process that made the call was cut off for longer than the grace."""

    async def test_leaves_the_end_as_it_is_recorded(self, database, business, sendout_id, ana):
        delivery = Delivery(database, Policy(unknown_grace=0))
        call = await delivery.call(ana)
        decided = [type(await delivery.decide(ana)) for _ in range(2)]
        assert decided == [Doubt, NotMade]
        given_up = RunState(given_up=[MessageRef("hello", 1)], ended=True)
        await RunRecord(database).finish_run(FinishRun(entry=ana, at_rest=given_up))

        answered = await call.is_answered(Accepted("wamid.1", "16045552331"))

        assert answered == SendResult(outcome=SendOutcome.GIVEN_UP)
        opened = await RunRecord(database).open_run(OpenRun(entry=ana))
        assert opened.state == given_up
        assert await delivery.entry_state(ana) == "unknown"

    async def test_is_confirmed_by_its_status(self, database, business, sendout_id, ana):
        delivery = Delivery(database, Policy(unknown_grace=0))
        call = await delivery.call(ana)
        for _ in range(2):
            await delivery.decide(ana)
        await RunRecord(database).finish_run(FinishRun(entry=ana, at_rest=RunState()))
        await call.is_answered(Accepted("wamid.1", "16045552331"))

        await delivery.told(status("sent", message_id=call.message_id))

        assert (await delivery.message(ana)).state == "sent"
        assert await delivery.entry_state(ana) == "running"
        assert await delivery.signalled() == [(ana, "message_settled")]


class TestAnAnswerAfterItsMessageWasSentAgain:
    """Under `resend`: the first call's process was cut off for longer than the grace."""

    @pytest.fixture
    def delivery(self, business, database) -> Delivery:
        return Delivery(database, Policy(unknown_outcome="resend", unknown_grace=0))

    async def test_says_nothing_of_the_second_call(self, delivery, ana):
        first = await delivery.call(ana)
        assert isinstance(await delivery.decide(ana), Doubt)
        second = await delivery.call(ana)

        await first.is_answered(refused(131026))
        assert (await delivery.message(ana)).state == "sending"
        answered = await second.is_answered(Accepted("wamid.2"))

        assert answered is not None
        assert answered.outcome is SendOutcome.ACCEPTED
        assert (await delivery.message(ana)).state == "sent"
        assert await delivery.entry_state(ana) == "completed"

    async def test_saves_a_third_call_if_whatsapp_took_it(self, delivery, ana):
        first = await delivery.call(ana)
        assert isinstance(await delivery.decide(ana), Doubt)
        assert await delivery.send(ana, NotSent("no connection")) is None

        await first.is_answered(Accepted("wamid.1"))

        assert (await delivery.message(ana)).state == "sent"
        assert not isinstance(await delivery.decide(ana), Post)


class TestAnAnswerAfterTheRunWentOn:
    """A status settled the message, the run ended without the answer, and a tap led it further."""

    async def test_leaves_what_the_run_has_done_since(self, delivery, ana):
        call = await delivery.call(ana)
        await delivery.told(status("sent", message_id=call.message_id))
        further = RunState(visits={"hello": 1, "nudge": 1}, sends=2, last_path=2, ended=True)
        record = RunRecord(delivery.database)
        await record.finish_run(FinishRun(entry=ana, at_rest=further))

        await call.is_answered(Accepted("wamid.1", "16045552331"))

        assert (await record.open_run(OpenRun(entry=ana))).state == further


class TestASettlingDuringACancel:
    @pytest.fixture
    async def unknown(self, delivery, sendout_id) -> UUID:
        """An entry that ended `unknown`."""
        async with delivery.database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id, ANA, state="unknown")
            await add_message(
                connection, entry_id, "given_up", wamid="wamid.1", unknown_since=now()
            )
        return entry_id

    async def test_that_comes_first_leaves_it_ended(self, delivery, sendout_id, unknown):
        async with delivery.database.transaction() as cancelling:
            await cancel_sendout(cancelling, sendout_id)
            told = await waiting(delivery.database, delivery.told(status("delivered")))
        await told
        assert await delivery.entry_state(unknown) == "unknown"
        assert (await delivery.message(unknown)).state == "sent"

    async def test_that_comes_second_cancels_what_runs_again(self, delivery, sendout_id, unknown):
        async def cancel() -> None:
            async with delivery.database.transaction() as connection:
                await cancel_sendout(connection, sendout_id)

        async with delivery.database.transaction() as telling:
            channel_id = (await telling.scalars(select(channels.c.channel_id))).one()
            await take_statuses(telling, BUSINESS, channel_id, [status("delivered")])
            cancelled = await waiting(delivery.database, cancel())
        await cancelled
        assert await delivery.entry_state(unknown) == "cancelled"


class TestACancelWhileACallIsOnTheWire:
    @pytest.mark.parametrize(
        "answer",
        [NotSent("no connection"), refused(130429), refused(131026), refused(190), refused(132015)],
    )
    async def test_frees_the_customer_once_it_turns_out_not_sent(self, delivery, ana, answer):
        call = await delivery.call(ana)
        await self.cancel(delivery, ana)
        assert await delivery.has_claim(ana)
        await call.is_answered(answer)
        assert not await delivery.has_claim(ana)
        assert await delivery.entry_state(ana) == "cancelled"

    @pytest.mark.parametrize("answer", [Accepted("wamid.1"), Unclear("timed out")])
    async def test_keeps_the_customer_if_it_may_have_been_sent(self, delivery, ana, answer):
        call = await delivery.call(ana)
        await self.cancel(delivery, ana)
        await call.is_answered(answer)
        assert await delivery.has_claim(ana)

    async def test_frees_the_customer_when_an_unknown_outcome_turns_out_failed(self, delivery, ana):
        call = await delivery.call(ana)
        await self.cancel(delivery, ana)
        await call.is_answered(Unclear("timed out"))
        await delivery.told(status("failed", message_id=call.message_id, error_code=131026))
        assert not await delivery.has_claim(ana)

    @pytest.mark.parametrize("late", [True, False])
    async def test_a_second_call_that_was_refused_says_nothing_of_the_first(
        self, database, ana, late
    ):
        """Under `resend` the first may have arrived; the cancel comes while it waits, or before."""
        resending = Delivery(database, Policy(unknown_outcome="resend", unknown_grace=0))
        await resending.send(ana, Unclear("timed out"))
        again = await resending.call(ana)
        if not late:
            await self.cancel(resending, ana)
        await again.is_answered(NotSent("no connection"))
        assert (await resending.message(ana)).state == "retrying"
        await self.cancel(resending, ana)
        assert await resending.has_claim(ana)

    async def cancel(self, delivery: Delivery, entry_id: UUID) -> None:
        async with delivery.database.transaction() as connection:
            await cancel_entry(connection, entry_id)


async def test_a_call_that_failed_is_made_again_while_the_entry_runs(delivery, ana):
    await delivery.send(ana, NotSent("no connection"))
    assert await delivery.has_claim(ana)
    assert isinstance(await delivery.decide(ana), Post)
