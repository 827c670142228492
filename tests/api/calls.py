"""What tests ask the API for again and again."""

from typing import Any
from uuid import UUID

import httpx

from tests.record import BUSINESS, greeting

CAMPAIGNS = f"/v1/businesses/{BUSINESS}/campaigns"


async def create(api: httpx.AsyncClient, name: str, flow: Any = None) -> dict[str, Any]:
    answer = await api.post(CAMPAIGNS, json={"name": name, "flow": flow})
    assert answer.status_code == 201, answer.text
    entity: dict[str, Any] = answer.json()["entity"]
    return entity


async def publish(api: httpx.AsyncClient, campaign_id: str, **body: Any) -> dict[str, Any]:
    answer = await api.post(f"{CAMPAIGNS}/{campaign_id}/publish", json=body)
    assert answer.status_code == 200, answer.text
    published: dict[str, Any] = answer.json()
    return published


async def published(api: httpx.AsyncClient, name: str = "spring") -> str:
    campaign = await create(api, name, greeting())
    await publish(api, campaign["campaignId"])
    return str(campaign["campaignId"])


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"].removeprefix("ERROR_CODE_")


async def read(api, sendout_id: UUID, entry_id: UUID) -> dict[str, Any]:
    """The entry with its timeline."""
    answer = await api.get(f"/v1/businesses/{BUSINESS}/sendouts/{sendout_id}/entries/{entry_id}")
    assert answer.status_code == 200, answer.text
    entity: dict[str, Any] = answer.json()["entity"]
    return entity


def told(entry: dict[str, Any], *types: str) -> list[dict[str, Any]]:
    """The steps of those types (all, without any) of an entry's timeline."""
    return [step for step in entry["timeline"] if not types or step["type"] in types]
