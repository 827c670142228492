"""Trying a flow without sending anything (api.md section 3)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from storage.businesses import set_business_zone
from storage.session import Database
from storage.tables import campaigns, entries, messages
from tests.api.calls import CAMPAIGNS, code_of, create
from tests.api.sent import FLOW
from tests.record import BUSINESS, greeting
from tests.temporal_stand_ins import RecordedPokes


@pytest.fixture
async def campaign_id(api) -> str:
    return str((await create(api, "spring", FLOW))["campaignId"])


async def simulate(api, campaign_id: str, *steps: Any, **body: Any):
    body = {"steps": list(steps)} | body
    return await api.post(f"{CAMPAIGNS}/{campaign_id}/simulate", json=body)


async def entity(api, campaign_id: str, *steps: Any, **body: Any) -> dict[str, Any]:
    answer = await simulate(api, campaign_id, *steps, **body)
    assert answer.status_code == 200, answer.text
    simulated: dict[str, Any] = answer.json()["entity"]
    return simulated


async def test_it_tells_what_the_customer_gets_and_why(api, campaign_id):
    simulated = await entity(
        api,
        campaign_id,
        {"wait": "PT2H"},
        {"click": {"node": "hello", "button": "yes"}},
        variables={"name": "Ana"},
    )

    assert simulated["messages"] == [
        {
            "node": "hello",
            "visit": 1,
            "at": 0,
            "type": "template",
            "template": "greeting (en)",
            "text": "greeting Ana",
            "buttons": [{"id": "yes", "label": "Tell me more"}, {"id": "no", "label": "Not now"}],
        },
        {
            "node": "more",
            "visit": 1,
            "at": 7200,
            "type": "text",
            "template": None,
            "text": "More, Ana",
            "buttons": [],
        },
    ]
    assert [visit["node"] for visit in simulated["path"]] == ["hello", "wait", "more"]
    (decision,) = simulated["decisions"]
    assert (decision["node"], decision["at"], decision["verdict"]) == ("wait", 7200, "end")
    assert decision["inputs"]["clicked"] is True
    assert decision["reason"] == "a button of hello was tapped"
    assert simulated["waitingFor"] == [
        {"node": "hello", "visit": 1, "kind": "click", "until": None, "buttons": ["no"]}
    ]
    assert (simulated["outcome"], simulated["outputVariables"]) == ("completed", {})


async def test_it_stores_and_sends_nothing(
    api, campaign_id, database: Database, pokes: RecordedPokes
):
    await entity(api, campaign_id, {"wait": "P2D"})

    async with database.transaction() as connection:
        for table in (entries, messages):
            assert await connection.scalar(select(func.count()).select_from(table)) == 0
        assert await connection.scalar(select(campaigns.c.tested_flow_hash)) is None
    assert pokes.sendouts == []


async def test_a_flow_in_the_request_stands_for_the_draft(api, campaign_id):
    flow = greeting({"price": {"required": True}}, body="{{price}}")
    body = json.dumps({"flow": flow, "variables": {"price": 0}}).replace(
        '"price": 0', '"price":1.50'
    )
    answer = await api.post(f"{CAMPAIGNS}/{campaign_id}/simulate", content=body)

    (message,) = answer.json()["entity"]["messages"]
    assert message["text"] == "greeting 1.50", "numbers stay as they are written"


async def test_time_may_be_given_in_seconds_and_fields_in_either_spelling(api, campaign_id):
    simulated = await entity(api, campaign_id, {"wait": 72000.0}, entry_id="x")

    assert [(m["node"], m["at"]) for m in simulated["messages"]] == [("hello", 0), ("nudge", 72000)]


async def test_no_body_at_all_simulates_the_start_of_the_draft(api, campaign_id):
    answer = await api.post(f"{CAMPAIGNS}/{campaign_id}/simulate")

    waiting = answer.json()["entity"]["waitingFor"]
    assert [(w["kind"], w["until"]) for w in waiting] == [("delay", 72000), ("click", None)]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("PT2H", "one of `wait`, `click` and `reply`"),
        ({}, "one of `wait`, `click` and `reply`"),
        ({"wait": "PT2H", "reply": "x"}, "one of `wait`, `click` and `reply`"),
        ({"wait": "soon"}, "ISO 8601"),
        ({"wait": True}, "ISO 8601"),
        ({"wait": -5}, "ISO 8601"),
        ({"wait": "PT80000000H"}, "at most 1,000 days"),
        ({"reply": 5}, "`reply` must be a text"),
        ({"click": "hello"}, "must name a `node` and a `button`"),
        ({"click": {"node": "hello", "button": "yes", "visit": 0}}, "`click.visit`"),
        ({"click": {"node": "nudge", "button": "yes"}}, "sent was hello"),
        ({"click": {"node": "hello", "button": "maybe"}}, "it has yes, no"),
    ],
)
async def test_a_bad_step_is_named(api, campaign_id, step, said):
    answer = await simulate(api, campaign_id, {"wait": "PT1H"}, step)

    assert code_of(answer) == (400, "BAD_REQUEST")
    assert "`steps.1`" in answer.json()["message"]
    assert said in answer.json()["message"]
    assert answer.json()["details"] == {"step": 1}


async def test_there_are_at_most_1000_steps(api, campaign_id):
    await entity(api, campaign_id, *[{"reply": "hi"}] * 1000)

    assert (await simulate(api, campaign_id, *[{"reply": "hi"}] * 1001)).status_code == 400


async def test_all_missing_required_variables_are_named(api, campaign_id):
    flow = greeting({"a": {}, "b": {}, "c": {"default": 1}}, body="{{a}}{{b}}{{c}}")
    answer = await simulate(api, campaign_id, flow=flow, variables={"a": " "})

    assert code_of(answer) == (400, "CAMPAIGN_ENTRY_INVALID")
    assert answer.json()["details"] == {"missingVariables": ["a", "b"]}
    assert "`variables.a`, `variables.b`" in answer.json()["message"]


async def test_a_flow_of_the_wrong_shape_is_refused_with_its_issues(api, campaign_id):
    answer = await simulate(api, campaign_id, flow={"format": 1, "nodes": []})

    assert code_of(answer) == (400, "BAD_REQUEST")
    assert answer.json()["details"]["issues"]


async def test_a_flow_with_publish_errors_is_refused_as_publishing_does(api, campaign_id):
    answer = await simulate(api, campaign_id, flow=greeting() | {"start": "nowhere"})

    assert code_of(answer) == (409, "CAMPAIGN_NOT_FINAL")
    assert answer.json()["details"]["issues"]


async def test_a_campaign_without_a_flow_has_nothing_to_simulate(api):
    campaign = await create(api, "empty")

    answer = await simulate(api, campaign["campaignId"])
    assert code_of(answer) == (409, "CAMPAIGN_NOT_FINAL")
    assert answer.json()["details"]["issues"][0]["code"] == "NO_FLOW"


async def test_an_unknown_campaign_is_not_found(api):
    answer = await simulate(api, "11111111-2222-4333-8444-555555555555", flow=greeting())

    assert code_of(answer) == (404, "CAMPAIGN_NOT_FOUND")


# --- sending windows ---------------------------------------------------------------------------


def beginning(hours: float, **window: str) -> dict[str, Any]:
    """The flow with a window of two hours that opens so many hours from now, by UTC."""
    opens = datetime.now(UTC) + timedelta(hours=hours)
    times = {"from": f"{opens:%H:%M}", "to": f"{opens + timedelta(hours=2):%H:%M}"}
    return FLOW | {"window": {"timezone": "UTC", **times, **window}}


async def test_a_simulation_starts_now_and_obeys_the_sending_window(api, campaign_id):
    in_three_hours = beginning(3)
    closed = await entity(api, campaign_id, flow=in_three_hours)
    assert closed["messages"] == []
    (waiting,) = closed["waitingFor"]
    assert (waiting["node"], waiting["kind"]) == ("hello", "window")
    assert 0 < waiting["until"] <= 3 * 3600
    assert [decision["verdict"] for decision in closed["decisions"]] == ["held"]
    assert closed["outcome"] is None

    later = await entity(api, campaign_id, {"wait": "PT4H"}, flow=in_three_hours)
    assert later["messages"][0]["at"] == pytest.approx(waiting["until"], abs=60)
    at_once = await entity(api, campaign_id, flow=beginning(-1))
    assert at_once["messages"][0]["at"] == 0


async def test_a_simulated_message_expires(api, campaign_id):
    late = beginning(3) | {"expireAfter": "PT1H"}
    simulated = await entity(api, campaign_id, {"wait": "PT4H"}, flow=late)
    assert simulated["messages"] == []
    assert [decision["verdict"] for decision in simulated["decisions"]] == ["held", "expired"]
    assert simulated["outcome"] == "failed"


async def test_the_recipients_zone_is_taken_to_be_the_businesss(
    api, campaign_id, database: Database
):
    by_recipient = beginning(9, timezone="recipient")
    assert (await entity(api, campaign_id, flow=by_recipient))["messages"] == []
    async with database.transaction() as connection:
        # Ten hours ahead of UTC, all year.
        await set_business_zone(connection, BUSINESS, "Australia/Brisbane")
    assert len((await entity(api, campaign_id, flow=by_recipient))["messages"]) == 1
