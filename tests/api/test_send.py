"""POST send/campaigns: what one request and answer cannot show (api.md section 2)."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import event, select, text

from storage.session import Database
from storage.tables import entries
from tests.api.sending import CREATE_NEW, SEND, count, entry, send
from tests.record import BUSINESS, add_campaign
from tests.statements import statements, until_somebody_waits
from tests.temporal_stand_ins import RecordedPokes


@pytest.fixture(autouse=True)
async def spring(business: None, database: Database) -> None:
    """The published campaign `spring`, of one version without variables."""
    async with database.transaction() as connection:
        await add_campaign(connection, "spring")


# --- how much it costs ---------------------------------------------------------------------------


@pytest.mark.usefixtures("keys_stay_known")
async def test_the_number_of_statements_does_not_depend_on_entries_or_groups(
    api: httpx.AsyncClient, database: Database
):
    async with database.transaction() as connection:
        for n in range(30):
            await add_campaign(connection, f"campaign {n}")
    await send(api, entry(0), *(entry(0, campaignName=f"campaign {n}") for n in range(30)))
    with statements(database) as one:
        await send(api, entry(1))
    with statements(database) as many:
        await send(
            api,
            *(entry(n) for n in range(100, 300)),
            *(entry(n, campaignName=f"campaign {n}") for n in range(30)),
        )
    assert len(one) <= 2
    assert len(many) <= len(one) + 1  # naming the first entries of duplicates


async def test_ten_thousand_entries_are_one_request_and_one_more_is_refused(
    api: httpx.AsyncClient, database: Database
):
    full = [entry(n, variables={"n": n}) for n in range(10_000)]
    (row,) = (await send(api, *full))["data"]
    assert row["acceptedCount"] == 10_000
    assert await count(database, entries.c.state == "queued") == 10_000
    async with database.transaction() as connection:
        clients = await connection.scalars(
            select(entries.c.client).order_by(entries.c.position).limit(3)
        )
        assert clients.all() == [e["client"] for e in full[:3]]
    answer = await api.post(SEND, content=json.dumps({"entries": [*full, entry(10_000)]}))
    assert answer.status_code == 400
    assert answer.json()["code"] == "ERROR_CODE_CAMPAIGN_TOO_MANY_ENTRIES"


async def test_ten_thousand_campaigns_in_one_request_are_answered(api: httpx.AsyncClient):
    sent = [entry(0, campaignName=f"campaign {n}") for n in range(9_999)]
    answer = await api.post(SEND, content=json.dumps({"entries": [entry(1), *sent]}))
    assert answer.status_code == 200
    assert len(answer.json()["data"]) == 10_000


# --- what happens after it -----------------------------------------------------------------------


async def test_sendouts_with_new_work_are_poked_after_the_commit(
    api: httpx.AsyncClient,
    database: Database,
    pokes: RecordedPokes,
    monkeypatch: pytest.MonkeyPatch,
):
    order: list[str] = []

    def note(_connection: object) -> None:
        order.append("commit")

    monkeypatch.setattr(RecordedPokes, "poke", lambda _self, _sendout: order.append("poke"))
    engine = database.engine.sync_engine
    event.listen(engine, "commit", note)
    try:
        await send(api, entry(1))
    finally:
        event.remove(engine, "commit", note)
    assert order[-2:] == ["commit", "poke"]


async def test_only_sendouts_with_new_work_are_poked(api: httpx.AsyncClient, pokes: RecordedPokes):
    (row,) = (await send(api, entry(1)))["data"]
    assert pokes.sendouts == [UUID(row["sendoutId"])]
    await send(api, entry(1))
    await send(api, entry(2), dryRun=True)
    await send(api, entry(3, client="nobody"))
    assert len(pokes.sendouts) == 1


async def test_scheduled_entries_are_due_then_and_past_ones_now(
    api: httpx.AsyncClient, database: Database
):
    now = datetime.now(UTC)
    later = (now + timedelta(days=89)).replace(microsecond=0)
    offset = later.astimezone(tz=None).isoformat()
    past = (now - timedelta(hours=23)).isoformat()
    answer = await send(
        api,
        entry(1, scheduledAt=offset),
        entry(2, scheduledAt=past),
        entry(3, scheduledAt=(now + timedelta(days=91)).isoformat()),
        entry(4, scheduledAt=(now - timedelta(hours=25)).isoformat()),
        includeEntries="all",
    )
    accepted, rejected = answer["data"]
    assert [e["state"] for e in accepted["entries"]] == ["scheduled", "queued"]
    assert [e["index"] for e in rejected["entries"]] == [2, 3]
    async with database.transaction() as connection:
        rows = (
            await connection.execute(
                select(
                    entries.c.state, entries.c.due_at, entries.c.scheduled_at, entries.c.created_at
                ).order_by(entries.c.position)
            )
        ).all()
    assert [row.state for row in rows] == ["queued", "queued"]
    assert rows[0].due_at == rows[0].scheduled_at == later
    assert rows[1].due_at == rows[1].created_at


async def test_entries_have_channel_business_campaign_and_callback_data(
    api: httpx.AsyncClient, database: Database
):
    await send(api, entry(1, callbackData={"order": 1.50, "ü": None}))
    async with database.transaction() as connection:
        row = (
            await connection.execute(
                text(
                    "SELECT e.business_id, e.callback_data::text AS data, c.is_default, "
                    "e.campaign_id = s.campaign_id AS fits FROM entries e "
                    "JOIN channels c USING (channel_id) JOIN sendouts s USING (sendout_id)"
                )
            )
        ).one()
    assert row.business_id == BUSINESS
    assert row.data == '{"order":1.5,"ü":null}'
    assert row.is_default
    assert row.fits


# --- once and only once --------------------------------------------------------------------------


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def test_the_same_key_and_body_get_the_first_answer_again(
    api: httpx.AsyncClient, database: Database, pokes: RecordedPokes
):
    body = json.dumps({"entries": [entry(1)], "options": {**CREATE_NEW, "includeEntries": "all"}})
    first = await api.post(SEND, content=body, headers=keyed("one"))
    again = await api.post(SEND, content=body, headers=keyed("one"))
    assert (again.status_code, again.text) == (200, first.text)
    assert await count(database) == 1
    assert len(pokes.sendouts) == 1
    other = await api.post(SEND, content=body, headers=keyed("two"))
    assert other.json() != first.json()


async def test_an_answer_of_404_is_given_again_too(api: httpx.AsyncClient, database: Database):
    body = json.dumps({"entries": [entry(1, campaignName="summer")]})
    first = await api.post(SEND, content=body, headers=keyed("one"))
    async with database.transaction() as connection:
        await add_campaign(connection, "summer")
    again = await api.post(SEND, content=body, headers=keyed("one"))
    assert (first.status_code, again.status_code) == (404, 404)
    assert first.text == again.text


async def test_the_same_key_with_another_body_is_422(api: httpx.AsyncClient, database: Database):
    await api.post(SEND, json={"entries": [entry(1)]}, headers=keyed("one"))
    answer = await api.post(SEND, json={"entries": [entry(2)]}, headers=keyed("one"))
    assert answer.status_code == 422
    assert answer.json()["code"] == 9
    assert answer.json()["details"][0]["code"] == "ERROR_CODE_CONFLICT"
    assert answer.json()["details"][0]["type"] == "ERROR_TYPE_FAILED_PRECONDITION"
    assert await count(database) == 1


async def test_while_the_first_request_runs_the_same_key_is_409_with_retry_after(
    api: httpx.AsyncClient, database: Database
):
    body = {"entries": [entry(1)]}
    async with database.transaction() as connection:
        # The lock on the campaign holds up the first request in the middle.
        await connection.execute(text("LOCK TABLE entries IN EXCLUSIVE MODE"))
        first = asyncio.create_task(api.post(SEND, json=body, headers=keyed("one")))
        await until_somebody_waits(connection)
        second = await api.post(SEND, json=body, headers=keyed("one"))
    assert second.status_code == 409
    assert second.json()["code"] == "ERROR_CODE_CONFLICT"
    assert int(second.headers["retry-after"]) >= 1
    assert (await first).status_code == 200


async def test_a_key_is_free_again_after_a_day(api: httpx.AsyncClient, database: Database):
    await api.post(SEND, json={"entries": [entry(1)]}, headers=keyed("one"))
    async with database.transaction() as connection:
        await connection.execute(
            text("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
        )
    answer = await api.post(SEND, json={"entries": [entry(2)]}, headers=keyed("one"))
    assert answer.status_code == 200
    again = await api.post(SEND, json={"entries": [entry(2)]}, headers=keyed("one"))
    assert again.text == answer.text


async def test_a_key_that_is_too_long_is_400(api: httpx.AsyncClient):
    answer = await api.post(SEND, json={"entries": []}, headers=keyed("x" * 256))
    assert answer.status_code == 400
