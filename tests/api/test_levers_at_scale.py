"""The levers on sendouts of ten thousand entries: exact, idempotent, and as many statements as for ten."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, text, update

from domain.error_codes import ERRORS
from domain.requests import StartRuns
from storage.queue import EntryQueue
from storage.repairs import Repairs
from storage.session import Database
from storage.tables import claims, entries, messages, run_signals
from tests.api.sent import add_sendout
from tests.record import BUSINESS
from tests.statements import closing_a_circle, statements, until_somebody_waits
from tests.temporal_stand_ins import RecordedClosing, RecordedPokes

SENDOUTS = f"/v1/businesses/{BUSINESS}/sendouts"
MANY = 10_000
PASSING = next(str(code) for code, error in ERRORS.items() if error.worth_retrying)

# One entry in ten of each of these kinds: its state, and that of its message if it has one.
KINDS = (
    ("queued", None),
    ("queued", None),
    ("running", None),
    ("running", "held"),
    ("running", "held"),
    ("running", "sent"),
    ("running", "sending"),
    ("completed", "sent"),
    ("failed", "refused"),
    ("failed", "refused"),
)

_ADD_ENTRIES = text("""
    INSERT INTO entries (entry_id, sendout_id, business_id, campaign_id, channel_id, client,
        variables, state, error_code, finished_at)
    SELECT gen_random_uuid(), s.sendout_id, s.business_id, s.campaign_id, c.channel_id,
        '+1604' || lpad(n::text, 7, '0'), '{}', k.state,
        CASE WHEN k.state = 'failed' THEN :code END,
        CASE WHEN k.state IN ('failed', 'completed') THEN now() END
    FROM generate_series(0, :many - 1) n
    JOIN unnest(CAST(:states AS text[])) WITH ORDINALITY k (state, place) ON k.place = n % 10 + 1
    CROSS JOIN sendouts s CROSS JOIN channels c
    WHERE s.sendout_id = :sendout
""")

_ADD_MESSAGES = text("""
    INSERT INTO messages (message_id, entry_id, sendout_id, channel_id, client, attempt, node, visit,
        number, state, held_for, accepted_at, lease_until)
    SELECT substr(upper(replace(e.entry_id::text, '-', '')), 1, 26), e.entry_id, e.sendout_id,
        e.channel_id, e.client, 1, 'hello', 1, 1, k.state,
        CASE WHEN k.state = 'held' THEN 'sendout' END, CASE WHEN k.state = 'sent' THEN now() END,
        CASE WHEN k.state = 'sending' THEN now() + interval '1 hour' END
    FROM entries e
    JOIN unnest(CAST(:messages AS text[])) WITH ORDINALITY k (state, place)
        ON k.place = substr(e.client, 6)::int % 10 + 1
    WHERE e.sendout_id = :sendout AND k.state IS NOT NULL
""")

_ADD_CLAIMS = text("""
    INSERT INTO claims (campaign_id, client, entry_id)
    SELECT campaign_id, client, entry_id FROM entries
    WHERE sendout_id = :sendout AND state <> 'failed'
