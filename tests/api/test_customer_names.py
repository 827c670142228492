"""One customer under several names: numbers and user ids (api.md section 2, Identity)."""

import asyncio
import json
from itertools import pairwise
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from storage.customer_tables import customer_numbers
from storage.identity import all_names, remember
from storage.inbound_tables import inbound
from storage.session import Database
from storage.tables import asks, entries, run_signals
from tests.api.sending import SEND, entry, send
from tests.api.sent import FLOW, add_ask, add_entry, add_message, add_sendout, claim
from tests.api.webhook import Webhook
from tests.record import BUSINESS, add_business, add_campaign

V1 = f"/v1/businesses/{BUSINESS}"
GIVEN, WHATSAPPS = "+525512345678", "+5215512345678"
USER_ID = "MX.13491208655302741918"

VARIANTS = [
    pytest.param("+5531987654321", "+553187654321", id="Brazil, without the ninth digit"),
    pytest.param("+553187654321", "+5531987654321", id="Brazil, with it"),
    pytest.param("+525512345678", "+5215512345678", id="Mexico, with a 1"),
    pytest.param("+5215512345678", "+525512345678", id="Mexico, without it"),
    pytest.param("+541155555555", "+5491155555555", id="Argentina, with a 9"),
    pytest.param("+5491155555555", "+541155555555", id="Argentina, without it"),
]


@pytest.fixture
async def spring(business: None, database: Database) -> None:
    """The campaign `spring`, published."""
    async with database.transaction() as connection:
        await add_campaign(connection, "spring")


@pytest.fixture
async def webhook(api: httpx.AsyncClient, database: Database) -> Webhook:
    return await Webhook.of(api, database)


@pytest.fixture
async def sent(business: None, database: Database) -> str:
    """A message to GIVEN, sent; its id."""
    async with database.transaction() as connection:
        entry_id = await add_entry(connection, await add_sendout(connection), GIVEN)
        return await add_message(connection, entry_id, accepted_at=func.now())


async def link(database: Database, one: str, other: str) -> None:
    async with database.transaction() as connection:
        await remember(connection, BUSINESS, [(one, other, None)])


async def names(database: Database, name: str) -> list[str]:
    async with database.transaction() as connection:
        return await all_names(connection, BUSINESS, name)


async def states(api: httpx.AsyncClient, *sent: object, **options: object) -> list[str]:
    """The states in which these entries were accepted."""
    report = await send(api, *sent, includeEntries="all", **options)
    return [e["state"] for row in report["data"] for e in row["entries"]]


