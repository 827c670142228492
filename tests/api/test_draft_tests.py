"""Trying a draft on one number (api.md section 3)."""

import json
from uuid import UUID

import pytest
from sqlalchemy import Text, cast, select, update

from storage.session import Database
from storage.tables import (
    campaign_versions,
    campaigns,
    channels,
    claims,
    entries,
    flows,
    sendouts,
)
from tests.api.sent import FLOW
from tests.record import BUSINESS, SENDER, add_channel, greeting
from tests.temporal_stand_ins import RecordedPokes

V1 = f"/v1/businesses/{BUSINESS}"


@pytest.fixture
async def campaign_id(api) -> str:
    answer = await api.post(f"{V1}/campaigns", json={"name": "spring", "flow": FLOW})
    campaign_id: str = answer.json()["entity"]["campaignId"]
    return campaign_id


async def try_it(api, campaign_id: str, **body):
    body = {"client": "+1 604 555 2331"} | body
    return await api.post(f"{V1}/campaigns/{campaign_id}/test", json=body)


async def test_it_queues_one_entry_of_a_sendout_of_its_own(
    api, campaign_id, database: Database, pokes: RecordedPokes
):
    answer = await try_it(api, campaign_id, variables={"name": "Ana"})

    assert answer.status_code == 201
    test = answer.json()["entity"]
    async with database.transaction() as connection:
        entry = (await connection.execute(select(entries))).one()
        sendout = (await connection.execute(select(sendouts))).one()
        assert (await connection.execute(select(claims))).all() == []
        kind = await connection.scalar(select(campaign_versions.c.kind))
    assert (entry.entry_id, entry.client) == (UUID(test["entryId"]), "+16045552331")
    assert (entry.state, entry.variables) == ("queued", {"name": "Ana"})
    assert (sendout.source, sendout.is_current, kind) == ("test", False, "test")
    assert pokes.sendouts == [sendout.sendout_id] == [UUID(test["sendoutId"])]


async def test_it_is_in_no_list_but_can_be_read(api, campaign_id):
    sendout_id = (await try_it(api, campaign_id)).json()["entity"]["sendoutId"]

    assert (await api.get(f"{V1}/sendouts")).json()["data"] == []
    versions = await api.get(f"{V1}/campaigns/{campaign_id}/versions")
    assert versions.json()["data"] == []
    read = (await api.get(f"{V1}/sendouts/{sendout_id}")).json()["entity"]
    assert (read["source"], read["entries"]["queued"]) == ("test", 1)


async def test_it_does_not_become_the_newest_version(api, campaign_id):
    await api.post(f"{V1}/campaigns/{campaign_id}/publish", json={"campaignVersion": "v1"})
    await try_it(api, campaign_id)

    read = await api.get(f"{V1}/campaigns/{campaign_id}")
    assert read.json()["entity"]["campaignVersion"] == "v1"


async def test_a_tested_draft_is_no_longer_warned_of_until_it_changes(api, campaign_id):
    async def codes() -> set[str]:
        draft = (await api.get(f"{V1}/campaigns/{campaign_id}")).json()["entity"]["draft"]
        return {issue["code"] for issue in draft["issues"]}

    assert "NOT_TESTED" in await codes()
    await try_it(api, campaign_id, maxDelay="PT5S")
    assert "NOT_TESTED" not in await codes()
    moved = FLOW | {"layout": {"hello": {"x": 1, "y": 2}}}
    await api.put(f"{V1}/campaigns/{campaign_id}/draft", json={"flow": moved})
    assert "NOT_TESTED" not in await codes()
    await api.put(f"{V1}/campaigns/{campaign_id}/draft", json={"flow": greeting()})
    assert "NOT_TESTED" in await codes()


@pytest.mark.parametrize(
    ("max_delay", "duration"),
    [("PT5S", "PT5S"), (5, "PT5S"), (0.5, "PT0.5S"), ("P1D", "PT20H"), (None, "PT20H")],
)
async def test_delays_are_cut_to_max_delay(
    api, campaign_id, database: Database, max_delay, duration
):
    await try_it(api, campaign_id, maxDelay=max_delay)

    async with database.transaction() as connection:
        document = await connection.scalar(
            select(flows.c.document).join(sendouts, sendouts.c.flow_hash == flows.c.flow_hash)
        )
        draft = await connection.scalar(select(cast(campaigns.c.draft, Text)))
    assert json.loads(document or "")["nodes"]["wait"]["duration"] == duration
    assert json.loads(draft or "") == FLOW


