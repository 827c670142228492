"""POST send/campaigns, many at once: one run each, and nobody waits for good."""

import asyncio
import random

import httpx
import pytest
from sqlalchemy import func, select, update

from storage.acceptance import SituationChanged, add_aliases, resolve
from storage.cancelling import cancel_sendout
from storage.session import Database
from storage.tables import campaign_versions, campaigns, claims, entries, sendouts
from tests.api.calls import code_of
from tests.api.sending import CREATE_NEW, SEND, count, entry, send
from tests.record import BUSINESS, add_campaign, greeting, publish
from tests.statements import until_somebody_waits


@pytest.fixture(autouse=True)
async def spring(business: None, database: Database) -> None:
    """The published campaign `spring`, of one version without variables."""
    async with database.transaction() as connection:
        await add_campaign(connection, "spring")


# --- many at once --------------------------------------------------------------------------------


async def test_twenty_requests_at_once_with_the_same_entries_make_one_run_each(
    api: httpx.AsyncClient, database: Database
):
    sent = [entry(n) for n in range(50)]
    shuffled = [random.Random(seed).sample(sent, len(sent)) for seed in range(20)]
    answers = await asyncio.gather(*(send(api, *request) for request in shuffled))
    rows = [row for answer in answers for row in answer["data"]]
    assert [row["acceptedCount"] for row in rows] == [50] * 20
    assert len({row["sendoutId"] for row in rows}) == 1
    assert sorted(row["status"] for row in rows) == ["created"] + ["updated"] * 19
    assert await count(database, entries.c.state == "queued") == 50
    assert await count(database, entries.c.state == "duplicate") == 950
    assert await count(database, entries.c.duplicate_of.is_not(None)) == 950
    async with database.transaction() as connection:
        assert await connection.scalar(select(func.count()).select_from(claims)) == 50


async def test_every_duplicate_names_the_entry_that_runs(
    api: httpx.AsyncClient, database: Database
):
    await asyncio.gather(*(send(api, *(entry(n) for n in range(10))) for _ in range(8)))
    first, again = entries.alias(), entries.alias()
    async with database.transaction() as connection:
        named = await connection.scalar(
            select(func.count())
            .select_from(again)
            .join(first, first.c.entry_id == again.c.duplicate_of)
            .where(first.c.client == again.c.client, first.c.state == "queued")
        )
    assert named == 70


async def test_overlapping_requests_over_several_campaigns_do_not_block_each_other(
    api: httpx.AsyncClient, database: Database
):
    async with database.transaction() as connection:
        for name in ("summer", "autumn"):
            await add_campaign(connection, name)
    sent = [
        entry(n, campaignName=name) for n in range(30) for name in ("spring", "summer", "autumn")
    ]
    requests = [random.Random(seed).sample(sent, 60) for seed in range(15)]
    await asyncio.gather(*(send(api, *request) for request in requests))
    wanted = {(e["client"], e["campaignName"]) for request in requests for e in request}
    assert await count(database, entries.c.state == "queued") == len(wanted)


async def test_create_new_at_once_makes_a_sendout_and_a_version_each(
    api: httpx.AsyncClient, database: Database
):
    answers = await asyncio.gather(*(send(api, entry(n), **CREATE_NEW) for n in range(10)))
    rows = [answer["data"][0] for answer in answers]
    assert {row["status"] for row in rows} == {"created"}
    assert len({row["sendoutId"] for row in rows}) == 10
    versions = {row["campaignVersion"] for row in rows}
    assert len(versions) == 10
    async with database.transaction() as connection:
        assert await connection.scalar(select(campaigns.c.newest_version)) in versions


async def test_no_entry_stays_queued_in_a_sendout_that_is_being_cancelled(
    api: httpx.AsyncClient, database: Database
):
    async def cancel_again_and_again() -> None:
        for _ in range(15):
            await asyncio.sleep(0.01)
            async with database.transaction() as connection:
                current = await connection.scalar(
                    select(sendouts.c.sendout_id).where(sendouts.c.is_current)
                )
                if current is not None:
                    await cancel_sendout(connection, current)

    async def send_again_and_again(first: int) -> None:
        for n in range(first, first + 15):
            body = {"entries": [entry(n), entry(n + 1000)]}
            # Whoever meets a cancel at each of several tries is told to come again.
            while (answer := await api.post(SEND, json=body)).status_code == 503:
                pass
            assert answer.status_code == 200, answer.text

    await asyncio.gather(
        cancel_again_and_again(), *(send_again_and_again(k * 50) for k in range(4))
    )
    async with database.transaction() as connection:
        lost = await connection.scalar(
            select(func.count())
            .select_from(entries)
            .join(sendouts, sendouts.c.sendout_id == entries.c.sendout_id)
            .where(sendouts.c.state == "cancelled", entries.c.state == "queued")
        )
    assert lost == 0
    assert await count(database) == 120


async def test_the_first_send_of_a_campaign_that_is_being_stopped_is_refused(
    api: httpx.AsyncClient, database: Database
):
    """What the stop cancels, it cancels before there is a sendout."""
    async with database.transaction() as connection:
        await connection.execute(update(campaigns).values(state="unpublished"))
        sending = asyncio.create_task(api.post(SEND, json={"entries": [entry(1)]}))
        await until_somebody_waits(connection)
    assert code_of(await sending) == (409, "CAMPAIGN_NOT_FINAL")
    assert await count(database) == 0


async def test_a_flow_published_meanwhile_is_not_overtaken_by_create_new(database: Database):
    async with database.transaction() as connection:
        looked_up = (await resolve(connection, BUSINESS, [("spring", None)])).targets
        target = looked_up["spring", None]
        await publish(connection, target.campaign_id, "v2", greeting(body="Hello again"))
        with pytest.raises(SituationChanged):
            await add_aliases(connection, [target])


async def test_a_publication_between_two_requests_at_once_is_followed(
    api: httpx.AsyncClient, database: Database
):
    async def publish_once() -> None:
        async with database.transaction() as connection:
            campaign_id = await connection.scalar(select(campaigns.c.campaign_id))
            assert campaign_id is not None
            await publish(connection, campaign_id, "v2", greeting(body="Hello again"))

    await asyncio.gather(publish_once(), *(send(api, entry(n), **CREATE_NEW) for n in range(12)))
    async with database.transaction() as connection:
        newest = await connection.scalar(
            select(campaign_versions.c.flow_hash).join(
                campaigns, campaigns.c.newest_version == campaign_versions.c.campaign_version
            )
        )
        published = await connection.scalar(
            select(campaign_versions.c.flow_hash).where(
                campaign_versions.c.campaign_version == "v2"
            )
        )
    assert newest == published
