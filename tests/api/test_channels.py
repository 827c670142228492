"""Channels: connecting numbers, and the emergency stop (api.md section 6)."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from storage.keys import add_key
from storage.session import Database
from storage.tables import channels, run_signals
from tests.api.sent import NOW, add_entry, add_message, add_sendout
from tests.record import BUSINESS, SENDER, add_business, add_channel
from tests.temporal_stand_ins import RecordedSignals

CHANNELS = f"/v1/businesses/{BUSINESS}/channels"
NEW = {
    "phoneNumber": "+1 555 000 2222",
    "phoneNumberId": "200000000000002",
    "wabaId": "300000000000003",
    "accessToken": "EAAG-secret-token",
    "appSecret": "app-secret",
}


async def only(api) -> dict[str, Any]:
    answer = await api.get(CHANNELS)
    channel: dict[str, Any] = answer.json()["data"][0]
    return channel


class TestConnecting:
    async def test_a_channel_is_answered_without_its_secrets(self, api, database: Database):
        answer = await api.post(CHANNELS, json=NEW)

        assert answer.status_code == 201
        channel = answer.json()["entity"]
        assert "secret" not in answer.text
        del channel["createdAt"]
        assert channel == {
            "channelId": channel["channelId"],
            "phoneNumber": "+15550002222",
            "phoneNumberId": "200000000000002",
            "wabaId": "300000000000003",
            "default": False,
            "messagesPerSecond": 60,
            "state": "active",
            "hold": None,
        }
        read = await api.get(f"{CHANNELS}/{channel['channelId']}")
        assert "secret" not in read.text
        async with database.transaction() as connection:
            c = channels.c
            kept = select(c.access_token, c.app_secret).where(c.phone_number == "+15550002222")
            assert (await connection.execute(kept)).one() == ("EAAG-secret-token", "app-secret")

    async def test_a_new_default_takes_the_place_of_the_former(self, api):
        await api.post(CHANNELS, json=NEW | {"default": True})

        listed = (await api.get(CHANNELS)).json()["data"]
        assert [(c["phoneNumber"], c["default"]) for c in listed] == [
            (SENDER, False),
            ("+15550002222", True),
        ]

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"phoneNumberId": "4"}, "phoneNumber"),
            ({"phoneNumber": "+15550003333"}, "phoneNumberId"),
        ],
    )
    async def test_a_number_belongs_to_one_channel(self, api, changed, field):
        await api.post(CHANNELS, json=NEW)

        answer = await api.post(CHANNELS, json=NEW | changed)

        assert (answer.status_code, answer.json()["code"]) == (409, "ERROR_CODE_CONFLICT")
        assert answer.json()["details"] == {"field": field}

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"phoneNumber": "office"}, "phoneNumber"),
            ({"phoneNumberId": None}, "phoneNumberId"),
            ({"wabaId": ""}, "wabaId"),
            ({"accessToken": "two words"}, "accessToken"),
            ({"appSecret": 7}, "appSecret"),
            ({"default": "yes"}, "default"),
            ({"messagesPerSecond": 0}, "messagesPerSecond"),
            ({"messagesPerSecond": 1001}, "messagesPerSecond"),
        ],
    )
    async def test_an_unusable_field_is_named_and_its_value_is_not_echoed(
        self, api, changed, field
    ):
        answer = await api.post(CHANNELS, json=NEW | changed)

        assert answer.status_code == 400
        assert f"`{field}`" in answer.json()["message"]
        assert "two words" not in answer.text

    async def test_only_an_admin_connects_and_changes_channels(self, api, database: Database):
        channel = await only(api)
        async with database.transaction() as connection:
            scopes = frozenset({"send", "read", "operate"})
            await add_key(connection, BUSINESS, name="o", scopes=scopes, secret="operator")
        operator = {"X-API-Key": "operator"}
        address = f"{CHANNELS}/{channel['channelId']}"

        assert (await api.post(CHANNELS, json=NEW, headers=operator)).status_code == 403
        assert (await api.patch(address, json={}, headers=operator)).status_code == 403
        assert (await api.post(f"{address}/hold", headers=operator)).status_code == 200


class TestListing:
    async def test_pages_come_oldest_first_without_gaps(self, api, database: Database):
        async with database.transaction() as connection:
            for n in range(4):
                await add_channel(connection, BUSINESS, f"+1555000300{n}")
            other = await add_business(connection, uuid4(), key="other", sender=None)
            await add_channel(connection, other, "+15559990000")

        seen: list[str] = []
        params: dict[str, Any] = {"limit": 2}
        while True:
            page = (await api.get(CHANNELS, params=params)).json()
            seen += [channel["phoneNumber"] for channel in page["data"]]
            if page["nextCursor"] is None:
                break
            params["cursor"] = page["nextCursor"]

        assert seen[0] == SENDER
        assert sorted(seen[1:]) == [f"+1555000300{n}" for n in range(4)]


class TestChanging:
    async def test_only_what_is_given_changes(self, api, database: Database):
        channel = await only(api)

        answer = await api.patch(
            f"{CHANNELS}/{channel['channelId']}",
            json={"messagesPerSecond": 80, "accessToken": "new", "wabaId": None},
        )

        assert answer.json()["entity"] == channel | {"messagesPerSecond": 80}
        async with database.transaction() as connection:
            c = channels.c
            kept = (await connection.execute(select(c.access_token, c.app_secret))).one()
        assert kept == ("new", "secret")

    async def test_another_channel_becomes_the_default(self, api):
        new = (await api.post(CHANNELS, json=NEW)).json()["entity"]

        await api.patch(f"{CHANNELS}/{new['channelId']}", json={"default": True})

        listed = (await api.get(CHANNELS)).json()["data"]
        assert [channel["default"] for channel in listed] == [False, True]

    async def test_another_channels_number_id_is_refused(self, api):
        former = await only(api)
        new = (await api.post(CHANNELS, json=NEW)).json()["entity"]

        answer = await api.patch(
            f"{CHANNELS}/{new['channelId']}", json={"phoneNumberId": former["phoneNumberId"]}
        )

        assert answer.status_code == 409

    async def test_an_unknown_channel_is_not_found(self, api):
        unknown = f"{CHANNELS}/{uuid4()}"

        assert (await api.get(unknown)).status_code == 404
        assert (await api.patch(unknown, json={})).status_code == 404
        for lever in ("hold", "release"):
            assert (await api.post(f"{unknown}/{lever}")).status_code == 404


class TestHolding:
    async def test_a_hold_says_since_when_why_and_by_whom(self, api):
        address = f"{CHANNELS}/{(await only(api))['channelId']}"

        held = (await api.post(f"{address}/hold", json={"message": "wrong price"})).json()["entity"]

        assert held["state"] == "held"
        assert held["hold"]["since"] is not None
        assert (held["hold"]["message"], held["hold"]["by"], held["hold"]["code"]) == (
            "wrong price",
            "test",
            None,
        )
        again = await api.post(f"{address}/hold", json={"message": "another reason"})
        assert again.json()["entity"]["hold"] == held["hold"]

    async def test_releasing_releases_each_held_run_once(
        self, api, database: Database, signals: RecordedSignals
    ):
        channel_id = (await only(api))["channelId"]
        await api.post(f"{CHANNELS}/{channel_id}/hold")
        async with database.transaction() as connection:
            sendout_id = await add_sendout(connection)
            held = await add_entry(connection, sendout_id)
            for node in ("hello", "more"):
                await add_message(connection, held, "held", held_for="channel", node=node)
            paused = await add_entry(connection, sendout_id)
            await add_message(connection, paused, "held", held_for="sendout")
            sent = await add_entry(connection, sendout_id)
            await add_message(connection, sent, accepted_at=NOW)

        for _ in range(2):
            answer = await api.post(f"{CHANNELS}/{channel_id}/release")
            assert answer.json()["entity"]["state"] == "active"
            assert answer.json()["entity"]["hold"] is None

        async with database.transaction() as connection:
            c = run_signals.c
            released = (await connection.execute(select(c.entry_id, c.name, c.body))).all()
        assert released == [(held, "released", {})]
        assert signals.times == 1
