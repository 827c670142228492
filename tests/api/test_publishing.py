"""Publishing, versions, stopping (api.md section 3)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from domain.flow import Flow
from domain.templates import TemplateRegistry
from settings import Settings
from storage.session import Database
from storage.tables import entries, sendouts
from tests.api.calls import CAMPAIGNS, code_of, create, publish, published
from tests.record import greeting
from tests.temporal_stand_ins import (
    RecordedClosing,
    api_without_temporal,
)


class TestPublishing:
    async def test_a_version_without_a_label_is_a_ulid_as_a_uuid(self, api):
        campaign = await create(api, "spring", greeting())

        answer = await publish(api, campaign["campaignId"])

        version = UUID(answer.pop("campaignVersion"))
        assert answer == {
            "campaignId": campaign["campaignId"],
            "campaignName": "spring",
            "issues": [issue for issue in answer["issues"] if issue["severity"] == "warning"],
        }
        read = (await api.get(f"{CAMPAIGNS}/{campaign['campaignId']}")).json()["entity"]
        assert (read["state"], read["campaignVersion"]) == ("published", str(version))

    async def test_a_label_names_the_version_once(self, api):
        campaign_id = (await create(api, "spring", greeting()))["campaignId"]

        assert (await publish(api, campaign_id, campaign_version="v1"))["campaignVersion"] == "v1"
        answer = await api.post(
            f"{CAMPAIGNS}/{campaign_id}/publish", json={"campaignVersion": "v1"}
        )
        assert code_of(answer) == (409, "CAMPAIGN_VERSION_FINAL")

    async def test_a_flow_with_errors_is_not_published(self, api):
        campaign = await create(api, "spring", greeting() | {"start": "nowhere"})

        answer = await api.post(f"{CAMPAIGNS}/{campaign['campaignId']}/publish")

        assert code_of(answer) == (409, "CAMPAIGN_NOT_FINAL")
        assert "start" in {issue["path"] for issue in answer.json()["details"]["issues"]}

    async def test_a_campaign_without_a_flow_is_not_published(self, api):
        campaign = await create(api, "spring")

        answer = await api.post(f"{CAMPAIGNS}/{campaign['campaignId']}/publish", content=b"")

        assert code_of(answer) == (409, "CAMPAIGN_NOT_FINAL")
        assert answer.json()["details"]["issues"][0]["code"] == "NO_FLOW"

    async def test_editing_later_does_not_change_what_was_published(self, api):
        campaign_id = (await create(api, "spring", greeting()))["campaignId"]
        await publish(api, campaign_id, campaignVersion="a/b ?")
        await api.put(f"{CAMPAIGNS}/{campaign_id}/draft", json={"flow": greeting(body="later")})

        answer = await api.get(f"{CAMPAIGNS}/{campaign_id}/versions/a%2Fb%20%3F")

        assert answer.json()["entity"]["flow"] == greeting()

    @pytest.mark.parametrize("version", ["v9", "%00", "%F0%9F%98%80"])
    async def test_an_unknown_version_is_not_found(self, api, version):
        campaign_id = await published(api)

        answer = await api.get(f"{CAMPAIGNS}/{campaign_id}/versions/{version}")

        assert code_of(answer) == (404, "CAMPAIGN_VERSION_NOT_FOUND")

    async def test_versions_are_listed_newest_first_with_their_sendouts(self, api):
        campaign_id = (await create(api, "spring", greeting()))["campaignId"]
        for label in ("v1", "v2"):
            await publish(api, campaign_id, campaignVersion=label)
        await api.post(f"{CAMPAIGNS}/{campaign_id}/test", json={"client": "+16045552331"})

        page = (await api.get(f"{CAMPAIGNS}/{campaign_id}/versions")).json()

        told = [(v["campaignVersion"], v["newest"], v["sendouts"]) for v in page["data"]]
        assert told == [("v2", True, []), ("v1", False, [])]


class Registry:
    """A channel without any template, that remembers for which flows templates were made."""

    def __init__(self) -> None:
        self.prepared: list[str] = []

    async def prepare(self, business_id: UUID, flow: Flow) -> None:
        self.prepared.append(flow.start)

    async def registry(
        self, business_id: UUID, *, older_than: float = 0.0, patience: float | None = None
    ) -> TemplateRegistry | None:
        return TemplateRegistry()

    async def refresh(self, business_id: UUID, *, older_than: float) -> bool:
        return True

    def refresh_soon(self, business_id: UUID, *, older_than: float) -> None:
        pass

    async def create(
        self, waba_id: str, access_token: str, definition: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        raise AssertionError("publishing makes templates by `prepare` alone")


class TestRepeating:
    async def test_the_same_key_gives_the_first_answer_again(self, api):
        key = {"Idempotency-Key": "k1"}
        first = [
            await api.post(CAMPAIGNS, json={"name": "spring", "flow": greeting()}, headers=key)
            for _ in range(2)
        ]
        assert [answer.status_code for answer in first] == [201, 201]
        assert first[0].json() == first[1].json()
        address = f"{CAMPAIGNS}/{first[0].json()['entity']['campaignId']}"

        versions = [
            (await api.post(f"{address}/publish", headers={"Idempotency-Key": "k2"})).json()
            for _ in range(2)
        ]
        assert versions[0] == versions[1]
        order = {"client": "+16045552331"}
        tests = [
            await api.post(f"{address}/test", json=order, headers={"Idempotency-Key": "k3"})
            for _ in range(2)
        ]
        assert tests[0].json() == tests[1].json()
        listed = (await api.get(f"{address}/versions")).json()["data"]
        assert [version["campaignVersion"] for version in listed] == [
            versions[0]["campaignVersion"]
        ]

    async def test_the_same_key_with_another_body_is_refused(self, api):
        key = {"Idempotency-Key": "k1"}
        await api.post(CAMPAIGNS, json={"name": "spring"}, headers=key)

        answer = await api.post(CAMPAIGNS, json={"name": "summer"}, headers=key)

        assert answer.status_code == 422

    async def test_a_refused_call_leaves_its_key_free(self, api):
        key = {"Idempotency-Key": "k1"}
        taken = await create(api, "spring")
        assert (await api.post(CAMPAIGNS, json={"name": "spring"}, headers=key)).status_code == 409
        await api.patch(f"{CAMPAIGNS}/{taken['campaignId']}", json={"name": "other"})

        answer = await api.post(CAMPAIGNS, json={"name": "spring"}, headers=key)

        assert answer.status_code == 201


class TestTemplates:
    @pytest.fixture
    def templates(self) -> Registry:
        return Registry()

    @pytest.fixture
    def app(self, settings: Settings, database: Database, templates: Registry) -> FastAPI:
        return api_without_temporal(settings, database, templates=templates)

    async def test_publishing_checks_against_the_channels_templates(self, api, templates):
        campaign = await create(api, "spring", greeting())

        answer = await api.post(f"{CAMPAIGNS}/{campaign['campaignId']}/publish")

        assert code_of(answer) == (409, "CAMPAIGN_NOT_FINAL")
        assert templates.prepared == ["hello"]

    async def test_no_templates_are_made_for_a_flow_that_is_refused_anyway(self, api, templates):
        campaign = await create(api, "spring", greeting() | {"start": "nowhere"})

        await api.post(f"{CAMPAIGNS}/{campaign['campaignId']}/publish")

        assert templates.prepared == []


class TestUnpublishing:
    async def test_it_stops_further_sends_until_published_again(self, api):
        campaign_id = await published(api)

        for _ in range(2):
            answer = await api.post(f"{CAMPAIGNS}/{campaign_id}/unpublish")
            assert answer.json()["entity"]["state"] == "unpublished"
        await publish(api, campaign_id)
        read = await api.get(f"{CAMPAIGNS}/{campaign_id}")
        assert read.json()["entity"]["state"] == "published"

    async def test_what_was_never_published_cannot_be_stopped(self, api):
        campaign = await create(api, "spring")

        answer = await api.post(f"{CAMPAIGNS}/{campaign['campaignId']}/unpublish")

        assert code_of(answer) == (409, "CAMPAIGN_NOT_FINAL")

    async def test_runs_in_flight_end_if_asked(
        self, api, database: Database, closing: RecordedClosing
    ):
        campaign_id = await published(api)
        test = await api.post(f"{CAMPAIGNS}/{campaign_id}/test", json={"client": "+16045552331"})

        await api.post(f"{CAMPAIGNS}/{campaign_id}/unpublish", json={"cancel": True})

        async with database.transaction() as connection:
            assert await connection.scalar(select(entries.c.state)) == "cancelled"
            assert await connection.scalar(select(sendouts.c.state)) == "cancelled"
        assert closing.sendouts == [UUID(test.json()["entity"]["sendoutId"])]
