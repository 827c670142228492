from typing import Any

import httpx
import pytest

from tests.whatsapp.simulator.harness import (
    MESSAGES,
    SALE,
    WABA,
    definition,
    ledger,
    payload,
    quick_replies,
    sale,
    send,
    template,
    words,
)

TEMPLATES = f"/v25.0/{WABA}/message_templates"
BODY = {"type": "BODY", "text": "Hi {{1}}."}
LINK = {"link": "https://cdn.example/a.jpg"}
IMAGE = {"type": "header", "parameters": [{"type": "image", "image": LINK}]}

REGISTRY = [
    SALE,
    definition("plain", {"type": "BODY", "text": "Nothing to fill in."}),
    definition("paused", BODY, status="PAUSED"),
    definition("disabled", BODY, status="DISABLED"),
    definition("pending", BODY, status="PENDING"),
    definition("picture", {"type": "HEADER", "format": "IMAGE"}, BODY),
    definition("titled", {"type": "HEADER", "format": "TEXT", "text": "For {{1}}"}, BODY),
    definition("named", {"type": "BODY", "text": "Hi {{first_name}}, see {{shop}}."}),
    definition("long", {"type": "BODY", "text": "{{1}}"}),
    definition("code", {"type": "BODY", "text": "{{1}}"}, category="AUTHENTICATION"),
    definition(
        "links",
        {"type": "BODY", "text": "Look."},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "URL", "text": "Open", "url": "https://x.example/{{1}}"},
                {"type": "COPY_CODE", "example": "SAVE"},
                {"type": "QUICK_REPLY", "text": "Later"},
            ],
        },
    ),
]


def button(kind: str, index: int, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "button",
        "sub_type": kind,
        "index": str(index),
        "parameters": list(parameters),
    }


PATH = button("url", 0, {"type": "text", "text": "p/1"})
COUPON = button("copy_code", 1, {"type": "coupon_code", "coupon_code": "SAVE20"})
FIRST_NAME = {"type": "text", "parameter_name": "first_name", "text": "Ana"}
SHOP = {"type": "text", "parameter_name": "shop", "text": "us"}

REFUSED = {
    "unknown name": (template("nothing"), 404, 132001),
    "unknown language": (
        {**sale(), "template": {"name": "sale", "language": {"code": "fr"}}},
        404,
        132001,
    ),
    "not approved yet": (template("pending", words("body", "Ana")), 404, 132001),
    "paused": (template("paused", words("body", "Ana")), 400, 132015),
    "disabled": (template("disabled", words("body", "Ana")), 400, 132016),
    "too few parameters": (template("sale"), 400, 132000),
    "too many parameters": (template("sale", words("body", "a", "b")), 400, 132000),
    "parameters where none are": (template("plain", words("body", "a")), 400, 132000),
    "no header parameter": (template("titled", words("body", "a")), 400, 132000),
    "one name missing": (
        template("named", {"type": "body", "parameters": [FIRST_NAME, FIRST_NAME]}),
        400,
        132000,
    ),
    "no image": (template("picture", words("body", "a")), 400, 132012),
    "text for an image": (
        template("picture", words("header", "x"), words("body", "a")),
        400,
        132012,
    ),
    "image for a text": (template("titled", IMAGE, words("body", "a")), 400, 132012),
    "positions for names": (template("named", words("body", "a", "b")), 400, 132012),
    "image in the body": (template("sale", {**IMAGE, "type": "body"}), 400, 132012),
    "button beyond the last": (template("plain", payload(0, "x")), 400, 132012),
    "button of another type": (
        template("sale", words("body", "a"), button("url", 0)),
        400,
        132012,
    ),
    "line break": (template("sale", words("body", "a\nb")), 400, 132018),
    "tab": (template("sale", words("body", "a\tb")), 400, 132018),
    "five spaces": (template("sale", words("body", "a     b")), 400, 132018),
    "empty parameter": (template("sale", words("body", "")), 400, 131008),
    "empty payload": (template("sale", words("body", "a"), payload(0, "")), 400, 131008),
    "link button without its path": (template("links", COUPON), 400, 131008),
    "copy button without its code": (template("links", PATH), 400, 131008),
    "code of 21": (
        template(
            "links", PATH, button("copy_code", 1, {"type": "coupon_code", "coupon_code": "x" * 21})
        ),
        400,
        131009,
    ),
    "text too long with parameters": (template("sale", words("body", "x" * 1020)), 400, 132005),
    "header too long with its parameter": (
        template("titled", words("header", "x" * 60), words("body", "a")),
        400,
        132005,
    ),
    "unknown component": (template("plain", {"type": "footer"}), 400, 131009),
    "index of 10": (template("plain", button("quick_reply", 10)), 400, 131009),
    "other language policy": (
        {**sale(), "template": {"name": "sale", "language": {"code": "en_US", "policy": "x"}}},
        400,
        131009,
    ),
    "no language": ({**sale(), "template": {"name": "sale"}}, 400, 131008),
}


