"""Campaigns: names and drafts (api.md section 3)."""

import json
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from storage.keys import add_key
from storage.session import Database
from storage.tables import campaign_names
from tests.api.calls import CAMPAIGNS, code_of, create, published
from tests.conftest import client_of
from tests.record import BUSINESS, add_business, greeting


class TestCreating:
    async def test_a_campaign_begins_as_a_draft_without_a_flow(self, api):
        campaign = await create(api, "spring")

        assert campaign["state"] == "draft"
        assert campaign["campaignVersion"] is None
        assert campaign["draft"] == {"flow": None, "revision": 0, "issues": []}
        read = await api.get(f"{CAMPAIGNS}/{campaign['campaignId']}")
        assert read.json() == {"entity": campaign}

    async def test_a_flow_given_at_once_is_the_first_draft(self, api):
        draft = (await create(api, "spring", greeting()))["draft"]

        assert (draft["flow"], draft["revision"]) == (greeting(), 1)
        assert [issue["code"] for issue in draft["issues"]] == ["NOT_TESTED"]

    async def test_a_name_that_is_taken_is_refused_and_nothing_is_made(self, api):
        await create(api, "spring")

        answer = await api.post(CAMPAIGNS, json={"name": "spring"})

        assert code_of(answer) == (409, "CAMPAIGN_CONFIG_NAME_CONFLICT")
        assert len((await api.get(CAMPAIGNS)).json()["data"]) == 1

    async def test_names_compare_after_nfc_and_by_case(self, api):
        await create(api, "Verão")

        assert code_of(await api.post(CAMPAIGNS, json={"name": "Vera\u0303o"}))[0] == 409
        assert (await api.post(CAMPAIGNS, json={"name": "verão"})).status_code == 201

    @pytest.mark.parametrize("name", ["", "  ", None, "a\nb", "a\u0000b", "n" * 257, "\ud800"])
    async def test_an_unusable_name_is_refused(self, api, name):
        answer = await api.post(CAMPAIGNS, content=json.dumps({"name": name}))

        assert code_of(answer) == (400, "INVALID_CAMPAIGN_CONFIG_NAME")

    async def test_a_name_of_256_characters_is_good(self, api):
        assert (await create(api, "n" * 256))["campaignName"] == "n" * 256

    async def test_a_flow_of_the_wrong_shape_is_refused_with_its_issues(self, api):
        flow = greeting() | {"strat": "hello"}

        answer = await api.post(CAMPAIGNS, json={"name": "spring", "flow": flow})

        assert code_of(answer) == (400, "BAD_REQUEST")
        assert answer.json()["details"]["issues"][0]["path"] == "strat"

    async def test_a_flow_of_a_newer_format_is_told_apart(self, api):
        answer = await api.post(CAMPAIGNS, json={"name": "s", "flow": greeting() | {"format": 2}})

        assert code_of(answer) == (400, "CAMPAIGN_VERSION_UNSUPPORTED")

    async def test_a_key_without_the_scope_may_not(self, api, database: Database):
        async with database.transaction() as connection:
            await add_key(
                connection, BUSINESS, name="r", scopes=frozenset({"read"}), secret="reader"
            )
        reader = {"X-API-Key": "reader"}

        assert (await api.get(CAMPAIGNS, headers=reader)).status_code == 200
        assert (await api.post(CAMPAIGNS, json={"name": "x"}, headers=reader)).status_code == 403


class TestListing:
    async def test_pages_are_newest_first_and_leave_nothing_out(self, api):
        names = [f"campaign {n}" for n in range(7)]
        for name in names:
            await create(api, name)

        seen: list[str] = []
        cursor: str | None = None
        while True:
            params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
            page = (await api.get(CAMPAIGNS, params=params)).json()
            seen += [campaign["campaignName"] for campaign in page["data"]]
            cursor = page["nextCursor"]
            if cursor is None:
                break

        assert seen == names[::-1]

    @pytest.mark.parametrize("cursor", ["nonsense", "W10", "WyJ4IiwieSJd"])
    async def test_a_cursor_of_the_callers_own_making_is_refused(self, api, cursor):
        answer = await api.get(CAMPAIGNS, params={"cursor": cursor})

        assert code_of(answer) == (400, "BAD_REQUEST")


class TestReading:
    async def test_an_unknown_campaign_is_not_found(self, api):
        for method in ("GET", "PATCH", "DELETE"):
            body = {"name": "x"} if method == "PATCH" else None
            answer = await api.request(method, f"{CAMPAIGNS}/{uuid4()}", json=body)
            assert code_of(answer) == (404, "CAMPAIGN_NOT_FOUND")


