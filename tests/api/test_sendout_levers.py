"""Pausing, resuming, cancelling and retrying sendouts (api.md section 4)."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from domain.error_codes import ERRORS
from storage.session import Database
from storage.tables import asks, claims, entries, run_signals, sendouts
from tests.api.sent import (
    FLOW,
    NOW,
    add_entry,
    add_message,
    add_sendout,
    claim,
)
from tests.record import BUSINESS
from tests.temporal_stand_ins import RecordedClosing, RecordedPokes, RecordedSignals

SENDOUTS = f"/v1/businesses/{BUSINESS}/sendouts"


async def read(api, sendout_id: UUID) -> dict[str, Any]:
    answer = await api.get(f"{SENDOUTS}/{sendout_id}")
    assert answer.status_code == 200, answer.text
    entity: dict[str, Any] = answer.json()["entity"]
    return entity


async def pull(api, sendout_id: UUID, lever: str):
    return await api.post(f"{SENDOUTS}/{sendout_id}/{lever}")


class TestPausing:
    async def test_pausing_twice_is_pausing_once(self, api, sendout_id):
        for _ in range(2):
            answer = await pull(api, sendout_id, "pause")
            assert answer.status_code == 200
            assert answer.json()["entity"]["state"] == "paused"
        assert (await read(api, sendout_id))["current"] is True

    async def test_resuming_releases_each_held_run_once(
        self,
        api,
        sendout_id,
        database: Database,
        pokes: RecordedPokes,
        signals: RecordedSignals,
    ):
        await pull(api, sendout_id, "pause")
        async with database.transaction() as connection:
            held = await add_entry(connection, sendout_id)
            for node in ("hello", "more"):
                await add_message(connection, held, "held", held_for="sendout", node=node)
            for_channel = await add_entry(connection, sendout_id)
            await add_message(connection, for_channel, "held", held_for="channel")
            sent = await add_entry(connection, sendout_id)
            await add_message(connection, sent, "sent", accepted_at=NOW)
            elsewhere = await add_entry(connection, await add_sendout(connection, state="paused"))
            await add_message(connection, elsewhere, "held", held_for="sendout")

        for _ in range(2):
            answer = await pull(api, sendout_id, "resume")
            assert answer.json()["entity"]["state"] == "running"

        async with database.transaction() as connection:
            c = run_signals.c
            released = (await connection.execute(select(c.entry_id, c.name, c.body))).all()
        assert released == [(held, "released", {})]
        assert signals.times == 2  # the pause, too, has something to tell
        assert pokes.sendouts == [sendout_id]

    async def test_a_cancelled_sendout_is_neither_paused_nor_resumed(self, api, sendout_id):
        await pull(api, sendout_id, "cancel")

        for lever in ("pause", "resume", "retry"):
            answer = await pull(api, sendout_id, lever)
            assert (answer.status_code, answer.json()["code"]) == (409, "ERROR_CODE_CONFLICT")


class TestCancelling:
    async def test_every_open_entry_ends_and_the_others_stay(
        self, api, sendout_id, database: Database, closing: RecordedClosing
    ):
        async with database.transaction() as connection:
            for state in ("queued", "running", "completed", "failed", "duplicate"):
                await add_entry(connection, sendout_id, state=state)
            other = await add_entry(connection, await add_sendout(connection))

        for _ in range(2):
            cancelled = (await pull(api, sendout_id, "cancel")).json()["entity"]
            assert (cancelled["state"], cancelled["current"]) == ("cancelled", False)
            assert (cancelled["progress"], cancelled["entries"]["cancelled"]) == ("idle", 2)
            assert cancelled["finishedAt"] is not None
        assert closing.sendouts == [sendout_id]
        async with database.transaction() as connection:
            other_state = select(entries.c.state).where(entries.c.entry_id == other)
            assert await connection.scalar(other_state) == "running"

    @pytest.mark.parametrize(
        ("message", "times", "kept"),
        [
            (None, {}, False),
            ("refused", {}, False),
            ("failed", {}, False),
            ("held", {}, False),
            ("retrying", {}, False),
            ("skipped", {}, False),
            ("sending", {}, True),
            ("sent", {}, True),
            ("unknown", {}, True),
            ("given_up", {}, True),
            ("failed", {"delivered_at": NOW}, True),
        ],
    )
    async def test_the_claim_of_an_entry_of_which_nothing_was_sent_is_released(
        self, api, sendout_id, database: Database, message, times, kept
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id)
            await claim(connection, entry_id)
            if message is not None:
                await add_message(connection, entry_id, message, **times)
            done = await add_entry(connection, sendout_id, "+16045550009", state="completed")
            await claim(connection, done)

        await pull(api, sendout_id, "cancel")

        async with database.transaction() as connection:
            left = set(await connection.scalars(select(claims.c.entry_id)))
        assert left == ({entry_id, done} if kept else {done})

    async def test_its_open_questions_take_no_answer_any_more(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id)
            await connection.execute(
                asks.insert().values(
                    entry_id=entry_id,
                    attempt=1,
                    node="ask",
                    visit=1,
                    channel_id=uuid4(),
                    client="+16045552331",
                )
            )

        await pull(api, sendout_id, "cancel")

        async with database.transaction() as connection:
            assert await connection.scalar(select(asks.c.closed_at)) is not None

    async def test_the_version_is_free_for_another_current_sendout(
        self, api, sendout_id, database: Database
    ):
        await pull(api, sendout_id, "cancel")

        async with database.transaction() as connection:
            campaign_id = await connection.scalar(select(sendouts.c.campaign_id))
            await add_sendout(connection, campaign_id=campaign_id)


class TestRetrying:
    PASSING = next(str(code) for code, error in ERRORS.items() if error.worth_retrying)
    FINAL = "131026"

    async def test_entries_that_failed_for_a_passing_reason_run_again(
        self, api, sendout_id, database: Database, pokes: RecordedPokes
    ):
        async with database.transaction() as connection:
            again = await add_entry(
                connection,
                sendout_id,
                "+16045550001",
                state="failed",
                error_code=self.PASSING,
                error_message="not now",
                finished_at=NOW,
                snapshot={},
            )
            await add_entry(
                connection, sendout_id, "+16045550002", state="failed", error_code=self.FINAL
            )
            await add_entry(connection, sendout_id, "+16045550003", state="completed")

        assert (await pull(api, sendout_id, "retry")).json() == {"retried": 1}
        assert (await pull(api, sendout_id, "retry")).json() == {"retried": 0}

        async with database.transaction() as connection:
            c = entries.c
            entry = (await connection.execute(select(entries).where(c.entry_id == again))).one()
            claimed = await connection.scalar(select(claims.c.entry_id))
        assert (entry.state, entry.attempt) == ("queued", 2)
        assert (entry.error_code, entry.finished_at, entry.snapshot) == (None, None, None)
        assert claimed == again
        assert pokes.sendouts == [sendout_id]

    async def test_an_entry_whose_customer_is_claimed_by_another_is_left(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            await add_entry(connection, sendout_id, state="failed", error_code=self.PASSING)
            other = await add_entry(connection, sendout_id, state="completed")
            await claim(connection, other)

        assert (await pull(api, sendout_id, "retry")).json() == {"retried": 0}

    async def test_of_two_failed_entries_of_a_customer_one_runs_again(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            for _ in range(2):
                await add_entry(connection, sendout_id, state="failed", error_code=self.PASSING)

        assert (await pull(api, sendout_id, "retry")).json() == {"retried": 1}

    async def test_a_test_is_outside_the_duplicate_check(self, api, database: Database):
        async with database.transaction() as connection:
            test = await add_sendout(connection, flow=FLOW, source="test", is_current=False)
            await add_entry(connection, test, state="failed", error_code=self.PASSING)

        assert (await pull(api, test, "retry")).json() == {"retried": 1}
        async with database.transaction() as connection:
            assert (await connection.execute(select(claims))).all() == []
