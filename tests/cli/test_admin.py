"""An installation set up and looked after with the commands alone (api.md section 7)."""

from uuid import UUID, uuid4

import httpx
import pytest

from settings import Settings
from storage.channels import hold_channel
from storage.session import Database
from tests.cli.command import as_process, done, options, refused, sendout
from tests.conftest import serve
from tests.record import BUSINESS, greeting
from tests.temporal_stand_ins import (
    api_without_temporal,
)


async def test_an_installation_is_set_up_from_nothing(nowhere: str):
    business = str(BUSINESS)
    too_early = await as_process(nowhere, "business", "list")
    assert too_early == (
        1, "", "The database has not the tables of this release; run `sendout migrate` first."
    )  # fmt: skip
    await done(nowhere, "migrate")
    assert await done(nowhere, "business", "create", "Shop", "--id", business) == business
    channel_id = await done(
        nowhere, "channel", "add", "--business", business, *options(), "--default"
    )
    key = await done(nowhere, "key", "create", "--business", business, "till")
    secret = key.split()[0]

    async with Database(nowhere) as database:
        app = api_without_temporal(Settings(), database)
        headers = {"X-API-Key": secret}
        async with (
            serve(app) as url,
            httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as api,
        ):
            me = await api.get("/v1/me")
            v1 = f"/v1/businesses/{business}"
            new = await api.post(f"{v1}/campaigns", json={"name": "spring", "flow": greeting()})
            campaign = new.json()["entity"]["campaignId"]
            await api.post(f"{v1}/campaigns/{campaign}/publish", json={})
            sent = await api.post(
                f"{v1}/send/campaigns",
                json={"entries": [{"client": "+16045552331", "campaignName": "spring"}]},
            )
    assert me.json() == {
        "businessId": business,
        "name": "till",
        "scopes": ["admin", "operate", "read", "send"],
    }
    assert (sent.status_code, sent.json()["data"][0]["acceptedCount"]) == (200, 1)
    assert UUID(channel_id).version == 4

    assert (await as_process(nowhere, "key", "list")).out == await done(nowhere, "key", "list")
    businesses, channels, keys = [
        (await done(nowhere, what, "list")).splitlines() for what in ("business", "channel", "key")
    ]
    assert [len(listed) for listed in (businesses, channels, keys)] == [2, 2, 2]
    assert businesses[1].startswith(business)
    assert businesses[1].endswith("Shop")
    assert channels[1].split() == [
        channel_id, business, "+15550001111", "106540352242922", "yes", "active",
    ]  # fmt: skip
    key_id = keys[1].split()[0]
    assert f"key id {key_id};" in key
    assert secret not in keys[1]
    used_at, revoked_at = keys[1].split()[5], keys[1].split()[-2]
    assert (used_at[:2], revoked_at) == ("20", "-")
    assert await done(nowhere, "key", "revoke", key_id) == ""
    assert "in use" in await refused(nowhere, "key", "revoke", key_id)
    assert "-" not in (await done(nowhere, "key", "list")).splitlines()[1].split()


async def test_what_cannot_be_is_one_clear_line(shop: str):
    business, other = str(BUSINESS), str(uuid4())
    add = ("channel", "add", "--business")
    assert await refused(shop, "business", "create", "Shop", "--id", business) == (
        f"There is a business {business} already."
    )
    assert await refused(shop, "business", "create", " ") == (
        "The name must be one line and not blank."
    )
    for words in ((*add, other, *options()), ("key", "create", "--business", other, "till")):
        assert await refused(shop, *words) == (
            f"There is no business {other}; `sendout business list` shows all."
        )
    bad = await refused(shop, *add, business, *options(phone_number="call me"))
    assert bad.startswith("Please check `phoneNumber`: write a phone number")
    bad = await refused(shop, *add, business, *options(access_token="two words"))
    assert bad.startswith("Please check `accessToken`")
    assert "two words" not in bad
    await done(shop, *add, business, *options())
    assert await refused(shop, *add, business, *options(phone_number_id="7")) == (
        "+15550001111 is a channel of this business already."
    )
    assert await refused(shop, *add, business, *options(phone_number="+15550002222")) == (
        "The phone number id 106540352242922 is another channel's already."
    )
    assert await refused(
        shop, "key", "create", "--business", business, "x", "--scopes", "send,all"
    ) == ("--scopes takes send, read, operate, admin, not all.")
    assert "not nothing" in await refused(
        shop, "key", "create", "--business", business, "x", "--scopes", ","
    )