class TestDuplicates:
    @pytest.mark.parametrize(("first", "second"), [(GIVEN, WHATSAPPS), (WHATSAPPS, GIVEN)])
    async def test_who_was_sent_it_under_one_name_is_not_under_another(
        self, api, spring, database: Database, first: str, second: str
    ):
        assert await states(api, entry(client=first)) == ["queued"]
        await link(database, GIVEN, WHATSAPPS)

        assert await states(api, entry(client=second), entry(1)) == ["duplicate", "queued"]
        assert await states(api, entry(client=first)) == ["duplicate"]

        async with database.transaction() as connection:
            found = (await connection.execute(select(entries).order_by("position"))).all()
        blocker = found[0].entry_id
        assert [e.duplicate_of for e in found] == [None, blocker, None, blocker]
        assert [e.client for e in found[:2]] == [first, second]

    async def test_two_names_in_one_request_are_one_customer(self, api, spring, database):
        await link(database, GIVEN, WHATSAPPS)
        both = [entry(client=GIVEN), entry(client=WHATSAPPS), entry(1)]

        assert await states(api, *both, dryRun=True) == ["queued", "duplicate", "queued"]
        assert await states(api, *both) == ["queued", "duplicate", "queued"]
        assert await states(api, *both, dryRun=True) == ["duplicate"] * 3
        async with database.transaction() as connection:
            duplicate = entries.c.duplicate_of.is_not(None)
            blockers = await connection.scalars(select(entries.c.duplicate_of).where(duplicate))
            first = select(entries.c.entry_id).order_by("position").limit(1)
            assert list(blockers) == [await connection.scalar(first)]

    async def test_what_was_sent_to_many_counts_for_all_names(self, api, spring, database):
        multiple = {"ifDuplicateCheckUnspecified": "allow_multiple"}
        await link(database, GIVEN, WHATSAPPS)
        twice = [entry(client=GIVEN), entry(client=WHATSAPPS)]

        assert await states(api, *twice, **multiple) == ["queued", "queued"]
        assert await states(api, *twice) == ["duplicate", "duplicate"]

    async def test_of_two_who_were_both_sent_it_before_neither_is_again(
        self, api, spring, database
    ):
        twice = [entry(client=GIVEN), entry(client=WHATSAPPS)]
        assert await states(api, *twice) == ["queued", "queued"]
        await link(database, GIVEN, WHATSAPPS)

        assert await states(api, *twice) == ["duplicate", "duplicate"]

    async def test_names_belong_to_one_business(self, api, spring, database):
        other = UUID(int=7)
        async with database.transaction() as connection:
            await add_business(connection, other, key="other-key", sender=None)
            await remember(connection, other, [(GIVEN, WHATSAPPS, None)])

        twice = [entry(client=GIVEN), entry(client=WHATSAPPS)]
        assert await states(api, *twice) == ["queued", "queued"]

    async def test_requests_at_once_under_all_names_run_each_customer_once(
        self, api, spring, database
    ):
        """In opposite orders, while customers get more names: all are accepted, none runs twice."""
        pairs = [(f"+5255{n:08}", f"+52155{n:08}") for n in range(20_000_000, 20_000_400)]
        async with database.transaction() as connection:
            await remember(connection, BUSINESS, [(*pair, None) for pair in pairs[::2]])
        # With the sendout there, nothing but claims makes the requests wait for each other.
        assert await states(api, entry(1)) == ["queued"]
        forward = [entry(client=number) for pair in pairs for number in pair]
        backward = list(reversed(forward))

        async def ask(listed: list[object]) -> httpx.Response:
            answer: httpx.Response = await api.post(SEND, content=json.dumps({"entries": listed}))
            return answer

        async def link_all(linked: list[tuple[str, str]]) -> None:
            for one, _ in linked:
                await link(database, one, f"{one}0")

        # With the eight requests, no more at once than there are connections.
        answers = await asyncio.gather(
            *(ask(listed) for listed in [forward, backward] * 4),
            *(link_all(pairs[n:100:20]) for n in range(0, 20, 2)),
        )

        assert [a.status_code for a in answers if a is not None] == [200] * 8
        async with database.transaction() as connection:
            runs = await connection.scalars(
                select(entries.c.client).where(entries.c.state == "queued")
            )
            ran = list(runs)
        assert len(ran) == len(set(ran))
        for one, other in pairs[::2]:
            assert len({one, other} & set(ran)) == 1
        for one, other in pairs[1::2]:
            assert {one, other} <= set(ran)

    async def test_a_retry_yields_to_another_name_of_its_customer(self, api, database):
        async with database.transaction() as connection:
            sendout_id = await add_sendout(connection)
            await add_entry(connection, sendout_id, GIVEN, state="failed", error_code="130429")
            lone = await add_entry(
                connection, sendout_id, "+16045550001", state="failed", error_code="130429"
            )
            await claim(connection, await add_entry(connection, sendout_id, WHATSAPPS))
        await link(database, GIVEN, WHATSAPPS)

        answer = await api.post(f"{V1}/sendouts/{sendout_id}/retry")

        assert answer.json() == {"retried": 1}
        async with database.transaction() as connection:
            queued = await connection.scalars(
                select(entries.c.entry_id).where(entries.c.state == "queued")
            )
            assert list(queued) == [lone]

    async def test_a_retry_under_one_name_blocks_the_others(self, api, database):
        async with database.transaction() as connection:
            campaign_id = await add_campaign(connection, "spring")
            sendout_id = await add_sendout(connection, campaign_id=campaign_id)
            await add_entry(connection, sendout_id, GIVEN, state="failed", error_code="130429")
        await link(database, GIVEN, WHATSAPPS)

        assert (await api.post(f"{V1}/sendouts/{sendout_id}/retry")).json() == {"retried": 1}
        assert await states(api, entry(client=WHATSAPPS)) == ["duplicate"]