@pytest.mark.parametrize("max_delay", ["soon", "PT0S", 0, -1, True])
async def test_an_unreadable_max_delay_is_refused(api, campaign_id, max_delay):
    answer = await try_it(api, campaign_id, maxDelay=max_delay)

    assert answer.status_code == 400
    assert "maxDelay" in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"client": None}, "CAMPAIGN_ENTRY_INVALID"),
        ({"client": "anna"}, "CAMPAIGN_ENTRY_CLIENT_INVALID"),
        ({"client": SENDER}, "MESSAGE_SELF_INVALID"),
        ({"sender": "+15559999999"}, "INVALID_SENDER_ID"),
        ({"sender": "nobody"}, "INVALID_SENDER_ID"),
        ({"variables": {"name": {"first": "Ana"}}}, "CAMPAIGN_ENTRY_INVALID"),
        ({"variables": []}, "BAD_REQUEST"),
    ],
)
async def test_what_no_entry_could_be_is_refused(api, campaign_id, body, code):
    answer = await try_it(api, campaign_id, **body)

    assert answer.status_code == 400
    assert answer.json()["code"] == f"ERROR_CODE_{code}"


async def test_a_required_variable_must_be_given(api):
    flow = greeting({"name": {"required": True}}, body="{{name}}")
    campaign = await api.post(f"{V1}/campaigns", json={"name": "named", "flow": flow})

    answer = await try_it(api, campaign.json()["entity"]["campaignId"], variables={"name": " "})

    assert answer.json()["code"] == "ERROR_CODE_CAMPAIGN_ENTRY_INVALID"
    assert "variables.name" in answer.json()["message"]


async def test_a_start_message_that_whatsapp_would_refuse_is_refused_as_in_a_real_send(api):
    flow = greeting({"name": {"required": True}}, body="{{name}}")
    campaign = await api.post(f"{V1}/campaigns", json={"name": "named", "flow": flow})
    campaign_id = campaign.json()["entity"]["campaignId"]
    variables = {"name": "x" * 40_000}

    tried = await try_it(api, campaign_id, variables=variables)
    await api.post(f"{V1}/campaigns/{campaign_id}/publish", json={})
    entry = {"client": "+16045552331", "campaignName": "named", "variables": variables}
    body = {"entries": [entry], "options": {"includeEntries": "all"}}
    sent = await api.post(f"{V1}/send/campaigns", json=body)

    [row] = sent.json()["data"]
    assert (tried.status_code, tried.json()["code"]) == (400, row["error"]["code"])
    assert tried.json()["message"] == f"{row['entries'][0]['reason']}."
    assert "32,768 characters" in tried.json()["message"]


async def test_numbers_are_kept_as_they_were_written(api, campaign_id, database: Database):
    body = '{"client": "16045552331", "variables": {"name": 19.90}}'
    await api.post(f"{V1}/campaigns/{campaign_id}/test", content=body)

    async with database.transaction() as connection:
        kept = await connection.scalar(select(cast(entries.c.variables, Text)))
    assert "19.90" in (kept or "")


async def test_a_draft_with_errors_is_not_tried(api):
    flow = greeting() | {"start": "nowhere"}
    campaign = await api.post(f"{V1}/campaigns", json={"name": "broken", "flow": flow})

    answer = await try_it(api, campaign.json()["entity"]["campaignId"])

    assert (answer.status_code, answer.json()["code"]) == (409, "ERROR_CODE_CAMPAIGN_NOT_FINAL")


async def test_the_sender_chooses_the_channel(api, campaign_id, database: Database):
    async with database.transaction() as connection:
        channel_id = await add_channel(connection, BUSINESS, "+15550002222")

    await try_it(api, campaign_id, sender="+1 555 000 2222")

    async with database.transaction() as connection:
        assert await connection.scalar(select(entries.c.channel_id)) == channel_id


async def test_without_a_default_channel_a_sender_is_needed(api, campaign_id, database: Database):
    async with database.transaction() as connection:
        await connection.execute(update(channels).values(is_default=False))

    answer = await try_it(api, campaign_id)

    assert answer.status_code == 409
    assert answer.json()["code"] == "ERROR_CODE_BUSINESS_MISSES_MATCHING_CHANNEL"
