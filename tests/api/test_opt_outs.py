"""Who wants no marketing: listed, entered by hand, lifted (api.md section 6)."""

import csv
import io
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, insert, select

from api import opt_out_lists
from storage.customer_tables import opt_outs
from storage.identity import remember
from storage.session import Database
from tests.api.calls import code_of
from tests.api.webhook import Webhook
from tests.record import BUSINESS, add_business

OPT_OUTS = f"/v1/businesses/{BUSINESS}/opt-outs"
CLIENT, OTHER = "+16045552331", "+16045552332"
CSV = {"Content-Type": "text/csv; charset=utf-8"}


@pytest.fixture
async def webhook(api: httpx.AsyncClient, database: Database) -> Webhook:
    return await Webhook.of(api, database)


async def listed(api: httpx.AsyncClient) -> list[tuple[str, str, bool]]:
    data = (await api.get(OPT_OUTS)).json()["data"]
    return [(o["client"], o["source"], o["byHand"]) for o in data]


async def put(api: httpx.AsyncClient, client: str, **order: Any) -> dict[str, Any]:
    answer = await api.put(f"{OPT_OUTS}/{client}", json=order)
    assert answer.status_code == 200, answer.text
    entity: dict[str, Any] = answer.json()["entity"]
    return entity


class TestByHand:
    async def test_one_is_entered_with_its_source_and_time(self, api, database: Database):
        before = await put(api, "1 (604) 555-2331", source="hotline")
        again = await put(api, CLIENT, source="hotline")

        assert (before["client"], before["source"], before["byHand"]) == (CLIENT, "hotline", True)
        assert again == before
        customer = await api.get(f"/v1/businesses/{BUSINESS}/customers/{CLIENT}")
        assert customer.json()["entity"]["optOut"] == {
            "source": "hotline",
            "byHand": True,
            "at": before["at"],
        }

    async def test_without_a_body_its_source_is_the_hand(self, api):
        answer = await api.put(f"{OPT_OUTS}/{CLIENT}")
        assert answer.json()["entity"]["source"] == "hand"

    async def test_start_lifts_what_was_heard_but_not_what_was_entered(self, api, webhook):
        for number in (CLIENT, OTHER):
            await webhook.wrote("STOP", **{"from": number[1:]})
        await put(api, CLIENT, source="shop")
        assert await listed(api) == [(CLIENT, "shop", True), (OTHER, "text", False)]

        for number in (CLIENT, OTHER):
            await webhook.wrote("START", **{"from": number[1:]})

        assert await listed(api) == [(CLIENT, "shop", True)]

    async def test_a_stop_after_it_leaves_it_by_hand(self, api, webhook):
        entered = await put(api, CLIENT)
        await webhook.wrote("STOP", **{"from": CLIENT[1:]})
        await webhook.wrote("START", **{"from": CLIENT[1:]})

        [kept] = (await api.get(OPT_OUTS)).json()["data"]
        assert (kept["source"], kept["byHand"]) == ("hand", True)
        assert kept["at"] > entered["at"]

    async def test_lifting_lifts_all_names_whatever_the_source(self, api, database: Database):
        async with database.transaction() as connection:
            await remember(connection, BUSINESS, [(CLIENT, OTHER, "CA.1")])
            for client, source in ((OTHER, "text"), ("CA.1", "user_preferences")):
                await connection.execute(
                    insert(opt_outs).values(business_id=BUSINESS, client=client, source=source)
                )
        await put(api, CLIENT)

        answer = await api.delete(f"{OPT_OUTS}/CA.1")

        assert (answer.status_code, answer.json()["entity"]["byHand"]) == (200, True)
        assert await listed(api) == []
        assert code_of(await api.delete(f"{OPT_OUTS}/{CLIENT}")) == (404, "NOT_FOUND")

    @pytest.mark.parametrize("source", ["", "=HYPERLINK(1)", "a\nb", "x" * 65, 7])
    async def test_a_source_is_a_short_plain_word(self, api, source):
        answer = await api.put(f"{OPT_OUTS}/{CLIENT}", json={"source": source})

        assert code_of(answer) == (400, "BAD_REQUEST")
        assert "`source`" in answer.json()["message"]
        assert await listed(api) == []

    async def test_what_is_no_customer_is_refused(self, api):
        for answer in (await api.put(f"{OPT_OUTS}/anna"), await api.delete(f"{OPT_OUTS}/anna")):
            assert code_of(answer) == (400, "BAD_REQUEST")


