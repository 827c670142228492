"""Whatever is sent, in a body or an address, the answer is a documented one, never a 5xx."""

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from storage.session import Database
from storage.tables import campaigns
from tests.api.sending import count
from tests.api.sent import FLOW, add_sendout
from tests.record import BUSINESS, add_campaign

V1 = f"/v1/businesses/{BUSINESS}"
CAMPAIGN = "aaaaaaaa-0000-4000-8000-000000000001"
SENDOUT = "bbbbbbbb-0000-4000-8000-000000000001"

NOT_JSON = {
    "no JSON": b"{'name': 'spring'}",
    "cut short": b'{"name": "spr',
    "two values": b'{} {"name": "spring"}',
    "NaN": b'{"name": NaN}',
    "no UTF-8": b'{"name": "campa\xf1a"}',
    "UTF-16": '{"name": "spring"}'.encode("utf-16"),
    "surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "NUL": b"\x00",
    "100,000 lists": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": b'{"name":' * 100_000 + b"1" + b"}" * 100_000,
    "5,000 lists in a field": b'{"flow":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "a list": b"[]",
    "a text": b'"spring"',
    "a number of 5,000 digits": b"1" + b"0" * 5_000,
}
"""Bodies that no call can read."""

SPLIT = {
    "format": 1,
    "start": "toss",
    "nodes": {"toss": {"type": "split", "paths": [{"weight": 1, "next": "hello"}]}} | FLOW["nodes"],
    "variables": FLOW["variables"],
}
"""A flow that goes by the entry's id."""

BODIES: dict[str, dict[str, Any]] = {
    "POST /campaigns": {"name": "summer", "flow": FLOW},
    f"PATCH /campaigns/{CAMPAIGN}": {"name": "summer"},
    f"PUT /campaigns/{CAMPAIGN}/draft": {"flow": FLOW, "revision": 1},
    f"POST /campaigns/{CAMPAIGN}/publish": {"campaignVersion": "v2"},
    f"POST /campaigns/{CAMPAIGN}/unpublish": {"cancel": True},
    f"POST /campaigns/{CAMPAIGN}/test": {
        "client": "+16045552331",
        "variables": {"name": "Ana"},
        "sender": "+15550001111",
        "maxDelay": "PT5S",
    },
    f"POST /campaigns/{CAMPAIGN}/simulate": {
        "flow": SPLIT,
        "variables": {"name": "Ana"},
        "steps": [
            {"wait": "PT1H"},
            {"click": {"node": "hello", "button": "yes", "visit": 1}},
            {"reply": "red"},
        ],
        "entryId": "one",
    },
    f"PATCH /sendouts/{SENDOUT}": {"label": "Monday", "skipNodes": ["nudge"]},
    "POST /channels": {
        "phoneNumber": "+15550003333",
        "phoneNumberId": "106540352242922",
        "wabaId": "102290129340398",
        "accessToken": "token",
        "appSecret": "secret",
        "default": False,
        "messagesPerSecond": 60,
    },
    "POST /send/campaigns": {
        "entries": [
            {
                "client": "+16045552331",
                "campaignName": "spring",
                "sender": "+15550001111",
                "variables": {"name": "Ana"},
                "campaignVersion": "v1",
                "scheduledAt": "2026-01-01T00:00:00Z",
                "callbackData": {"order": 5},
            }
        ],
        "options": {
            "ifVersionUnspecified": "reuse_last_active",
            "ifDuplicateCheckUnspecified": "allow_one",
            "includeEntries": "all",
            "dryRun": False,
        },
    },
}
"""A body of every field of each call."""

ODD: dict[str, str] = {
    "null": "null",
    "boolean": "true",
    "whole number": "5",
    "fraction": "-1.5",
    "beyond 32 bits": "4294967296",
    "beyond 64 bits": "1" + "0" * 50,
    "the largest double": "1.7976931348623157e308",
    "beyond a double": "1e400",
    "5,000 digits": "1" + "0" * 5_000,
    "empty text": '""',
    "text of 1 MB": '"' + "x" * 1_000_000 + '"',
    "NUL character": r'"a\u0000b"',
    "half a surrogate pair": r'"a\ud800b"',
    "decomposed": r'"campan\u0303a"',
    "list": "[]",
    "list of odd things": r'[null, 5, "\ud800", [], {}]',
    "object": "{}",
    "object of odd things": r'{"": null, "\u0000": "\ud800", "a": {"b": []}}',
    "200 levels": "[" * 200 + "]" * 200,
}
"""JSON texts that stand, one after the other, in the place of every part of every body."""


@pytest.fixture(autouse=True)
async def known(business: None, database: Database) -> None:
    """A published campaign with a draft and a running sendout, in every address above."""
    async with database.transaction() as connection:
        campaign_id = await add_campaign(
            connection, "spring", campaign_id=UUID(CAMPAIGN), versions={"v1": FLOW}
        )
        await connection.execute(update(campaigns).values(draft=FLOW, draft_revision=1))
        await add_sendout(connection, campaign_id=campaign_id, sendout_id=UUID(SENDOUT))


