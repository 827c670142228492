from typing import Any

import pytest

from tests.whatsapp.simulator.harness import (
    CUSTOMER,
    MESSAGES,
    SENDER,
    SENDER_ID,
    WABA,
    envelope,
    interactive,
    ledger,
    list_rows,
    reply_buttons,
    text,
)

LINK = {"link": "https://cdn.example/a.bin"}


def link_button(**parameters: str) -> dict[str, Any]:
    return interactive("cta_url", {"name": "cta_url", "parameters": parameters})


def sections(*sections: dict[str, Any]) -> dict[str, Any]:
    return interactive("list", {"button": "Menu", "sections": list(sections)})


def row(number: int) -> dict[str, Any]:
    return {"id": str(number), "title": f"Row {number}"}


# What breaks a rule of the Cloud API, with the code it is refused with.
REFUSED = {
    "other product": (text(messaging_product="sms"), 100),
    "group": (text(recipient_type="group"), 100),
    "opaque too long": (text(biz_opaque_callback_data="x" * 513), 100),
    "text too long": (text("x" * 4097), 100),
    "no recipient": (text(to=None), 131008),
    "no body": (envelope("text", {}), 131008),
    "blank body": (text("  "), 131008),
    "no object named like the type": ({**text(), "type": "image"}, 131008),
    "letters for a number": (text(to="+1604CALLME"), 131009),
    "number too short": (text(to="+123456"), 131009),
    "number as a number": (text(to=16045552331), 131009),
    "unknown user": (text(to=None, recipient="US.123"), 131009),
    "preview flag not a boolean": (envelope("text", {"body": "x", "preview_url": "y"}), 131009),
    "to itself": (text(to=SENDER), 131021),
    "unknown type": (envelope("telegram", {"body": "x"}), 131051),
    "four buttons": (reply_buttons(*[(str(i), f"B{i}") for i in range(4)]), 131009),
    "no buttons": (reply_buttons(), 131008),
    "button title of 21": (reply_buttons(("a", "x" * 21)), 131009),
    "button id of 257": (reply_buttons(("x" * 257, "A")), 131009),
    "button id with a space at its end": (reply_buttons(("a ", "A")), 131009),
    "same button id twice": (reply_buttons(("a", "A"), ("a", "B")), 131009),
    "same button title twice": (reply_buttons(("a", "A"), ("b", "A")), 131009),
    "interactive body of 1025": (reply_buttons(("a", "A"), body={"text": "x" * 1025}), 131009),
    "no interactive body": (reply_buttons(("a", "A"), body={}), 131008),
    "footer of 61": (reply_buttons(("a", "A"), footer={"text": "x" * 61}), 131009),
    "header of 61": (
        reply_buttons(("a", "A"), header={"type": "text", "text": "x" * 61}),
        131009,
    ),
    "image header without image": (reply_buttons(("a", "A"), header={"type": "image"}), 131008),
    "image header on a list": (list_rows(row(1), header={"type": "image", "image": LINK}), 131009),
    "eleven rows": (sections({"rows": [row(i) for i in range(11)]}), 131009),
    "eleven rows over two sections": (
        sections(
            {"title": "A", "rows": [row(i) for i in range(6)]},
            {"title": "B", "rows": [row(i) for i in range(6, 11)]},
        ),
        131009,
    ),
    "same row id twice": (list_rows(row(1), row(1)), 131009),
    "row title of 25": (list_rows({"id": "a", "title": "x" * 25}), 131009),
    "row description of 73": (
        list_rows({"id": "a", "title": "A", "description": "x" * 73}),
        131009,
    ),
    "row id of 201": (list_rows({"id": "x" * 201, "title": "A"}), 131009),
    "two sections without titles": (sections({"rows": [row(1)]}, {"rows": [row(2)]}), 131008),
    "menu label of 21": (
        interactive("list", {"button": "x" * 21, "sections": [{"rows": [row(1)]}]}),
        131009,
    ),
    "link label of 21": (link_button(display_text="x" * 21, url="https://x.example"), 131009),
    "link that is no address": (link_button(display_text="Open", url="x.example"), 131009),
    "link missing": (link_button(display_text="Open"), 131008),
    "unknown interactive": (interactive("carousel", {}), 131009),
    "image by id and link": (envelope("image", {"id": "1", **LINK}), 131009),
    "image by neither": (envelope("image", {"caption": "x"}), 131008),
    "image by a file path": (envelope("image", {"link": "/tmp/a.png"}), 131009),
    "caption of 1025": (envelope("video", {**LINK, "caption": "x" * 1025}), 131009),
    "caption on audio": (envelope("audio", {**LINK, "caption": "x"}), 131009),
    "latitude beyond the pole": (envelope("location", {"latitude": 91, "longitude": 0}), 131009),
    "no longitude": (envelope("location", {"latitude": 1}), 131008),
    "quote of nothing": (text(context={}), 131008),
    "read mark without a message": ({"messaging_product": "whatsapp", "status": "read"}, 131008),
}