""")


@pytest.fixture
async def crowd(sendout_id: UUID, database: Database) -> UUID:
    """A running sendout of `MANY` entries in all states there are."""
    await populate(database, sendout_id, MANY)
    return sendout_id


async def populate(database: Database, sendout_id: UUID, many: int) -> None:
    """Add `many` entries with their messages and claims, of each kind the same number."""
    key = {"sendout": sendout_id}
    async with database.transaction() as connection:
        states = [state for state, _ in KINDS]
        await connection.execute(
            _ADD_ENTRIES, key | {"many": many, "states": states, "code": PASSING}
        )
        await connection.execute(_ADD_MESSAGES, key | {"messages": [m for _, m in KINDS]})
        await connection.execute(_ADD_CLAIMS, key)


async def pull(api: httpx.AsyncClient, sendout_id: UUID, lever: str) -> dict[str, Any]:
    answer = await api.post(f"{SENDOUTS}/{sendout_id}/{lever}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    pulled: dict[str, Any] = body.get("entity", body)
    return pulled


async def read(api: httpx.AsyncClient, sendout_id: UUID) -> dict[str, Any]:
    answer = await api.get(f"{SENDOUTS}/{sendout_id}")
    entity: dict[str, Any] = answer.json()["entity"]
    return entity


def counted(**given: int) -> dict[str, int]:
    """Entry counts that add up to `MANY`; what is not given is 0."""
    states = ["duplicate", "scheduled", "queued", "running", "completed", "failed", "unknown"]
    zeros = dict.fromkeys([*states, "notReceived", "optedOut", "cancelled"], 0)
    assert sum(given.values()) == MANY
    return {"accepted": MANY} | zeros | given


TWICE_THE_RATE = 120
"""Runs that are started per second for a sender of 60 messages per second."""
BEFORE = counted(queued=2000, running=5000, completed=1000, failed=2000)


async def test_pause_and_resume_change_no_entry_and_release_each_run_that_waits_once(
    api, crowd: UUID, database: Database, pokes: RecordedPokes
):
    for _ in range(2):
        paused = await pull(api, crowd, "pause")
        assert (paused["state"], paused["entries"]) == ("paused", BEFORE)
    for _ in range(2):
        resumed = await pull(api, crowd, "resume")
        assert (resumed["state"], resumed["entries"]) == ("running", BEFORE)

    waiting = await held(database, crowd)
    untouched = await signalled(database, "held")
    assert (len(waiting), len(untouched)) == (2000, 1000)
    assert await signalled(database, "released") == waiting | untouched
    # What was released and waits for its turn is not the sweep's any more.
    assert await Repairs(database).release_held() == 0
    assert set(pokes.sendouts) == {crowd}


async def test_a_paused_sendout_starts_nothing(api, crowd: UUID, database: Database):
    await pull(api, crowd, "pause")
    queue = EntryQueue(database, start_ahead=600)
    page, after = await queue.next_page(StartRuns(sendout=crowd))
    assert (page, after.more, after.again_in) == ([], False, None)

    await pull(api, crowd, "resume")
    page, after = await queue.next_page(StartRuns(sendout=crowd))
    assert (len(page), after.more, after.again_in) == (TWICE_THE_RATE, False, 1.0)


async def test_cancel_ends_what_is_open_and_frees_who_was_sent_nothing(
    api, crowd: UUID, database: Database, closing: RecordedClosing
):
    for _ in range(2):
        cancelled = await pull(api, crowd, "cancel")
        assert cancelled["entries"] == counted(cancelled=7000, completed=1000, failed=2000)
        assert (cancelled["state"], cancelled["progress"]) == ("cancelled", "idle")
    assert closing.sendouts == [crowd]

    async with database.transaction() as connection:
        kept = (
            select(messages.c.state, func.count())
            .join(claims, claims.c.entry_id == messages.c.entry_id)
            .group_by(messages.c.state)
        )
        assert dict((await connection.execute(kept)).all()) == {"sent": 2000, "sending": 1000}
        assert await connection.scalar(select(func.count()).select_from(claims)) == 3000


async def test_a_page_that_was_being_started_stays_cancelled(api, crowd: UUID, database: Database):
    """The worker has read the entries as queued, and marks them after the cancel."""
    queue = EntryQueue(database, start_ahead=600)
    page, _ = await queue.next_page(StartRuns(sendout=crowd))
    cancelled = await pull(api, crowd, "cancel")

    await queue.mark_started(page)

    assert len(page) == TWICE_THE_RATE
    assert (await read(api, crowd))["entries"] == cancelled["entries"]


async def test_cancel_outlives_a_deadlock_with_a_page_of_starts(
    api, crowd: UUID, database: Database
):
    """Both lock thousands of entries, each in its own order; PostgreSQL ends one of them."""
    async with database.transaction() as connection:
        c = entries.c
        last = (
            select(c.entry_id).where(c.state == "queued").order_by(c.position.desc()).limit(1)
        ).scalar_subquery()
        await connection.execute(update(entries).where(c.entry_id == last).values(state="running"))
        cancelling = asyncio.create_task(pull(api, crowd, "cancel"))
        async with database.transaction() as looking:
            await until_somebody_waits(looking)
        async with closing_a_circle(connection):
            await connection.execute(
                update(entries)
                .where(c.sendout_id == crowd, c.state == "queued")
                .values(state="running")
            )
    cancelled = await cancelling
    assert cancelled["entries"] == counted(cancelled=7000, completed=1000, failed=2000)


async def test_one_entry_is_cancelled_and_no_other(api, crowd: UUID, database: Database):
    async with database.transaction() as connection:
        open_ones = select(entries.c.entry_id).where(entries.c.state == "queued").limit(2)
        chosen, other = list(await connection.scalars(open_ones))
        ended = await connection.scalar(
            select(entries.c.entry_id).where(entries.c.state == "completed").limit(1)
        )
    for _ in range(2):
        for entry_id, state in ((chosen, "cancelled"), (ended, "completed")):
            answer = await api.post(f"{SENDOUTS}/{crowd}/entries/{entry_id}/cancel")
            assert answer.json()["entity"]["state"] == state
    assert (await read(api, crowd))["entries"] == BEFORE | {"queued": 1999, "cancelled": 1}
    async with database.transaction() as connection:
        claimed = set(await connection.scalars(select(claims.c.entry_id)))
    assert chosen not in claimed
    assert {other, ended} <= claimed


async def test_skipping_a_node_changes_nothing_that_was_counted(api, crowd: UUID):
    for _ in range(2):
        answer = await api.patch(f"{SENDOUTS}/{crowd}", json={"skipNodes": ["nudge", "nudge"]})
        assert answer.json()["entity"]["skipNodes"] == ["nudge"]
        assert answer.json()["entity"]["entries"] == BEFORE
    answer = await api.patch(f"{SENDOUTS}/{crowd}", json={"skipNodes": []})
    assert answer.json()["entity"]["skipNodes"] == []


async def test_retry_queues_each_failed_entry_once(api, crowd: UUID):
    assert await pull(api, crowd, "retry") == {"retried": 2000}
    assert await pull(api, crowd, "retry") == {"retried": 0}
    retried = counted(queued=4000, running=5000, completed=1000)
    assert (await read(api, crowd))["entries"] == retried


async def test_no_lever_makes_more_statements_for_ten_thousand_than_for_ten(
    api, sendout_id: UUID, database: Database
):
    taken: dict[int, list[int]] = {10: [], MANY: []}
    for many, counts in taken.items():
        async with database.transaction() as connection:
            other = await add_sendout(connection)
        await populate(database, other, many)
        async with database.transaction() as connection:
            entry_id = await connection.scalar(
                select(entries.c.entry_id).where(
                    entries.c.sendout_id == other, entries.c.state == "queued"
                )
            )
        for call in ("", "pause", "resume", "retry", f"entries/{entry_id}/cancel", "cancel"):
            with statements(database) as made:
                if call:
                    await pull(api, other, call)
                else:
                    await api.patch(f"{SENDOUTS}/{other}", json={"skipNodes": ["nudge"]})
            counts.append(len(made))
    # Whether the key is looked up too depends on the clock.
    differences = [a - b for a, b in zip(*taken.values(), strict=True)]
    assert all(abs(difference) <= 2 for difference in differences), taken


async def held(database: Database, sendout_id: UUID) -> set[UUID]:
    async with database.transaction() as connection:
        c = messages.c
        waiting = select(c.entry_id).where(c.sendout_id == sendout_id, c.state == "held")
        return set(await connection.scalars(waiting))


async def signalled(database: Database, name: str) -> set[UUID]:
    """The runs in the outbox that are told this; fails if one is told twice."""
    async with database.transaction() as connection:
        c = run_signals.c
        listed = list(await connection.scalars(select(c.entry_id).where(c.name == name)))
    assert len(listed) == len(set(listed))
    return set(listed)