async def ask(api: httpx.AsyncClient, call: str, body: bytes | str) -> httpx.Response:
    """The answer to a call, which must be documented: good, or an error of the caller's."""
    method, _, path = call.partition(" ")
    answer = await api.request(method, V1 + path, content=body)
    said = f"{call} {body[:300]!r}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code in {200, 201, 400, 404, 409}, said
    if answer.status_code >= 400:
        assert answer.json().keys() >= {"message", "type", "code", "cntTraceId"}, said
    return answer


@pytest.mark.parametrize("call", BODIES)
async def test_what_is_no_json_object_is_400(api: httpx.AsyncClient, call: str):
    for name, body in NOT_JSON.items():
        answer = await ask(api, call, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "ERROR_CODE_BAD_REQUEST"), name


def with_odd_parts(body: Any, whole: tuple[str, ...] = ()) -> Iterator[str]:
    """The body with each of its parts replaced by each of `ODD`; those named `whole` in one."""
    for place in places(body, whole):
        for odd in ODD.values():
            changed = copy.deepcopy(body)
            holder = changed
            for step in place[:-1]:
                holder = holder[step]
            holder[place[-1]] = "<odd>"
            yield json.dumps(changed).replace('"<odd>"', odd)


def places(part: Any, whole: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a body."""
    parts = part.items() if isinstance(part, dict) else enumerate(part)
    for step, inner in parts:
        yield (step,)
        if isinstance(inner, dict | list) and step not in whole:
            yield from ((step, *rest) for rest in places(inner, whole))


@pytest.mark.parametrize("call", BODIES)
async def test_odd_values_in_any_place_are_documented_answers(api: httpx.AsyncClient, call: str):
    # The parts of a flow are tried where they are saved.
    whole = () if call.endswith("/draft") else ("flow",)
    for body in with_odd_parts(BODIES[call], whole):
        await ask(api, call, body)


CURSORS = [
    [10**30],
    [-(2**63)],
    [True],
    {"0": 1},
    ["2026-01-01T00:00:00Z", "\0"],
    ["2026-01-01T00:00:00Z", "\ud800"],
    ["9999-12-31T23:59:59-23:00", CAMPAIGN],
    ["0001-01-01T00:00:00+23:00", CAMPAIGN],
]
"""What could stand in a cursor, had we written it."""


@pytest.mark.parametrize(
    "path",
    [
        "/campaigns",
        f"/campaigns/{CAMPAIGN}/versions",
        "/sendouts",
        f"/sendouts/{SENDOUT}/entries",
        "/channels",
    ],
)
async def test_odd_cursors_and_filters_are_400(api: httpx.AsyncClient, path: str):
    made = [base64.urlsafe_b64encode(json.dumps(c).encode()).decode() for c in CURSORS]
    odd = [f"cursor={c}" for c in (*made, "%00", "%ff", "x" * 2_000)]
    odd += [f"limit={n}" for n in ("0", "501", "-1", "1e400", "9" * 6_000, "%00", "")]
    for query in odd:
        answer = await ask(api, f"GET {path}?{query}", "")
        assert answer.status_code == 400, query[:100]


@pytest.mark.parametrize(
    "path",
    [
        "/campaigns/%00",
        f"/campaigns/{CAMPAIGN}/versions/%ff",
        f"/campaigns/{CAMPAIGN}/versions/%ed%a0%80",
        f"/campaigns/{CAMPAIGN}/versions/" + "v" * 5_000,
        "/sendouts/%00",
        f"/sendouts/{SENDOUT}/entries/x",
        f"/sendouts/{SENDOUT}/entries?client=%00",
        f"/sendouts/{SENDOUT}/entries?state=%00",
        "/customers/%00",
        "/customers/" + "1" * 100,
        "/%00",
    ],
)
async def test_odd_addresses_lead_nowhere(api: httpx.AsyncClient, path: str):
    assert (await ask(api, f"GET {path}", "")).status_code in {400, 404}


async def test_of_a_batch_with_odd_entries_exactly_what_was_reported_is_stored(
    api: httpx.AsyncClient, database: Database
):
    call = "POST /send/campaigns"
    good = {"client": "+16045552332", "campaignName": "spring"}
    accepted = 0
    for entry in with_odd_parts(BODIES[call]["entries"][0]):
        body = f'{{"entries":[{entry},{json.dumps(good)}]}}'
        rows = (await ask(api, call, body)).json()["data"]
        accepted += sum(row["acceptedCount"] for row in rows)
        assert sum(row["acceptedCount"] + row["rejectedCount"] for row in rows) == 2, body[:300]
    assert await count(database) == accepted
