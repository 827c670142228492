"""Entries and customers: what became of each, and why (api.md section 4)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Text, cast, insert, literal, select
from sqlalchemy.dialects.postgresql import JSON

from storage.session import Database
from storage.tables import asks, channels, claims, decisions, entries, inbound, opt_outs
from tests.api.sent import FLOW, NOW, add_click, add_entry, add_message, add_sendout, after, claim
from tests.record import BUSINESS, SENDER

V1 = f"/v1/businesses/{BUSINESS}"
CLIENT = "+16045552331"


@pytest.fixture
async def sendout_id(api, database: Database) -> UUID:
    async with database.transaction() as connection:
        return await add_sendout(connection)


async def read(api, sendout_id: UUID, entry_id: UUID) -> dict:
    answer = await api.get(f"{V1}/sendouts/{sendout_id}/entries/{entry_id}")
    assert answer.status_code == 200, answer.text
    entity: dict = answer.json()["entity"]
    return entity


def told(entry: dict, *types: str) -> list[dict]:
    return [step for step in entry["timeline"] if not types or step["type"] in types]


class TestListing:
    async def test_pages_come_in_the_order_of_acceptance_without_gaps(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            accepted = [str(await add_entry(connection, sendout_id)) for _ in range(8)]
            await add_entry(connection, await add_sendout(connection))

        seen: list[str] = []
        params: dict = {"limit": 3}
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


class TestTimeline:
    async def test_it_tells_sends_statuses_waits_and_taps_in_order(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(
                connection, sendout_id, created_at=NOW, started_at=after(seconds=1)
            )
            hello = await add_message(
                connection,
                entry_id,
                created_at=after(seconds=2),
                accepted_at=after(seconds=3),
                sent_at=after(seconds=4),
                delivered_at=after(seconds=5),
                read_at=after(seconds=6),
                wamid="wamid.1",
                template="greeting (en)",
                text="Hello Ana",
                tries=1,
            )
            await add_click(
                connection, hello, "yes", inbound_id="wamid.in", clicked_at=after(seconds=7)
            )
            await add_message(
                connection,
                entry_id,
                "refused",
                node="more",
                number=2,
                created_at=after(seconds=8),
                error_code=131047,
                error_message="window closed",
            )

        entry = await read(api, sendout_id, entry_id)

        order = [(step["type"], step.get("status", step.get("node"))) for step in told(entry)]
        assert order == [
            ("accepted", None),
            ("started", None),
            ("send", "hello"),
            ("status", "accepted"),
            ("delay", "wait"),
            ("status", "sent"),
            ("status", "delivered"),
            ("status", "read"),
            ("click", "hello"),
            ("send", "more"),
            ("error", "more"),
        ]
        sent = told(entry, "send")[0]
        assert sent == {
            "type": "send",
            "at": "2026-05-04T12:00:02Z",
            "node": "hello",
            "visit": 1,
            "attempt": 1,
            "messageId": hello,
            "text": "Hello Ana",
            "template": "greeting (en)",
            "campaignVersion": "v1",
            "sender": SENDER,
            "wamid": "wamid.1",
            "state": "sent",
            "tries": 1,
        }
        assert told(entry, "delay")[0] == {
            "type": "delay",
            "at": "2026-05-04T12:00:03Z",
            "node": "wait",
            "condition": "no_click",
            "duration": "PT20H",
            "until": "2026-05-05T08:00:03Z",
            "messageId": hello,
        }
        click = told(entry, "click")[0]
        assert (click["label"], click["counted"]) == ("Tell me more", True)
        error = told(entry, "error")[0]
        assert (error["code"], error["message"], error["final"]) == (131047, "window closed", True)

    async def test_a_decision_tells_what_it_was_based_on(self, api, sendout_id, database: Database):
        async with database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id, created_at=NOW)
            await connection.execute(
                insert(decisions).values(
                    entry_id=entry_id,
                    node="wait",
                    verdict="go_on",
                    inputs={"received": True, "clicked": False},
                    decided_at=after(hours=20),
                )
            )

        decision = told(await read(api, sendout_id, entry_id), "decision")[0]

        assert decision["summary"] == "received: true, clicked: false → go on"
        assert (decision["nodeType"], decision["verdict"]) == ("delay", "go_on")

    async def test_what_was_held_or_not_sent_says_why(self, api, sendout_id, database: Database):
        async with database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id)
            await add_message(connection, entry_id, "held", held_for="sendout")
            await add_message(connection, entry_id, "skipped", node="nudge")

        entry = await read(api, sendout_id, entry_id)

        assert told(entry, "hold")[0]["heldFor"] == "sendout"
        assert told(entry, "not_sent")[0]["reason"] == "skipped"
        assert told(entry, "send") == []

    async def test_a_status_that_reports_failure_brings_its_error(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id, created_at=NOW)
            await add_message(
                connection,
                entry_id,
                "failed",
                accepted_at=after(seconds=1),
                failed_at=after(seconds=2),
                error_code=131026,
                error_message="undeliverable",
            )

        failed = told(await read(api, sendout_id, entry_id), "status")[-1]

        assert failed["status"] == "failed"
        assert failed["error"] == {"code": 131026, "message": "undeliverable"}

    async def test_questions_answers_and_other_replies_are_told_apart(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id, created_at=NOW)
            channel_id = await connection.scalar(select(channels.c.channel_id))
            message_id = await add_message(connection, entry_id, accepted_at=NOW)
            about = {"channel_id": channel_id, "client": CLIENT}
            for n, (kind, said, button, inbound_id, sender) in enumerate(
                [
                    ("text", "size L", None, "wamid.answer", CLIENT),
                    ("text", "thanks!", None, "wamid.thanks", CLIENT),
                    ("tap", "Not now", "no", "wamid.again", CLIENT),
                    ("text", "who is this?", None, "wamid.other", "+16045550009"),
                ]
            ):
                await connection.execute(
                    insert(inbound).values(
                        inbound_id=inbound_id,
                        channel_id=channel_id,
                        client=sender,
                        kind=kind,
                        text=said,
                        message_id=message_id if button else None,
                        button=button,
                        received_at=after(minutes=n + 1),
                    )
                )
            asked = about | {"entry_id": entry_id, "attempt": 1, "visit": 1}
            await connection.execute(
                insert(asks).values(
                    asked
                    | {
                        "node": "size",
                        "opened_at": NOW,
                        "closed_at": after(minutes=1),
                        "inbound_id": "wamid.answer",
                        "answer": "size L",
                    }
                )
            )
            await connection.execute(
                insert(asks).values(
                    asked
                    | {
                        "node": "colour",
                        "opened_at": after(minutes=10),
                        "closed_at": after(minutes=20),
                    }
                )
            )

        entry = await read(api, sendout_id, entry_id)

        said = told(entry, "ask", "answer", "reply", "click", "ask_timeout")
        assert [(step["type"], step.get("node") or step.get("inboundId")) for step in said] == [
            ("ask", "size"),
            ("answer", "size"),
            ("reply", "wamid.thanks"),
            ("click", "wamid.again"),
            ("ask", "colour"),
            ("ask_timeout", "colour"),
        ]
        assert said[3]["counted"] is False

    async def test_what_is_written_long_after_the_end_is_not_of_this_run(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(
                connection, sendout_id, state="completed", created_at=NOW, finished_at=NOW
            )
            channel_id = await connection.scalar(select(channels.c.channel_id))
            for hours in (23, 25):
                await connection.execute(
                    insert(inbound).values(
                        inbound_id=f"wamid.{hours}",
                        channel_id=channel_id,
                        client=CLIENT,
                        kind="text",
                        received_at=after(hours=hours),
                    )
                )

        replies = told(await read(api, sendout_id, entry_id), "reply")

        assert [reply["inboundId"] for reply in replies] == ["wamid.23"]

    async def test_a_duplicate_names_the_entry_that_blocked_it(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            first = await add_entry(connection, sendout_id, state="completed", created_at=NOW)
            second = await add_entry(connection, sendout_id, state="duplicate", duplicate_of=first)
            orphan = await add_entry(
                connection, sendout_id, state="duplicate", duplicate_of=uuid4()
            )

        entry = await read(api, sendout_id, second)

        assert entry["duplicateOf"] == str(first)
        step = told(entry, "duplicate")[0]
        del step["at"]
        assert step == {
            "type": "duplicate",
            "entryId": str(first),
            "sendoutId": str(sendout_id),
            "campaignVersion": "v1",
            "state": "completed",
            "createdAt": "2026-05-04T12:00:00Z",
        }
        # The claim outlives purges: then the id is all there is.
        assert "sendoutId" not in told(await read(api, sendout_id, orphan), "duplicate")[0]


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


class TestCustomer:
    async def test_everything_known_is_told_newest_first(self, api, database: Database):
        async with database.transaction() as connection:
            ids = []
            for n in range(2):
                entry_id = await add_entry(connection, await add_sendout(connection, flow=FLOW))
                message_id = await add_message(
                    connection, entry_id, accepted_at=NOW, created_at=after(hours=n)
                )
                ids.append((str(entry_id), message_id))
            await add_entry(connection, await add_sendout(connection), "+16045550009")
            await connection.execute(
                insert(opt_outs).values(
                    business_id=BUSINESS, client=CLIENT, source="text", opted_out_at=NOW
                )
            )
            channel_id = await connection.scalar(select(channels.c.channel_id))
            for n, said in enumerate(("hello", "STOP")):
                await connection.execute(
                    insert(inbound).values(
                        inbound_id=f"wamid.{n}",
                        channel_id=channel_id,
                        client=CLIENT,
                        user_id="CA.1",
                        kind="text",
                        text=said,
                        received_at=after(hours=n),
                    )
                )

        answer = await api.get(f"{V1}/customers/1 (604) 555-2331")

        customer = answer.json()["entity"]
        assert (customer["client"], customer["names"]) == (CLIENT, [CLIENT, "CA.1"])
        assert customer["optOut"] == {
            "source": "text",
            "byHand": False,
            "at": "2026-05-04T12:00:00Z",
        }
        assert customer["lastInbound"]["text"] == "STOP"
        assert [entry["entryId"] for entry in customer["entries"]] == [ids[1][0], ids[0][0]]
        assert [message["messageId"] for message in customer["messages"]] == [ids[1][1], ids[0][1]]
        assert customer["entries"][0]["campaignVersion"] == "v1"
        assert customer["messages"][0]["sender"] == SENDER

    async def test_a_customer_of_whom_nothing_is_known_is_not_found(self, api):
        assert (await api.get(f"{V1}/customers/{CLIENT}")).status_code == 404

    async def test_what_is_no_number_is_refused(self, api):
        assert (await api.get(f"{V1}/customers/anna")).status_code == 400