class TestLists:
    async def test_a_json_list_is_entered(self, api):
        body = ["1 604 555 2332", {"client": CLIENT, "source": "shop"}, "MX.123", CLIENT]
        answer = await api.post(OPT_OUTS, json=body)

        assert answer.json() == {"entered": 3}
        assert sorted(await listed(api)) == [
            (CLIENT, "hand", True),
            (OTHER, "hand", True),
            ("MX.123", "hand", True),
        ]

    @pytest.mark.parametrize(
        "body",
        [
            "client,source\r\n+16045552331,shop\r\n\r\n+16045552332,\r\n",
            "\ufeffname;Client;source\nAna;+1 (604) 555-2331;shop\nBo;16045552332;hand",
            "source\tclient\nshop\t+16045552331\nhand\t+16045552332\n",
        ],
    )
    async def test_csv_is_entered_by_its_header(self, api, body: str):
        answer = await api.post(OPT_OUTS, content=body.encode(), headers=CSV)

        assert answer.json() == {"entered": 2}
        assert await listed(api) == [(CLIENT, "shop", True), (OTHER, "hand", True)]

    async def test_csv_without_a_header_is_a_column_of_numbers(self, api):
        answer = await api.post(OPT_OUTS, content=f"{CLIENT}\n{OTHER}\n".encode(), headers=CSV)
        assert answer.json() == {"entered": 2}

    @pytest.mark.parametrize(
        ("body", "headers", "rows"),
        [
            (
                b'["+16045552331", "anna", 7, {}, {"client": "MX.1", "source": "="}]',
                {},
                [2, 3, 4, 5],
            ),
            (b"client\n+16045552331\nanna\n", CSV, [3]),
        ],
    )
    async def test_one_bad_row_and_nothing_is_entered(self, api, body, headers, rows):
        answer = await api.post(OPT_OUTS, content=body, headers=headers)

        assert code_of(answer) == (400, "BAD_REQUEST")
        assert [issue["row"] for issue in answer.json()["details"]["issues"]] == rows
        assert f"Row {rows[0]}: " in answer.json()["message"]
        assert await listed(api) == []

    @pytest.mark.parametrize(
        ("body", "headers"),
        [(b"{}", {}), (b"", {}), (b"\xff", CSV), (b'client\n"', CSV), (b'"a"b,c\n', CSV)],
    )
    async def test_what_is_no_list_is_refused(self, api, body, headers):
        answer = await api.post(OPT_OUTS, content=body, headers=headers)
        assert code_of(answer) == (400, "BAD_REQUEST")

    async def test_an_empty_list_enters_nothing(self, api):
        for body, headers in ((b"[]", {}), (b"", CSV), (b"client\n", CSV)):
            answer = await api.post(OPT_OUTS, content=body, headers=headers)
            assert answer.json() == {"entered": 0}

    async def test_pages_and_the_download_hold_all_of_the_business(
        self, api, database: Database, monkeypatch
    ):
        monkeypatch.setattr(opt_out_lists, "_PER_PAGE", 3)
        numbers = [f"+1604555{n:04}" for n in range(7)]
        await api.post(OPT_OUTS, json=numbers)
        async with database.transaction() as connection:
            other = await add_business(connection, UUID(int=7), key="other", sender=None)
            await connection.execute(
                insert(opt_outs).values(business_id=other, client=CLIENT, source="text")
            )

        seen, query = [], {"limit": 3}
        while True:
            page = (await api.get(OPT_OUTS, params=query)).json()
            seen += [o["client"] for o in page["data"]]
            if page["nextCursor"] is None:
                break
            query["cursor"] = page["nextCursor"]
        download = await api.get(OPT_OUTS, headers={"Accept": "text/csv"})

        assert seen == numbers
        assert download.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(download.text)))
        assert [row["client"] for row in rows] == numbers
        assert {(row["source"], row["byHand"]) for row in rows} == {("hand", "true")}

    async def test_a_download_can_be_entered_again(self, api, webhook, database: Database):
        await webhook.wrote("STOP", **{"from": CLIENT[1:]})
        await put(api, OTHER)
        download = await api.get(OPT_OUTS, headers={"Accept": "text/csv"})

        answer = await api.post(OPT_OUTS, content=download.content, headers=CSV)

        assert answer.json() == {"entered": 2}
        assert await listed(api) == [(CLIENT, "text", True), (OTHER, "hand", True)]
        async with database.transaction() as connection:
            assert await connection.scalar(select(func.count()).select_from(opt_outs)) == 2

    async def test_reading_needs_read_and_changing_needs_operate(self, api, database: Database):
        reader = UUID(int=8)
        async with database.transaction() as connection:
            await add_business(
                connection, reader, key="reader", scopes=frozenset({"read"}), sender=None
            )
        address = OPT_OUTS.replace(str(BUSINESS), str(reader))
        key = {"X-API-Key": "reader"}

        assert (await api.get(address, headers=key)).status_code == 200
        for answer in (
            await api.post(address, json=[CLIENT], headers=key),
            await api.put(f"{address}/{CLIENT}", headers=key),
            await api.delete(f"{address}/{CLIENT}", headers=key),
        ):
            assert answer.status_code == 403