async def test_a_database_that_is_away_is_one_clear_line():
    away = "postgresql+asyncpg://127.0.0.1:1/none"
    for url, said in ((away, "cannot be reached"), ("", "SENDOUT_DATABASE_URL names no")):
        for words in (("business", "list"), ("migrate",), ("explain", "--client", "+16045552331")):
            assert said in await refused(url, *words)
    assert await refused(away, "key", "list", api_port="none") == (
        "SENDOUT_API_PORT is unusable: Input should be a valid integer, unable to parse string as "
        "an integer."
    )


async def test_a_business_has_several_keys(shop: str):
    create = ("key", "create", "--business", str(BUSINESS))
    await done(shop, *create, "reports", "--scopes", "read")
    await done(shop, *create, "till", "--scopes", "read, send")
    listed = (await done(shop, "key", "list", "--business", str(BUSINESS))).splitlines()[1:]
    assert [line.split()[-1] for line in listed] == ["test", "reports", "till"]
    assert [line.split()[2] for line in listed] == ["admin,operate,read,send", "read", "read,send"]


async def test_a_channel_is_checked_at_whatsapp(shop: str, simulator: str, database: Database):
    add = ("channel", "add", "--business", str(BUSINESS))
    channel_id = await done(shop, *add, *options())

    said = await done(shop, "channel", "check", channel_id, graph_url=simulator)
    assert said == ("+15550001111 can send (verified name 'Simulated business', quality GREEN).")

    async with database.transaction() as connection:
        await hold_channel(connection, UUID(channel_id), by="Ana", message="Wrong prices")
    answer = await sendout(shop, "channel", "check", channel_id, graph_url=simulator)
    assert answer.code == 1
    assert "But the channel is held here, by Ana since 20" in answer.out
    assert answer.out.endswith(": Wrong prices; release it to send.")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"access_token": "stale"}, "cannot send. WhatsApp refuses: The access token is invalid"),
        ({"phone_number_id": "7"}, "cannot send. WhatsApp refuses: The business number does not"),
        ({"phone_number": "+15550009999"}, "WhatsApp's number of 106540352242922 is +15550001111."),
    ],
)
async def test_a_channel_that_cannot_send_says_why(
    shop: str, simulator: str, changes: dict[str, str], said: str
):
    add = ("channel", "add", "--business", str(BUSINESS))
    channel_id = await done(shop, *add, *options(**changes))
    answer = await sendout(shop, "channel", "check", channel_id, graph_url=simulator)
    assert answer.code == 1
    assert said in answer.out
    assert "stale" not in answer.out


async def test_whatsapp_away_and_unknown_channels_are_said(shop: str):
    channel_id = await done(shop, "channel", "add", "--business", str(BUSINESS), *options())
    answer = await sendout(shop, "channel", "check", channel_id, graph_url="http://127.0.0.1:1")
    assert (answer.code, answer.out) == (
        1,
        "+15550001111 cannot send. http://127.0.0.1:1 gives no usable answer: ConnectError.",
    )
    unknown = str(uuid4())
    assert await refused(shop, "channel", "check", unknown) == (
        f"There is no channel {unknown}; `sendout channel list` shows all."
    )


async def test_a_business_has_a_time_zone(shop: str):
    made = await done(shop, "business", "create", "Rio", "--timezone", "America/Sao_Paulo")
    assert _zones(await done(shop, "business", "list"))[made] == "America/Sao_Paulo"
    await done(shop, "business", "timezone", made, "America/Manaus")
    assert _zones(await done(shop, "business", "list")) == {
        made: "America/Manaus",
        str(BUSINESS): "UTC",
    }


async def test_what_is_no_time_zone_is_refused(shop: str):
    said = "'Rio' is not an IANA time zone, such as America/Sao_Paulo or UTC."
    assert await refused(shop, "business", "create", "Rio", "--timezone", "Rio") == said
    assert await refused(shop, "business", "timezone", str(BUSINESS), "Rio") == said
    assert list(_zones(await done(shop, "business", "list"))) == [str(BUSINESS)]
    unknown = str(uuid4())
    assert await refused(shop, "business", "timezone", unknown, "UTC") == (
        f"There is no business {unknown}; `sendout business list` shows all."
    )


def _zones(listed: str) -> dict[str, str]:
    """The zone of each business in a list."""
    _, *lines = listed.splitlines()
    return {words[0]: words[3] for words in (line.split() for line in lines)}