class TestLinking:
    async def test_customers_of_several_numbers_become_one(self, business, database: Database):
        for one, other in [("+521", "+522"), ("+523", "+524"), ("+522", "+523"), ("+521", "+524")]:
            await link(database, one, other)

        for number in ("+521", "+522", "+523", "+524"):
            rest = sorted({"+521", "+522", "+523", "+524"} - {number})
            assert await names(database, number) == [number, *rest]
        assert await names(database, "+525") == ["+525"]

    async def test_a_chain_linked_at_once_stays_whole(self, business, database: Database):
        numbers = [f"+52{n:03}" for n in range(16)]
        steps = list(pairwise(numbers))

        await asyncio.gather(*(link(database, *step) for step in steps[::2] + steps[1::2]))

        assert sorted(await names(database, numbers[5])) == numbers
        async with database.transaction() as connection:
            kept = await connection.scalars(select(customer_numbers.c.client).distinct())
            assert len(list(kept)) == 1

    async def test_two_numbers_with_one_user_id_are_one_customer(self, business, database):
        async with database.transaction() as connection:
            await remember(
                connection, BUSINESS, [(GIVEN, None, USER_ID), ("+16045550001", None, "CA.1")]
            )
            await remember(connection, BUSINESS, [(WHATSAPPS, WHATSAPPS, USER_ID)])

        assert await names(database, USER_ID) == [WHATSAPPS, GIVEN, USER_ID]
        assert await names(database, GIVEN) == [GIVEN, WHATSAPPS, USER_ID]
        assert await names(database, "+16045550001") == ["+16045550001", "CA.1"]

    async def test_most_customers_take_no_row(self, webhook, sent: str, database: Database):
        await webhook.delivered(sent, recipient_id=GIVEN[1:])
        await webhook.wrote("Hi", **{"from": GIVEN[1:]})

        async with database.transaction() as connection:
            assert await connection.scalar(select(func.count()).select_from(customer_numbers)) == 0