class TestRenaming:
    async def test_a_draft_gives_its_old_name_free(self, api):
        campaign = await create(api, "spring")

        answer = await api.patch(f"{CAMPAIGNS}/{campaign['campaignId']}", json={"name": "summer"})

        assert answer.json()["entity"]["campaignName"] == "summer"
        await create(api, "spring")

    async def test_a_name_it_was_published_under_stays_its_own(self, api, database: Database):
        campaign_id = await published(api, "spring")
        await api.patch(f"{CAMPAIGNS}/{campaign_id}", json={"name": "summer"})
        await api.patch(f"{CAMPAIGNS}/{campaign_id}", json={"name": "autumn"})

        for name in ("spring", "summer", "autumn"):
            answer = await api.post(CAMPAIGNS, json={"name": name})
            assert code_of(answer) == (409, "CAMPAIGN_CONFIG_NAME_CONFLICT")
        async with database.transaction() as connection:
            leads = await connection.execute(
                select(campaign_names.c.name, campaign_names.c.campaign_id)
            )
            assert set(leads.all()) == {
                (name, UUID(campaign_id)) for name in ("spring", "summer", "autumn")
            }

    async def test_a_name_it_got_in_the_archive_stays_its_own_too(self, api):
        campaign_id = await published(api, "spring")
        await api.delete(f"{CAMPAIGNS}/{campaign_id}")
        await api.patch(f"{CAMPAIGNS}/{campaign_id}", json={"name": "summer"})
        await api.post(f"{CAMPAIGNS}/{campaign_id}/restore")
        await api.patch(f"{CAMPAIGNS}/{campaign_id}", json={"name": "autumn"})

        assert (await api.post(CAMPAIGNS, json={"name": "summer"})).status_code == 409

    async def test_it_may_go_back_to_a_name_of_its_own(self, api):
        campaign_id = await published(api, "spring")
        await api.patch(f"{CAMPAIGNS}/{campaign_id}", json={"name": "summer"})

        answer = await api.patch(f"{CAMPAIGNS}/{campaign_id}", json={"name": "spring"})

        assert answer.json()["entity"]["campaignName"] == "spring"

    async def test_another_campaigns_name_is_refused(self, api):
        await create(api, "spring")
        other = await create(api, "summer")

        answer = await api.patch(f"{CAMPAIGNS}/{other['campaignId']}", json={"name": "spring"})

        assert code_of(answer) == (409, "CAMPAIGN_CONFIG_NAME_CONFLICT")


class TestArchiving:
    async def test_restoring_brings_the_former_state_back(self, api):
        draft = (await create(api, "a"))["campaignId"]
        live = await published(api, "b")
        stopped = await published(api, "c")
        await api.post(f"{CAMPAIGNS}/{stopped}/unpublish")

        for campaign_id, state in ((draft, "draft"), (live, "published"), (stopped, "unpublished")):
            for _ in range(2):
                answer = await api.delete(f"{CAMPAIGNS}/{campaign_id}")
                assert answer.json()["entity"]["state"] == "archived"
            for _ in range(2):
                answer = await api.post(f"{CAMPAIGNS}/{campaign_id}/restore")
                assert answer.json()["entity"]["state"] == state

    async def test_an_archived_campaign_keeps_its_name_and_is_not_published(self, api):
        campaign = await create(api, "spring", greeting())
        await api.delete(f"{CAMPAIGNS}/{campaign['campaignId']}")

        assert code_of(await api.post(CAMPAIGNS, json={"name": "spring"}))[0] == 409
        answer = await api.post(f"{CAMPAIGNS}/{campaign['campaignId']}/publish")
        assert code_of(answer) == (409, "CAMPAIGN_UNSUPPORTED")

    async def test_unpublished_while_archived_it_comes_back_unpublished(self, api):
        campaign_id = await published(api)
        await api.delete(f"{CAMPAIGNS}/{campaign_id}")

        answer = await api.post(f"{CAMPAIGNS}/{campaign_id}/unpublish")

        assert answer.json()["entity"]["state"] == "archived"
        answer = await api.post(f"{CAMPAIGNS}/{campaign_id}/restore")
        assert answer.json()["entity"]["state"] == "unpublished"


class TestDraft:
    async def test_saving_takes_a_flow_with_errors_and_tells_them(self, api):
        campaign = await create(api, "spring")
        flow = greeting() | {"start": "nowhere"}

        answer = await api.put(f"{CAMPAIGNS}/{campaign['campaignId']}/draft", json={"flow": flow})

        assert answer.status_code == 200
        saved = answer.json()["entity"]
        assert (saved["flow"], saved["revision"]) == (flow, 1)
        assert any(issue["severity"] == "error" for issue in saved["issues"])

    async def test_two_editors_cannot_overwrite_each_other(self, api):
        campaign = await create(api, "spring", greeting())
        draft = f"{CAMPAIGNS}/{campaign['campaignId']}/draft"
        mine = await api.put(draft, json={"flow": greeting(body="mine"), "revision": 1})
        theirs = await api.put(draft, json={"flow": greeting(body="theirs"), "revision": 1})

        assert mine.json()["entity"]["revision"] == 2
        assert code_of(theirs) == (409, "CONFLICT")
        assert theirs.json()["details"] == {"revision": 2}
        read = await api.get(f"{CAMPAIGNS}/{campaign['campaignId']}")
        assert read.json()["entity"]["draft"]["flow"] == greeting(body="mine")

    async def test_without_a_revision_whatever_is_stored_is_replaced(self, api):
        campaign = await create(api, "spring", greeting())
        draft = f"{CAMPAIGNS}/{campaign['campaignId']}/draft"

        answer = await api.put(draft, json={"flow": greeting(body="new"), "revision": None})

        assert answer.json()["entity"]["revision"] == 2

    @pytest.mark.parametrize("flow", [None, [], "x", {"format": 1}])
    async def test_what_is_no_flow_is_refused(self, api, flow):
        campaign = await create(api, "spring")

        answer = await api.put(f"{CAMPAIGNS}/{campaign['campaignId']}/draft", json={"flow": flow})

        assert code_of(answer) == (400, "BAD_REQUEST")


class TestOtherBusinesses:
    async def test_a_campaign_of_another_business_is_not_found(self, api, app, database: Database):
        campaign_id = await published(api)
        other = uuid4()
        async with database.transaction() as connection:
            await add_business(connection, other, key="other")

        async with client_of(app, "other") as client:
            answer = await client.get(f"/v1/businesses/{other}/campaigns/{campaign_id}")
            assert code_of(answer) == (404, "CAMPAIGN_NOT_FOUND")
            answer = await client.get(f"{CAMPAIGNS}/{campaign_id}")
            assert answer.status_code == 403