@pytest.fixture
async def registry(graph):
    answer = await graph.put("/_sim/templates", json={"data": REGISTRY})
    assert answer.status_code == 200, answer.text


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(("message", "http", "code"), REFUSED.values(), ids=list(REFUSED))
async def test_a_wrong_template_message_is_refused_with_its_code(graph, message, http, code):
    answer = await graph.post(MESSAGES, json=message)
    assert (answer.status_code, answer.json()["error"]["code"]) == (http, code), answer.text
    assert await ledger(graph) == []


RENDERED = {
    "picture": (template("picture", IMAGE, words("body", "Ana")), "Hi Ana."),
    "header text": (template("titled", words("header", "A"), words("body", "B")), "Hi B."),
    "names in any order": (
        template("named", {"type": "body", "parameters": [SHOP, FIRST_NAME]}),
        "Hi Ana, see us.",
    ),
    "a fallback": (
        template(
            "sale",
            {
                "type": "body",
                "parameters": [{"type": "currency", "currency": {"fallback_value": "$1"}}],
            },
        ),
        "Hi $1, all is on sale.",
    ),
    "a body alone may be very long": (template("long", words("body", "x" * 5000)), "x" * 5000),
    "four spaces": (template("long", words("body", "a    b")), "a    b"),
    "braces in a parameter stay as they are": (template("long", words("body", "{{1}}")), "{{1}}"),
    "no components": (template("plain"), "Nothing to fill in."),
}


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(("message", "text"), RENDERED.values(), ids=list(RENDERED))
async def test_the_ledger_shows_the_rendered_body(graph, message, text):
    await send(graph, message)
    assert [line["text"] for line in await ledger(graph)] == [text]


@pytest.mark.usefixtures("registry")
async def test_quick_replies_have_the_payload_or_their_label_as_id(graph):
    await send(graph, template("sale", words("body", "Ana"), payload(1, "m:no")))
    await send(graph, template("links", PATH, COUPON, payload(2, "m:later")))
    first, second = await ledger(graph)
    assert first["buttons"] == [{"id": "More", "label": "More"}, {"id": "m:no", "label": "Stop"}]
    assert second["buttons"] == [{"id": "m:later", "label": "Later"}]


@pytest.mark.usefixtures("registry")
async def test_an_authentication_template_cannot_go_to_a_user_id(graph, receiver):
    wamid = await send(graph, template("plain"))
    await receiver.until(lambda: bool(receiver.statuses(wamid)))
    user = receiver.statuses(wamid)[0]["recipient_user_id"]
    message = {**template("code", words("body", "1234")), "to": None, "recipient": user}
    answer = await graph.post(MESSAGES, json=message)
    assert answer.json()["error"]["code"] == 131062


async def test_a_created_template_is_approved_listed_and_usable_at_once(graph):
    created = (await graph.post(TEMPLATES, json=definition("fresh", BODY))).json()
    assert created["status"] == "APPROVED"
    listed = (await graph.get(TEMPLATES, params={"name": "fresh"})).json()["data"]
    assert [(t["id"], t["name"], t["status"]) for t in listed] == [
        (created["id"], "fresh", "APPROVED")
    ]
    await send(graph, template("fresh", words("body", "Ana")))


async def test_creating_the_same_name_and_language_again_is_refused(graph):
    answer = await graph.post(TEMPLATES, json=SALE)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (400, 100, 2388024)
    assert (await graph.post(TEMPLATES, json={**SALE, "language": "es_MX"})).status_code == 200


BAD_DEFINITIONS = {
    "upper case": definition("Sale", BODY),
    "no body": definition("x", {"type": "FOOTER", "text": "x"}),
    "two bodies": definition("x", BODY, BODY),
    "body of 1025": definition("x", {"type": "BODY", "text": "x" * 1025}),
    "footer of 61": definition("x", BODY, {"type": "FOOTER", "text": "x" * 61}),
    "header of 61": definition("x", BODY, {"type": "HEADER", "format": "TEXT", "text": "x" * 61}),
    "placeholders with a gap": definition("x", {"type": "BODY", "text": "{{1}} {{3}}"}),
    "category": definition("x", BODY, category="NEWS"),
    "language": definition("x", BODY, language="English"),
    "label of 26": definition("x", BODY, quick_replies("x" * 26)),
    "eleven buttons": definition("x", BODY, quick_replies(*map(str, range(11)))),
    "three links": definition(
        "x",
        BODY,
        {
            "type": "BUTTONS",
            "buttons": [{"type": "URL", "text": "x", "url": "https://x.example"}] * 3,
        },
    ),
    "quick replies torn apart": definition(
        "x",
        BODY,
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "a"},
                {"type": "URL", "text": "x", "url": "https://x.example"},
                {"type": "QUICK_REPLY", "text": "b"},
            ],
        },
    ),
}