class TestEvents:
    async def test_a_status_teaches_the_names_of_its_recipient(self, webhook, sent, database):
        await webhook.delivered(sent, recipient_id=WHATSAPPS[1:], recipient_user_id=USER_ID)

        assert await names(database, GIVEN) == [GIVEN, WHATSAPPS, USER_ID]

    async def test_a_tap_teaches_the_names_of_who_tapped(self, webhook, sent, database):
        await webhook.tapped(sent, "yes", **{"from": WHATSAPPS[1:], "from_user_id": USER_ID})

        assert await names(database, USER_ID) == [WHATSAPPS, GIVEN, USER_ID]
        async with database.transaction() as connection:
            assert await connection.scalar(select(inbound.c.client)) == GIVEN

    async def test_a_group_is_nobodys_name(self, webhook, sent, database):
        await webhook.delivered(sent, recipient_id="120363025246", recipient_type="group")

        assert await names(database, GIVEN) == [GIVEN]

    async def test_a_user_id_in_place_of_a_number_is_one(self, webhook, sent, database):
        await webhook.delivered(sent, recipient_id=USER_ID)

        assert await names(database, GIVEN) == [GIVEN, USER_ID]

    @pytest.mark.parametrize(("given", "variant"), VARIANTS)
    async def test_a_national_variant_is_the_customer(
        self, api, webhook, spring, database: Database, given: str, variant: str
    ):
        assert await states(api, entry(client=given)) == ["queued"]
        await webhook.wrote("STOP", **{"from": variant[1:]})

        customer = (await api.get(f"{V1}/customers/{given}")).json()["entity"]
        assert (customer["names"], customer["optOut"]["source"]) == ([given, variant], "text")
        assert await states(api, entry(client=variant)) == ["duplicate"]

    async def test_a_number_of_its_own_is_no_variant(self, api, webhook, spring, database):
        """Both were given to us: what the one writes is not taken for the other's."""
        assert await states(api, entry(client=GIVEN), entry(client=WHATSAPPS)) == ["queued"] * 2

        await webhook.wrote("STOP", **{"from": WHATSAPPS[1:]})

        told = [(await api.get(f"{V1}/customers/{n}")).json() for n in (GIVEN, WHATSAPPS)]
        assert [t["entity"]["optOut"] is not None for t in told] == [False, True]

    async def test_a_text_without_a_number_answers_the_ask_of_its_customer(
        self, webhook, sent, database: Database
    ):
        await webhook.delivered(sent, recipient_user_id=USER_ID)
        async with database.transaction() as connection:
            asked = (await connection.execute(select(entries))).one()
            before = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, 5)
            await add_ask(connection, asked.entry_id, opened_at=before)

        await webhook.wrote("Ana", from_user_id=USER_ID)

        async with database.transaction() as connection:
            assert await connection.scalar(select(asks.c.answer)) == "Ana"
            signalled = await connection.scalars(select(run_signals.c.name))
            assert "ask_answered" in list(signalled)

    async def test_what_was_written_before_the_number_was_known_counts(
        self, api, webhook, sent, database: Database
    ):
        """Nobody knew whose user id it was when the customer said STOP; then a status tells."""
        await webhook.wrote("STOP", from_user_id=USER_ID)
        unknown = (await api.get(f"{V1}/customers/{USER_ID}")).json()["entity"]
        assert (unknown["client"], unknown["names"]) == (USER_ID, [USER_ID])

        await webhook.delivered(sent, recipient_id=GIVEN[1:], recipient_user_id=USER_ID)

        customer = (await api.get(f"{V1}/customers/{USER_ID}")).json()["entity"]
        assert (customer["client"], customer["names"]) == (GIVEN, [GIVEN, USER_ID])
        assert customer["optOut"]["source"] == "text"
        assert customer["lastInbound"]["text"] == "STOP"
        assert [m["messageId"] for m in customer["messages"]] == [sent]

    async def test_start_lifts_what_another_name_stopped(self, api, webhook, sent, database):
        await webhook.delivered(sent, recipient_id=WHATSAPPS[1:], recipient_user_id=USER_ID)
        await webhook.wrote("STOP", from_user_id=USER_ID)
        await webhook.prefers("stop", wa_id=WHATSAPPS[1:])
        before = (await api.get(f"{V1}/customers/{GIVEN}")).json()["entity"]

        await webhook.prefers("resume", user_id=USER_ID)

        after = (await api.get(f"{V1}/customers/{GIVEN}")).json()["entity"]
        assert (before["optOut"] is None, after["optOut"] is None) == (False, True)

    async def test_a_reply_under_another_name_is_in_the_timeline(
        self, api, webhook, sent, database: Database
    ):
        await webhook.wrote("Before", **{"from": WHATSAPPS[1:]})
        await webhook.delivered(sent, recipient_user_id=USER_ID)
        await webhook.wrote("After", from_user_id=USER_ID)

        async with database.transaction() as connection:
            found = (await connection.execute(select(entries))).one()
        answer = await api.get(f"{V1}/sendouts/{found.sendout_id}/entries/{found.entry_id}")
        told = [s["text"] for s in answer.json()["entity"]["timeline"] if s["type"] == "reply"]
        assert told == ["Before", "After"]

    async def test_events_that_teach_the_same_at_once_all_count(
        self, api, database: Database, webhook
    ):
        async with database.transaction() as connection:
            sendout_id = await add_sendout(connection, flow=FLOW)
            entry_id = await add_entry(connection, sendout_id, GIVEN)
            ids = [await add_message(connection, entry_id, visit=n, number=n) for n in range(1, 9)]

        await asyncio.gather(
            *(
                webhook.delivered(i, recipient_id=WHATSAPPS[1:], recipient_user_id=USER_ID)
                for i in ids
            )
        )

        assert await names(database, GIVEN) == [GIVEN, WHATSAPPS, USER_ID]
