"""Entries: what became of each (api.md section 4)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Text, cast, literal, select
from sqlalchemy.dialects.postgresql import JSON

from storage.session import Database
from storage.tables import claims, entries
from tests.api.calls import read, told
from tests.api.sent import NOW, add_entry, add_sendout, claim
from tests.record import BUSINESS

V1 = f"/v1/businesses/{BUSINESS}"
CLIENT = "+16045552331"


class TestListing:
    async def test_pages_come_in_the_order_of_acceptance_without_gaps(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            accepted = [str(await add_entry(connection, sendout_id)) for _ in range(8)]
            await add_entry(connection, await add_sendout(connection))

        seen: list[str] = []
        params: dict[str, Any] = {"limit": 3}
        while True:
            page = (await api.get(f"{V1}/sendouts/{sendout_id}/entries", params=params)).json()
            seen += [entry["entryId"] for entry in page["data"]]
            if page["nextCursor"] is None:
                break
            params["cursor"] = page["nextCursor"]

        assert seen == accepted

    async def test_it_is_narrowed_by_state_and_client(self, api, sendout_id, database: Database):
        ahead = datetime.now(UTC) + timedelta(hours=1)
        async with database.transaction() as connection:
            scheduled = await add_entry(connection, sendout_id, state="queued", due_at=ahead)
            queued = await add_entry(connection, sendout_id, state="queued")
            failed = await add_entry(connection, sendout_id, "+16045550002", state="failed")

        async def listed(**params) -> list[str]:
            answer = await api.get(f"{V1}/sendouts/{sendout_id}/entries", params=params)
            assert answer.status_code == 200, answer.text
            return [entry["entryId"] for entry in answer.json()["data"]]

        assert await listed(state="scheduled") == [str(scheduled)]
        assert await listed(state="queued") == [str(queued)]
        assert await listed(state=["queued", "failed"]) == [str(queued), str(failed)]
        # An unescaped plus arrives as a space.
        for spelling in ("+1 604 555 0002", " 16045550002", "0016045550002"):
            assert await listed(client=spelling) == [str(failed)]

    @pytest.mark.parametrize(
        "params", [{"state": "asleep"}, {"client": "anna"}, {"cursor": "x"}, {"limit": "many"}]
    )
    async def test_an_unreadable_filter_is_refused(self, api, sendout_id, params):
        answer = await api.get(f"{V1}/sendouts/{sendout_id}/entries", params=params)

        assert (answer.status_code, answer.json()["code"]) == (400, "ERROR_CODE_BAD_REQUEST")

    async def test_the_entries_of_an_unknown_sendout_are_not_found(self, api):
        assert (await api.get(f"{V1}/sendouts/{uuid4()}/entries")).status_code == 404


class TestReading:
    async def test_values_are_answered_as_they_were_given(
        self, api, sendout_id, database: Database
    ):
        def as_given(text: str):
            return cast(literal(text, Text), JSON)

        async with database.transaction() as connection:
            entry_id = await add_entry(
                connection,
                sendout_id,
                variables=as_given('{"price": 19.90, "name": "Zoë"}'),
                callback_data=as_given("[1e400, null]"),
                output_variables={"size": "L"},
            )

        answer = await api.get(f"{V1}/sendouts/{sendout_id}/entries/{entry_id}")

        assert answer.headers["content-type"] == "application/json"
        for text in ('"price":19.90', '"name":"Zoë"', '"callbackData":[1e400,null]', '"size":"L"'):
            assert text in answer.text

    async def test_an_entry_has_the_documented_fields(self, api, sendout_id, database: Database):
        async with database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id, created_at=NOW)

        entry = await read(api, sendout_id, entry_id)

        assert told(entry) == [{"type": "accepted", "at": "2026-05-04T12:00:00Z"}]
        del entry["timeline"]
        assert entry == {
            "entryId": str(entry_id),
            "sendoutId": str(sendout_id),
            "client": CLIENT,
            "state": "running",
            "attempt": 1,
            "variables": {},
            "outputVariables": {},
            "callbackData": None,
            "error": None,
            "duplicateOf": None,
            "createdAt": "2026-05-04T12:00:00Z",
            "scheduledAt": None,
            "finishedAt": None,
            "workflowId": f"run-{entry_id}",
        }

    @pytest.mark.parametrize(
        ("state", "code", "shown", "provider"),
        [
            ("failed", "131026", "MESSAGE_UNDELIVERABLE", 131026),
            ("failed", "999999", "WA_API_UNKNOWN", 999999),
            ("failed", "TOO_MANY_SENDS", "BUSINESS_REACHED_LIMITS", None),
            ("failed", "EXPIRED", "DEADLINE_EXCEEDED", None),
            ("unknown", "UNKNOWN", "WA_SOMETHING_WENT_WRONG", None),
            ("opted_out", None, "MESSAGE_CUSTOMER_OPTED_OUT", None),
        ],
    )
    async def test_errors_are_told_in_documented_codes(
        self, api, sendout_id, database: Database, state, code, shown, provider
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(
                connection, sendout_id, state=state, error_code=code, finished_at=NOW
            )

        entry = await read(api, sendout_id, entry_id)

        assert entry["error"]["code"] == f"ERROR_CODE_{shown}"
        assert entry["error"]["providerCode"] == provider
        assert entry["error"]["title"]
        ended = told(entry, "ended")[0]
        assert (ended["state"], ended["error"]["code"]) == (state, f"ERROR_CODE_{shown}")

    async def test_an_entry_of_another_sendout_is_not_found(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            elsewhere = await add_entry(connection, await add_sendout(connection))

        for entry_id in (elsewhere, uuid4()):
            answer = await api.get(f"{V1}/sendouts/{sendout_id}/entries/{entry_id}")
            assert answer.status_code == 404


class TestCancelling:
    @pytest.mark.parametrize("below", ["", "/sendouts/{sendout_id}"])
    async def test_an_open_entry_ends_and_its_claim_is_released(
        self, api, sendout_id, database: Database, below
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id)
            await claim(connection, entry_id)
            other = await add_entry(connection, sendout_id)
        address = f"{V1}{below.format(sendout_id=sendout_id)}/entries/{entry_id}/cancel"

        answers = [(await api.post(address)).json()["entity"] for _ in range(2)]

        assert answers[0]["state"] == "cancelled"
        assert answers[0]["finishedAt"] is not None
        assert answers[1] == answers[0]
        async with database.transaction() as connection:
            assert (await connection.execute(select(claims))).all() == []
            state = select(entries.c.state).where(entries.c.entry_id == other)
            assert await connection.scalar(state) == "running"

    async def test_an_entry_that_has_ended_stays_as_it_is(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id, state="completed", finished_at=NOW)

        answer = await api.post(f"{V1}/entries/{entry_id}/cancel")

        assert answer.json()["entity"]["state"] == "completed"

    async def test_an_unknown_entry_is_not_found(self, api):
        assert (await api.post(f"{V1}/entries/{uuid4()}/cancel")).status_code == 404