@pytest.mark.parametrize("bad", BAD_DEFINITIONS.values(), ids=list(BAD_DEFINITIONS))
async def test_a_bad_definition_is_refused_everywhere_and_changes_nothing(graph, bad):
    before = (await graph.get("/_sim/templates")).json()
    answer = await graph.post(TEMPLATES, json=bad)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
    assert (await graph.put("/_sim/templates", json=[bad])).status_code == 400
    from_flow = {"wabaId": WABA, "templates": [bad]}
    assert (await graph.post("/_sim/templates/from-flow", json=from_flow)).status_code == 400
    assert (await graph.get("/_sim/templates")).json() == before


async def test_the_listing_comes_in_pages(graph):
    names = [f"t{i}" for i in range(5)]
    await graph.put("/_sim/templates", json=[definition(name, BODY) for name in names])
    seen = []
    url = f"{TEMPLATES}?limit=2"
    while url:
        page = (await graph.get(url)).json()
        assert len(page["data"]) <= 2
        seen += [t["name"] for t in page["data"]]
        assert page["paging"]["cursors"]["after"] == page["data"][-1]["id"]
        url = page["paging"].get("next")
    assert seen == names


@pytest.mark.usefixtures("registry")
async def test_the_listing_is_filtered_by_status_and_category(graph):
    paused = (await graph.get(TEMPLATES, params={"status": "PAUSED"})).json()["data"]
    assert [t["name"] for t in paused] == ["paused"]
    codes = (await graph.get(TEMPLATES, params={"category": "authentication"})).json()["data"]
    assert [t["name"] for t in codes] == ["code"]


async def make_for_flow(graph: httpx.AsyncClient, *definitions: Any) -> dict[str, Any]:
    body = {"wabaId": WABA, "templates": list(definitions)}
    answer = await graph.post("/_sim/templates/from-flow", json=body)
    assert answer.status_code == 200, answer.text
    return {t["name"]: t for t in answer.json()["data"]}


async def test_a_flow_makes_what_is_missing_and_renews_what_it_made(graph):
    first = await make_for_flow(graph, definition("nudge", BODY, category="marketing"))
    assert (first["nudge"]["origin"], first["nudge"]["status"]) == ("flow", "APPROVED")
    assert first["nudge"]["category"] == "MARKETING"
    longer = {"type": "BODY", "text": "Hi {{1}} and {{2}}."}
    second = await make_for_flow(graph, definition("nudge", longer))
    assert second["nudge"]["components"] == [longer]
    assert second["nudge"]["id"] == first["nudge"]["id"]
    await send(graph, template("nudge", words("body", "a", "b")))


async def test_a_flow_leaves_hand_made_templates_alone(graph):
    await graph.post(TEMPLATES, json=definition("by_graph", BODY))
    other = {"type": "BODY", "text": "Another."}
    listed = await make_for_flow(graph, definition("sale", other), definition("by_graph", other))
    assert listed["sale"]["components"] == SALE["components"]
    assert listed["sale"]["origin"] == "control"
    assert listed["by_graph"]["components"] == [BODY]
    assert listed["by_graph"]["origin"] == "graph"


async def test_putting_a_listing_back_changes_only_what_was_edited(graph):
    await make_for_flow(graph, definition("nudge", BODY))
    before = (await graph.get("/_sim/templates")).json()
    edited = {"data": [{**t, "status": "PAUSED"} for t in before["data"]]}
    assert (await graph.put("/_sim/templates", json=edited)).json() == edited


async def test_putting_templates_replaces_the_registry(graph):
    await graph.put("/_sim/templates", json=[definition("only", BODY)])
    assert [t["name"] for t in (await graph.get("/_sim/templates")).json()["data"]] == ["only"]
    assert (await graph.post(MESSAGES, json=sale())).json()["error"]["code"] == 132001


async def test_the_registry_is_listed_by_account(graph):
    await graph.put("/_sim/templates", json=[SALE, {**SALE, "wabaId": "3003"}])
    for waba in (WABA, "3003"):
        listed = (await graph.get("/_sim/templates", params={"wabaId": waba})).json()["data"]
        assert [t["wabaId"] for t in listed] == [waba]
