"""What starting an import comes to, and that it is done once, wholly (api.md section 4)."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from storage.customer_tables import opt_outs
from storage.identity import remember
from storage.import_tables import import_rows, imports
from storage.imports import MOST_WAITING
from storage.repairs import Repairs
from storage.session import Database
from storage.tables import campaigns, channels, claims, entries
from tests.api.calls import code_of
from tests.api.importing import (
    IMPORTS,
    OTHER,
    add_spring,
    checked,
    customers,
    entity,
    read,
    start,
    table,
    upload,
)
from tests.api.sending import count, entry, send
from tests.record import BUSINESS, SENDER, add_campaign, greeting, publish
from tests.statements import end_the_one_that_waits, until_somebody_waits
from tests.temporal_stand_ins import RecordedPokes

SENDOUTS = f"/v1/businesses/{BUSINESS}/sendouts"


@pytest.fixture(autouse=True)
async def spring(business: None, database: Database) -> None:
    await add_spring(database)


# --- foreseeing ----------------------------------------------------------------------------------


class TestForecast:
    async def test_duplicates_opt_outs_and_the_time_needed_are_counted(
        self, api, database: Database
    ):
        """Of ten good rows two were sent to, one under another number; two have opted out."""
        await send(api, *(entry(n, variables={"name": "Ana"}) for n in (0, 100)))
        async with database.transaction() as connection:
            other_names = [("+16040000001", "+16040000100", None), ("+16040000003", None, "CA.3")]
            await remember(connection, BUSINESS, other_names)
            for name in ("+16040000000", "+16040000002", "CA.3"):
                await connection.execute(
                    insert(opt_outs).values(business_id=BUSINESS, client=name, source="text")
                )
            await connection.execute(update(channels).values(messages_per_second=4))
        made = await checked(api, customers(10))
        started = await start(api, made)

        expected = {
            "valid": 10,
            "duplicates": {"inFile": 0, "sentBefore": 2},
            "optedOut": 2,
            "toSend": 6,
            "secondsNeeded": 2,
        }
        assert {name: made[name] for name in expected} == expected
        assert {name: started[name] for name in expected} == expected
        assert await count(database, entries.c.state == "duplicate") == 2

    async def test_it_is_counted_anew_until_it_is_started(self, api, database: Database):
        made = await checked(api, customers(3))
        await send(api, entry(1, variables={"name": "Ana"}))

        assert (await read(api, made))["duplicates"]["sentBefore"] == 1
        started = await start(api, made)
        async with database.transaction() as connection:
            await connection.execute(claims.delete())
        assert await read(api, made) == started
        assert (started["duplicates"]["sentBefore"], started["toSend"]) == (1, 2)

    async def test_two_numbers_of_one_customer_are_sent_to_once(self, api, database: Database):
        async with database.transaction() as connection:
            await remember(connection, BUSINESS, [("+16040000001", "+16040000002", None)])
        made = await checked(api, customers(3))
        await start(api, made)

        assert (made["valid"], made["duplicates"]["sentBefore"], made["toSend"]) == (3, 1, 2)
        assert await count(database, entries.c.state == "duplicate") == 1

    async def test_allow_multiple_sends_to_everybody(self, api, database: Database):
        await send(api, entry(0, variables={"name": "Ana"}))
        file = table("+16040000000,Ana", "+16040000000,Ana")
        made = await checked(api, file, ifDuplicateCheckUnspecified="allow_multiple")
        await start(api, made)

        assert (made["valid"], made["toSend"]) == (2, 2)
        assert made["duplicates"] == {"inFile": 0, "sentBefore": 0}
        assert await count(database, entries.c.state == "queued") == 3

    async def test_an_opt_out_does_not_keep_out_a_utility_message(self, api, database: Database):
        flow = greeting()
        flow["nodes"]["hello"]["message"]["category"] = "utility"
        async with database.transaction() as connection:
            await add_campaign(connection, "orders", versions={"v1": flow})
            await connection.execute(
                insert(opt_outs).values(business_id=BUSINESS, client="+16040000000", source="text")
            )
        made = await checked(api, customers(2), campaignName="orders")

        assert (made["optedOut"], made["toSend"]) == (1, 2)

    async def test_senders_work_side_by_side(self, api, database: Database):
        async with database.transaction() as connection:
            await connection.execute(update(channels).values(messages_per_second=1))
        rows = [f"+1604000000{n},Ana,{OTHER if n < 2 else SENDER}" for n in range(6)]
        made = await checked(api, "\n".join(["client,name,sender", *rows]))

        assert made["secondsNeeded"] == 4


# --- starting ------------------------------------------------------------------------------------


class TestStart:
    async def test_it_makes_its_own_sendout(self, api, pokes: RecordedPokes):
        earlier = (await send(api, entry(99, variables={"name": "Ana"})))["data"][0]
        made = await checked(api, customers(3), label="May")
        assert (made["state"], made["sendoutId"], made["label"]) == ("checked", None, "May")
        assert made["campaignVersion"] == "v1"
        pokes.sendouts.clear()

        started = await start(api, made)
        own = entity(await api.get(f"{SENDOUTS}/{started['sendoutId']}"))
        later = (await send(api, entry(98, variables={"name": "Ana"})))["data"][0]

        assert started["state"] == "started"
        assert started["startedAt"] >= started["createdAt"]
        assert [str(poked) for poked in pokes.sendouts[:1]] == [started["sendoutId"]]
        assert (own["source"], own["label"], own["current"]) == ("csv", "May", False)
        assert (own["entries"]["accepted"], own["entries"]["queued"]) == (3, 3)
        assert own["campaignVersion"] not in {"v1", later["campaignVersion"]}
        assert later["sendoutId"] == earlier["sendoutId"]

    async def test_starting_again_or_many_times_at_once_changes_nothing(
        self, api, database: Database, pokes: RecordedPokes
    ):
        made = await checked(api, customers(200))

        answers = await asyncio.gather(*(start(api, made) for _ in range(8)))
        answers.append(await start(api, made))

        assert all(answer == answers[0] for answer in answers)
        assert len(pokes.sendouts) == 1
        assert await count(database) == 200
        async with database.transaction() as connection:
            assert await connection.scalar(select(func.count()).select_from(claims)) == 200
            assert await connection.scalar(select(func.count()).select_from(import_rows)) == 0

    async def test_a_start_that_is_cut_off_halfway_has_done_nothing_and_can_be_repeated(
        self, api, database: Database
    ):
        made = await checked(api, customers(50))
        async with database.transaction() as connection:
            # An open transaction that has taken a customer of the file holds the start up.
            campaign_id = await connection.scalar(select(campaigns.c.campaign_id))
            await connection.execute(
                insert(claims).values(
                    campaign_id=campaign_id,
                    client="+16040000040",
                    entry_id=made["importId"],
                )
            )
            starting = asyncio.create_task(api.post(f"{IMPORTS}/{made['importId']}/start"))
            await end_the_one_that_waits(database)
            cut_off = await starting
            await connection.rollback()
        assert cut_off.status_code == 503
        assert await count(database) == 0
        assert (await read(api, made))["state"] == "checked"

        await start(api, made)

        assert await count(database, entries.c.state == "queued") == 50

    async def test_tens_of_thousands_are_started_at_once_in_their_order(
        self, api, database: Database
    ):
        made = await checked(api, customers(25_000))
        started = await start(api, made)

        assert (made["valid"], started["toSend"], started["secondsNeeded"]) == (25_000, 25_000, 417)
        async with database.transaction() as connection:
            clients = await connection.scalars(
                select(entries.c.client).order_by(entries.c.position)
            )
            assert clients.all() == [f"+1604{n:07}" for n in range(25_000)]

    async def test_the_version_is_the_one_that_was_checked(self, api, database: Database):
        made = await checked(api, customers(1))
        async with database.transaction() as connection:
            campaign_id = (await connection.execute(select(campaigns.c.campaign_id))).scalar_one()
            await publish(connection, campaign_id, "v2", greeting({"other": {"required": True}}))
        started = await start(api, made)

        newest = await send(api, entry(5, variables={"other": "x"}))
        assert started["campaignVersion"] == "v1"
        assert newest["data"][0]["campaignVersion"] == "v2"
        assert await count(database, entries.c.state == "queued") == 2

    @pytest.mark.parametrize(
        ("state", "code"),
        [("unpublished", "CAMPAIGN_NOT_FINAL"), ("archived", "CAMPAIGN_UNSUPPORTED")],
    )
    async def test_a_campaign_that_is_not_to_be_sent_any_more_is_not_started(
        self, api, database: Database, state: str, code: str
    ):
        made = await checked(api, customers(1))
        async with database.transaction() as connection:
            await connection.execute(update(campaigns).values(state=state))

        assert code_of(await upload(api, customers(1))) == (409, code)
        assert code_of(await api.post(f"{IMPORTS}/{made['importId']}/start")) == (409, code)
        assert await count(database) == 0

    async def test_a_campaign_that_is_being_stopped_is_not_started(self, api, database: Database):
        """Its sendouts are cancelled by then: another one would be sent for all that."""
        made = await checked(api, customers(1))
        async with database.transaction() as connection:
            await connection.execute(update(campaigns).values(state="unpublished"))
            starting = asyncio.create_task(api.post(f"{IMPORTS}/{made['importId']}/start"))
            await until_somebody_waits(connection)

        assert code_of(await starting) == (409, "CAMPAIGN_NOT_FINAL")
        assert await count(database) == 0

    async def test_without_a_good_row_there_is_no_sendout(self, api):
        made = await checked(api, table("x,Ana"))

        assert code_of(await api.post(f"{IMPORTS}/{made['importId']}/start")) == (409, "CONFLICT")
        assert (await api.get(SENDOUTS)).json()["data"] == []

    async def test_its_sendout_can_be_cancelled_and_its_customers_sent_to_again(
        self, api, database: Database
    ):
        started = await start(api, await checked(api, customers(2)))
        await api.post(f"{SENDOUTS}/{started['sendoutId']}/cancel")

        again = await checked(api, customers(2))

        assert again["toSend"] == 2


# --- keeping -------------------------------------------------------------------------------------


class TestKeeping:
    async def test_an_import_is_forgotten_after_a_day_with_its_rows(self, api, database: Database):
        old, young = await checked(api, customers(3)), await checked(api, customers(2))
        async with database.transaction() as connection:
            await connection.execute(
                update(imports)
                .where(imports.c.import_id == old["importId"])
                .values(created_at=func.now() - text("interval '24 hours 1 second'"))
            )
        address = f"{IMPORTS}/{old['importId']}"

        assert code_of(await api.get(address)) == (404, "NOT_FOUND")
        assert code_of(await api.post(f"{address}/start")) == (404, "NOT_FOUND")
        assert await Repairs(database).forget_passed() == 1
        assert await Repairs(database).forget_passed() == 0
        async with database.transaction() as connection:
            kept = await connection.scalars(select(import_rows.c.import_id).distinct())
            assert [str(import_id) for import_id in kept] == [young["importId"]]

    async def test_of_those_that_wait_the_newest_are_kept(self, api):
        started = await start(api, await checked(api, customers(1)))
        made = [await checked(api, customers(1)) for _ in range(MOST_WAITING + 1)]

        statuses = [
            (await api.get(f"{IMPORTS}/{one['importId']}")).status_code for one in [started, *made]
        ]

        assert statuses == [200, 404] + [200] * MOST_WAITING

    async def test_an_idempotency_key_gives_the_first_answer_for_the_same_file_and_query(
        self, api, database: Database
    ):
        key = {"Idempotency-Key": "may"}

        def again(**query: str) -> Any:
            return api.post(
                IMPORTS,
                content=customers(2),
                params={"campaignName": "spring"} | query,
                headers=key,
            )

        first, second, other = await again(), await again(), await again(label="June")

        assert first.json() == second.json()
        assert other.status_code == 422
        async with database.transaction() as connection:
            assert await connection.scalar(select(func.count()).select_from(imports)) == 1

    async def test_keys_of_other_scopes_and_businesses_are_refused(self, api):
        made = await checked(api, customers(1))
        elsewhere = IMPORTS.replace(str(BUSINESS), "22222222-2222-4222-8222-222222222222")

        assert (await api.get(f"{elsewhere}/{made['importId']}")).status_code == 403
        assert (await api.get(f"{IMPORTS}/{BUSINESS}")).status_code == 404
