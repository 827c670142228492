"""What WhatsApp's webhook reports of numbers, accounts and templates, and what that holds."""

import json
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from storage.session import Database
from storage.tables import channels
from tests.api.sent import add_entry, add_message, add_sendout
from tests.record import BUSINESS, WABA, add_channel
from whatsapp.signature import HEADER, sign

V1 = f"/v1/businesses/{BUSINESS}"


@pytest.fixture
async def number_id(api: httpx.AsyncClient, database: Database) -> str:
    """The default channel's phone number id."""
    async with database.transaction() as connection:
        query = select(channels.c.phone_number_id).where(channels.c.is_default)
        return str(await connection.scalar(query))


async def tell(
    api: httpx.AsyncClient, field: str, value: dict[str, Any], *, at: float | None = None
) -> None:
    """An event of the account, signed with the secret of its channels."""
    change = {"field": field, "value": value}
    entry = {"id": WABA, "time": int(at or time.time()), "changes": [change]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    headers = {HEADER: sign("secret", body)}
    answer = await api.post("/v1/providers/whatsapp/webhook", content=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def holds(api: httpx.AsyncClient) -> dict[str, Any]:
    """The code that holds each channel, None for one that is not held."""
    listed = (await api.get(f"{V1}/channels")).json()["data"]
    return {c["phoneNumber"]: c["hold"] and c["hold"]["code"] for c in listed}


async def failed(api: httpx.AsyncClient, number_id: str, code: int, **more: Any) -> None:
    error = {"code": code, "title": "Payment issue"}
    told = {"id": "wamid.1", "status": "failed", "timestamp": str(int(time.time()))}
    value = {
        "metadata": {"phone_number_id": number_id},
        "statuses": [{**told, "errors": [error]} | more],
    }
    await tell(api, "messages", value)


@pytest.fixture
async def sent(api: httpx.AsyncClient, database: Database) -> None:
    async with database.transaction() as connection:
        entry_id = await add_entry(connection, await add_sendout(connection))
        await add_message(connection, entry_id, "sent", wamid="wamid.1")


class TestAFailedMessage:
    @pytest.mark.parametrize(("code", "held"), [(131042, 131042), (131026, None), (131053, None)])
    async def test_holds_its_channel_if_the_account_is_the_trouble(
        self, api, number_id, sent, code, held
    ):
        await failed(api, number_id, code)
        assert await holds(api) == {"+15550001111": held}

    async def test_holds_it_once(self, api, number_id, sent):
        await failed(api, number_id, 131042)
        (channel,) = (await api.get(f"{V1}/channels")).json()["data"]
        released = await api.post(f"{V1}/channels/{channel['channelId']}/release")
        assert released.json()["entity"]["state"] == "active"
        await failed(api, number_id, 131042)
        assert await holds(api) == {"+15550001111": None}

    async def test_from_before_a_release_holds_it_no_more(self, api, number_id, sent, database):
        async with database.transaction() as connection:
            await connection.execute(text("UPDATE channels SET released_at = now()"))
        await failed(api, number_id, 131042, timestamp=str(int(time.time()) - 60))
        assert await holds(api) == {"+15550001111": None}


class TestAnErrorWithoutAMessage:
    async def test_holds_the_number_it_names(self, api, number_id, database):
        async with database.transaction() as connection:
            await add_channel(connection, BUSINESS, "+15550002222")
        value = {"metadata": {"phone_number_id": number_id}, "errors": [{"code": 131031}]}
        await tell(api, "messages", value)
        assert await holds(api) == {"+15550001111": 131031, "+15550002222": None}

    async def test_holds_the_account_if_it_names_no_number(self, api, database):
        async with database.transaction() as connection:
            await add_channel(connection, BUSINESS, "+15550002222")
        await tell(api, "account_alerts", {"errors": [{"code": 131042, "title": "Payment"}]})
        assert await holds(api) == {"+15550001111": 131042, "+15550002222": 131042}

    @pytest.mark.parametrize("errors", [[{"code": 131000}], [{"code": "131042"}], [7], "131042"])
    async def test_of_another_kind_holds_nothing(self, api, number_id, errors):
        await tell(api, "messages", {"metadata": {"phone_number_id": number_id}, "errors": errors})
        assert await holds(api) == {"+15550001111": None}


class TestAnAccountUpdate:
    @pytest.mark.parametrize(
        "value",
        [
            {"event": "ACCOUNT_DELETED"},
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
            {
                "event": "ACCOUNT_RESTRICTION",
                "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"}],
            },
        ],
    )
    async def test_that_ends_sending_holds_the_account(self, api, value):
        await tell(api, "account_update", value)
        assert await holds(api) == {"+15550001111": 131031}

    @pytest.mark.parametrize(
        "value",
        [
            {"event": "VERIFIED_ACCOUNT"},
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}},
            {
                "event": "ACCOUNT_RESTRICTION",
                "restriction_info": [{"restriction_type": "OTHER"}, 7],
            },
            {"event": ["novel"], "ban_info": "novel"},
        ],
    )
    async def test_of_another_kind_holds_nothing(self, api, value):
        await tell(api, "account_update", value)
        assert await holds(api) == {"+15550001111": None}


class TestATemplatesStatus:
    async def test_holds_and_releases_it(self, api, number_id):
        template = {"message_template_name": "greeting", "message_template_language": "pt-BR"}
        info = {"other_info": {"title": "FIRST_PAUSE", "description": "Many people blocked it."}}
        paused = {"event": "PAUSED", **template, **info}
        await tell(api, "message_template_status_update", paused)
        (held,) = (await api.get(f"{V1}/templates/held")).json()["data"]
        assert (held["name"], held["language"]) == ("greeting", "pt_BR")
        assert (held["code"], held["by"]) == (132015, "whatsapp")
        assert held["message"] == "PAUSED: Many people blocked it."

        approved = {"event": "APPROVED", "reason": "NONE", **template}
        await tell(api, "message_template_status_update", approved, at=time.time() - 3600)
        assert len((await api.get(f"{V1}/templates/held")).json()["data"]) == 1
        await tell(api, "message_template_status_update", approved)
        assert (await api.get(f"{V1}/templates/held")).json()["data"] == []

    @pytest.mark.parametrize(
        "value",
        [
            {"event": "PAUSED"},
            {"event": "PAUSED", "message_template_name": 7, "message_template_language": "en"},
            {"event": 7, "message_template_name": "x", "message_template_language": "en"},
        ],
    )
    async def test_that_names_nothing_is_passed_over(self, api, number_id, value):
        await tell(api, "message_template_status_update", value)
        assert (await api.get(f"{V1}/templates/held")).json()["data"] == []
