"""An entry's timeline: what happened and why (api.md section 4)."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from storage.session import Database
from tests.api.calls import read, told
from tests.api.sent import (
    NOW,
    add_ask,
    add_click,
    add_decision,
    add_entry,
    add_inbound,
    add_message,
    add_read_message,
    after,
)
from tests.record import BUSINESS, SENDER

V1 = f"/v1/businesses/{BUSINESS}"
CLIENT = "+16045552331"


class TestTimeline:
    async def test_it_tells_sends_statuses_waits_and_taps_in_order(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(
                connection, sendout_id, created_at=NOW, started_at=after(seconds=1)
            )
            hello = await add_read_message(connection, entry_id, wamid="wamid.1")
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
            await add_decision(connection, entry_id)

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

    async def test_a_closed_window_says_until_when(self, api, sendout_id, database: Database):
        opens = after(hours=3)
        async with database.transaction() as connection:
            entry_id = await add_entry(connection, sendout_id)
            await add_message(connection, entry_id, "held", held_for="window", held_until=opens)

        hold = told(await read(api, sendout_id, entry_id), "hold")[0]

        assert (hold["heldFor"], datetime.fromisoformat(hold["until"])) == ("window", opens)

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
            message_id = await add_message(connection, entry_id, created_at=NOW, accepted_at=NOW)
            again = {"kind": "tap", "text": "Not now", "button": "no", "message_id": message_id}
            heard: list[tuple[str, str, dict[str, Any]]] = [
                ("wamid.answer", CLIENT, {"text": "size L"}),
                ("wamid.thanks", CLIENT, {"text": "thanks!"}),
                ("wamid.again", CLIENT, again),
                ("wamid.other", "+16045550009", {"text": "who is this?"}),
            ]
            for n, (inbound_id, sender, said) in enumerate(heard, start=1):
                await add_inbound(
                    connection, sender, inbound_id=inbound_id, received_at=after(minutes=n), **said
                )
            await add_ask(
                connection,
                entry_id,
                opened_at=NOW,
                closed_at=after(minutes=1),
                inbound_id="wamid.answer",
                answer="size L",
            )
            await add_ask(
                connection,
                entry_id,
                "colour",
                opened_at=after(minutes=10),
                closed_at=after(minutes=20),
            )

        entry = await read(api, sendout_id, entry_id)

        steps = told(entry, "ask", "answer", "reply", "click", "ask_timeout")
        assert [(step["type"], step.get("node") or step.get("inboundId")) for step in steps] == [
            ("ask", "size"),
            ("answer", "size"),
            ("reply", "wamid.thanks"),
            ("click", "wamid.again"),
            ("ask", "colour"),
            ("ask_timeout", "colour"),
        ]
        assert steps[3]["counted"] is False

    async def test_what_is_written_long_after_the_end_is_not_of_this_run(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(
                connection, sendout_id, state="completed", created_at=NOW, finished_at=NOW
            )
            for hours in (23, 25):
                await add_inbound(
                    connection, CLIENT, inbound_id=f"wamid.{hours}", received_at=after(hours=hours)
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

    async def test_causes_come_first_though_whatsapps_times_are_whole_seconds(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            entry_id = await add_entry(
                connection,
                sendout_id,
                state="completed",
                created_at=NOW,
                # As its page of starts was marked: when its first message was begun.
                started_at=after(seconds=1.2),
                finished_at=after(seconds=1.4),
            )
            await add_message(
                connection,
                entry_id,
                created_at=after(seconds=1.2),
                accepted_at=after(seconds=1.4),
                sent_at=after(seconds=1),
                delivered_at=after(seconds=1),
            )

        steps = told(await read(api, sendout_id, entry_id))

        assert [step.get("status", step["type"]) for step in steps] == [
            "accepted",
            "started",
            "send",
            "accepted",
            "delay",
            "sent",
            "delivered",
            "ended",
        ]
        assert steps[1]["at"] == "2026-05-04T12:00:01.200000Z"
        assert steps[5]["at"] == "2026-05-04T12:00:01Z"