@pytest.mark.parametrize(("request_body", "code"), REFUSED.values(), ids=list(REFUSED))
async def test_a_broken_rule_is_refused_with_its_code_and_not_accepted(graph, request_body, code):
    answer = await graph.post(MESSAGES, json=request_body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code), answer.text
    assert await ledger(graph) == []


# The longest of everything, which must still pass.
ALLOWED = {
    "text of 4096": text("x" * 4096),
    "three buttons of 20": reply_buttons(*[(str(i), f"{i}" * 20) for i in range(3)]),
    "body of 1024 and footer of 60": reply_buttons(
        ("a", "A"), body={"text": "x" * 1024}, footer={"text": "x" * 60}
    ),
    "ten rows of 24 and 72": list_rows(
        *[{"id": str(i), "title": f"{i}" + "x" * 23, "description": "x" * 72} for i in range(10)]
    ),
    "opaque of 512": text(biz_opaque_callback_data="x" * 512),
    "caption of 1024": envelope("image", {**LINK, "caption": "x" * 1024}),
}


@pytest.mark.parametrize("message", ALLOWED.values(), ids=list(ALLOWED))
async def test_the_limits_themselves_are_allowed(graph, message):
    assert (await graph.post(MESSAGES, json=message)).status_code == 200


async def test_an_error_has_the_shape_of_graph_errors(graph):
    error = (await graph.post(MESSAGES, json=text(to=SENDER))).json()["error"]
    assert error["type"] == "OAuthException"
    assert error["message"].startswith("(#131021) ")
    assert error["error_data"]["messaging_product"] == "whatsapp"
    assert error["error_data"]["details"]
    assert error["fbtrace_id"].startswith("A")


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic token-one", "token-one"])
async def test_without_the_right_bearer_token_it_is_401_and_code_190(graph, authorization):
    answer = await graph.post(MESSAGES, json=text(), headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 190)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v25.0/999/messages"),
        ("POST", "/v25.0/999/media"),
        ("GET", "/v25.0/999/message_templates"),
        ("POST", "/v25.0/999/message_templates"),
        ("GET", "/v25.0/999"),
    ],
)
async def test_an_unknown_object_is_100_with_subcode_33(graph, method, path):
    answer = await graph.request(method, path, json=text())
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["code"], error["error_subcode"]) == (100, 33)
    assert error["type"] == "GraphMethodException"


@pytest.mark.parametrize(
    "path", [f"/latest/{SENDER_ID}/messages", f"/v25.0/{SENDER_ID}/nothing", f"/v25.0/{WABA}/a/b"]
)
async def test_an_unknown_path_is_code_2500(graph, path):
    answer = await graph.post(path, json=text())
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2500)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff"])
async def test_a_body_that_is_no_json_object_is_code_100(graph, body):
    answer = await graph.post(MESSAGES, content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_sim/click", {"messageId": "x"}),
        ("/_sim/reply", {"from": "nobody", "text": "x"}),
        ("/_sim/reply", {"from": CUSTOMER, "text": ""}),
        ("/_sim/user-preference", {"from": CUSTOMER, "value": "maybe"}),
        ("/_sim/templates/from-flow", {"wabaId": WABA}),
    ],
)
async def test_a_control_call_of_the_wrong_shape_is_400_naming_the_field(graph, path, body):
    answer = await graph.post(path, json=body)
    assert answer.status_code == 400
    assert ": " in answer.json()["error"]


async def test_an_unknown_control_call_is_404_and_no_graph_error(graph):
    for path in ("/_sim/nothing", "/_sim/a/messages"):
        answer = await graph.post(path, json={})
        assert answer.status_code == 404
        assert "control call" in answer.json()["error"]
