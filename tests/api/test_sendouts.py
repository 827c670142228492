"""Sendouts: exact counts, and the levers on them (api.md section 4)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from storage.session import Database
from tests.api.sent import (
    NOW,
    add_click,
    add_entry,
    add_message,
    add_sendout,
    after,
)
from tests.record import BUSINESS, SENDER, add_business, add_campaign

SENDOUTS = f"/v1/businesses/{BUSINESS}/sendouts"


async def read(api, sendout_id: UUID) -> dict[str, Any]:
    answer = await api.get(f"{SENDOUTS}/{sendout_id}")
    assert answer.status_code == 200, answer.text
    entity: dict[str, Any] = answer.json()["entity"]
    return entity


async def pull(api, sendout_id: UUID, lever: str):
    return await api.post(f"{SENDOUTS}/{sendout_id}/{lever}")


class TestReading:
    async def test_a_new_sendout_is_idle_and_all_zeros(self, api, sendout_id):
        sendout = await read(api, sendout_id)

        assert (sendout["state"], sendout["progress"], sendout["current"]) == (
            "running",
            "idle",
            True,
        )
        assert sendout["finishedAt"] is None
        assert set(sendout["entries"].values()) == {0}
        assert set(sendout["messages"].values()) == {0}
        zeros = {"sent": 0, "delivered": 0, "read": 0, "failed": 0, "unknown": 0}
        assert sendout["nodes"] == {
            "hello": zeros | {"clicked": {"yes": 0, "no": 0}},
            "nudge": zeros | {"clicked": {}},
            "more": zeros | {"clicked": {}},
        }

    async def test_entries_are_counted_by_state(self, api, sendout_id, database: Database):
        how_many = {
            "duplicate": 1,
            "queued": 2,
            "running": 3,
            "completed": 4,
            "failed": 5,
            "unknown": 6,
            "not_received": 7,
            "opted_out": 8,
            "cancelled": 9,
        }
        ahead = datetime.now(UTC) + timedelta(hours=1)
        async with database.transaction() as connection:
            for state, n in how_many.items():
                for _ in range(n):
                    await add_entry(connection, sendout_id, state=state)
            for _ in range(10):
                await add_entry(connection, sendout_id, state="queued", due_at=ahead)
            await add_entry(connection, await add_sendout(connection))

        counts = (await read(api, sendout_id))["entries"]

        assert counts == {
            "accepted": 55,
            "duplicate": 1,
            "scheduled": 10,
            "queued": 2,
            "running": 3,
            "completed": 4,
            "failed": 5,
            "unknown": 6,
            "notReceived": 7,
            "optedOut": 8,
            "cancelled": 9,
        }

    async def test_messages_are_counted_by_what_became_of_them(
        self, api, sendout_id, database: Database
    ):
        sent = {"accepted_at": NOW}
        of_nodes = {
            "hello": [
                ("sent", sent),
                ("sent", sent | {"delivered_at": NOW}),
                # WhatsApp leaves `delivered` out where `read` says it already.
                ("sent", sent | {"read_at": NOW}),
                ("failed", sent | {"failed_at": NOW}),
                ("refused", {}),
                ("unknown", {}),
                ("given_up", {}),
                ("held", {}),
                ("sending", {}),
                ("retrying", {}),
                ("skipped", {}),
                ("opted_out", {}),
                ("expired", {}),
            ],
            "nudge": [("sent", sent | {"delivered_at": NOW, "read_at": NOW})],
        }
        async with database.transaction() as connection:
            for node, rows in of_nodes.items():
                for state, times in rows:
                    entry_id = await add_entry(connection, sendout_id)
                    await add_message(connection, entry_id, state, node=node, **times)

        sendout = await read(api, sendout_id)

        hello, nudge = sendout["nodes"]["hello"], sendout["nodes"]["nudge"]
        del hello["clicked"], nudge["clicked"], sendout["messages"]["clicked"]
        assert hello == {"sent": 4, "delivered": 2, "read": 1, "failed": 2, "unknown": 2}
        assert nudge == {"sent": 1, "delivered": 1, "read": 1, "failed": 0, "unknown": 0}
        assert sendout["messages"] == {
            "sent": 5,
            "delivered": 3,
            "read": 2,
            "failed": 2,
            "unknown": 2,
        }

    async def test_clicks_count_distinct_customers(self, api, sendout_id, database: Database):
        async with database.transaction() as connection:
            for client, buttons in (("+16045550001", ("yes", "no")), ("+16045550002", ("yes",))):
                # The same customer twice: sent once more under `allow_multiple`.
                for _ in range(2):
                    entry_id = await add_entry(connection, sendout_id, client)
                    message_id = await add_message(connection, entry_id, accepted_at=NOW)
                    for button in buttons:
                        await add_click(connection, message_id, button)

        sendout = await read(api, sendout_id)

        assert sendout["messages"]["clicked"] == 2
        assert sendout["nodes"]["hello"]["clicked"] == {"yes": 2, "no": 1}

    async def test_it_is_finished_when_its_last_entry_ended(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            for hours in (1, 3, 2):
                await add_entry(
                    connection, sendout_id, state="completed", finished_at=after(hours=hours)
                )
            open_entry = await add_entry(connection, sendout_id)

        assert (await read(api, sendout_id))["finishedAt"] is None
        async with database.transaction() as connection:
            await connection.execute(
                text("UPDATE entries SET state = 'failed', finished_at = :at WHERE entry_id = :id"),
                {"at": after(hours=2), "id": open_entry},
            )
        finished = (await read(api, sendout_id))["finishedAt"]
        assert datetime.fromisoformat(finished) == after(hours=3)

    async def test_it_tells_which_held_channel_its_open_entries_wait_for(
        self, api, sendout_id, database: Database
    ):
        async with database.transaction() as connection:
            await add_entry(connection, sendout_id)
            done = await add_sendout(connection)
            await add_entry(connection, done, state="completed")
            await connection.execute(
                text(
                    "UPDATE channels SET held_since = :at, hold_code = 131042, hold_message = 'pay'"
                ),
                {"at": NOW},
            )

        assert (await read(api, sendout_id))["heldBy"] == [
            {
                "channel": SENDER,
                "code": 131042,
                "message": "pay",
                "since": "2026-05-04T12:00:00Z",
            }
        ]
        assert (await read(api, done))["heldBy"] == []

    async def test_an_unknown_sendout_is_not_found(self, api):
        assert (await api.get(f"{SENDOUTS}/{uuid4()}")).status_code == 404
        for lever in ("pause", "resume", "cancel", "retry"):
            assert (await pull(api, uuid4(), lever)).status_code == 404


class TestListing:
    async def test_pages_are_newest_first_without_gaps(self, api, database: Database):
        async with database.transaction() as connection:
            campaign_id = await add_campaign(connection, "spring")
            # Several of one moment: creation alone does not order them.
            made = {
                await add_sendout(
                    connection,
                    campaign_id=campaign_id,
                    created_at=after(minutes=n // 3),
                    is_current=False,
                )
                for n in range(10)
            }

        seen: list[str] = []
        times: list[str] = []
        params: dict[str, Any] = {"limit": 3}
        while True:
            page = (await api.get(SENDOUTS, params=params)).json()
            seen += [sendout["sendoutId"] for sendout in page["data"]]
            times += [sendout["createdAt"] for sendout in page["data"]]
            if page["nextCursor"] is None:
                break
            params["cursor"] = page["nextCursor"]

        assert len(seen) == 10
        assert {UUID(s) for s in seen} == made
        assert times == sorted(times, reverse=True)

    async def test_it_is_narrowed_by_campaign_and_state(self, api, database: Database):
        async with database.transaction() as connection:
            campaign_id = await add_campaign(connection, "spring")
            mine = await add_sendout(connection, campaign_id=campaign_id, state="paused")
            await add_sendout(connection, campaign_id=campaign_id, is_current=False)
            await add_sendout(connection, state="paused")

        answer = await api.get(SENDOUTS, params={"campaignId": str(campaign_id), "state": "paused"})

        assert [s["sendoutId"] for s in answer.json()["data"]] == [str(mine)]

    @pytest.mark.parametrize(
        "params", [{"state": "asleep"}, {"campaignId": "x"}, {"limit": 0}, {"limit": 501}]
    )
    async def test_an_unreadable_filter_is_refused(self, api, params):
        assert (await api.get(SENDOUTS, params=params)).status_code == 400

    async def test_those_of_another_business_are_left_out(self, api, database: Database):
        async with database.transaction() as connection:
            other = await add_business(connection, uuid4(), key="other", sender=None)
            campaign_id = await add_campaign(connection, "theirs", business_id=other)
            theirs = await add_sendout(connection, campaign_id=campaign_id, business_id=other)

        assert (await api.get(SENDOUTS)).json()["data"] == []
        assert (await api.get(f"{SENDOUTS}/{theirs}")).status_code == 404


class TestChanging:
    async def test_it_is_labelled_and_its_nodes_are_skipped(self, api, sendout_id):
        body = {"label": "Monday", "skip_nodes": ["nudge", "nudge"]}
        changed = (await api.patch(f"{SENDOUTS}/{sendout_id}", json=body)).json()["entity"]

        assert (changed["label"], changed["skipNodes"]) == ("Monday", ["nudge"])
        # What is absent or null stays; an empty label takes it away.
        kept = await api.patch(f"{SENDOUTS}/{sendout_id}", json={"label": None})
        assert kept.json()["entity"]["label"] == "Monday"
        bare = await api.patch(f"{SENDOUTS}/{sendout_id}", json={"label": "", "skipNodes": []})
        assert (bare.json()["entity"]["label"], bare.json()["entity"]["skipNodes"]) == (None, [])

    @pytest.mark.parametrize("node", ["wait", "nuge", "\x00"])
    async def test_only_message_nodes_of_its_flow_are_skipped(self, api, sendout_id, node):
        answer = await api.patch(f"{SENDOUTS}/{sendout_id}", json={"skipNodes": ["nudge", node]})

        assert answer.status_code == 400
        assert answer.json()["details"] == {"unknownNodes": [node]}
        assert (await read(api, sendout_id))["skipNodes"] == []

    @pytest.mark.parametrize(
        "body", [{"label": 5}, {"label": "a\x00b"}, {"label": "n" * 257}, {"skipNodes": "nudge"}]
    )
    async def test_an_unreadable_change_is_refused(self, api, sendout_id, body):
        assert (await api.patch(f"{SENDOUTS}/{sendout_id}", json=body)).status_code == 400
