"""What the phone page reads, and how it is served."""

from typing import Any

import pytest

from tests.whatsapp.simulator.harness import (
    CUSTOMER,
    SALE,
    SENDER,
    behave,
    click,
    definition,
    interactive,
    ledger,
    list_rows,
    quick_replies,
    reply,
    sale,
    send,
    template,
    text,
    words,
)

OTHER = "+5215512345678"


async def lines(graph, **query: Any) -> list[dict[str, Any]]:
    answer = await graph.get("/_sim/chat", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


async def chats(graph, search: str = "") -> list[str]:
    """The customers of the listed chats."""
    listed = (await graph.get("/_sim/chats", params={"search": search})).json()["data"]
    return [line["customer"] for line in listed]


async def test_a_chat_has_both_sides_in_their_order(graph):
    sent = await send(graph, sale())
    tapped = await click(graph, sent, "More")
    written = await reply(graph, "*Hi* <b>")
    await send(graph, sale(to=OTHER))
    first, second, third = await lines(graph, customer=CUSTOMER)
    (record,) = await ledger(graph, to=CUSTOMER)
    assert first == {"number": first["number"], "customer": CUSTOMER, "sent": record}
    assert second["said"] | {"at": None} == {
        "id": tapped,
        "from": CUSTOMER,
        "text": "More",
        "replyTo": sent,
        "at": None,
    }
    assert third["said"]["id"] == written
    assert (third["said"]["text"], third["said"]["replyTo"]) == ("*Hi* <b>", None)


async def test_a_page_goes_on_after_what_it_has_seen(graph):
    await send(graph, sale())
    listed = (await graph.get("/_sim/chats")).json()
    assert listed["newest"] >= listed["data"][0]["number"]
    assert await lines(graph, after=listed["newest"]) == []
    await reply(graph, "new")
    await send(graph, sale(to=OTHER))
    new = await lines(graph, after=listed["newest"])
    assert [line["customer"] for line in new] == [CUSTOMER, OTHER]
    assert await lines(graph, after=new[0]["number"]) == new[1:]
    assert await lines(graph, after=listed["newest"], customer=OTHER) == new[1:]


async def test_more_lines_than_an_answer_takes_come_with_the_next(graph, monkeypatch):
    monkeypatch.setattr("whatsapp.simulator.chats.MOST_LINES", 2)
    for opaque in "abc":
        await send(graph, sale(opaque))
    page = await lines(graph)
    rest = await lines(graph, after=page[-1]["number"])
    assert [line["sent"]["opaque"] for line in page + rest] == ["a", "b", "c"]


async def test_chats_are_listed_newest_first_and_found_by_digits(graph):
    assert await chats(graph) == []
    await send(graph, sale())
    await send(graph, sale(to=OTHER))
    assert await chats(graph) == [OTHER, CUSTOMER]
    await reply(graph)
    assert await chats(graph) == [CUSTOMER, OTHER]
    assert await chats(graph, "+1 (604)") == [CUSTOMER]
    assert await chats(graph, "999") == []
    await graph.post("/_sim/reset")
    assert await chats(graph) == []


@pytest.mark.parametrize(
    ("knobs", "names"),
    [
        ({}, ["sent", "delivered"]),
        ({"read": True, "duplicateStatuses": True}, ["sent", "delivered", "read"]),
        ({"deliver": False}, ["sent"]),
        ({"failWith": {"code": 131026, "via": "status"}}, ["failed"]),
    ],
)
async def test_a_message_tells_what_becomes_of_it(graph, knobs, names):
    await behave(graph, **knobs)
    await send(graph, sale())
    (record,) = await ledger(graph)
    assert [status["status"] for status in record["statuses"]] == names
    assert record["acceptedAt"] < record["statuses"][0]["at"]
    assert [status.get("code") for status in record["statuses"]] == [
        131026 if name == "failed" else None for name in names
    ]


PHOTO = {"link": "https://cdn.example.com/a.jpg"}
FULL = definition(
    "full",
    {"type": "HEADER", "format": "TEXT", "text": "For {{1}}"},
    {"type": "BODY", "text": "Sale"},
    {"type": "FOOTER", "text": "Until Sunday"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "URL", "text": "Shop", "url": "https://example.com/{{1}}"},
            {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550001111"},
            {"type": "COPY_CODE"},
        ],
    },
)
FULL_CALL = template(
    "full",
    words("header", "Ana"),
    words("button", "spring") | {"sub_type": "url", "index": "0"},
    {
        "type": "button",
        "sub_type": "copy_code",
        "index": "2",
        "parameters": [{"type": "coupon_code", "coupon_code": "SPRING"}],
    },
)
PICTURED = definition(
    "pictured",
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "Sale"},
    quick_replies("More"),
)
PICTURED_CALL = template(
    "pictured", {"type": "header", "parameters": [{"type": "image", "image": PHOTO}]}
)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (text(), {}),
        (
            FULL_CALL,
            {
                "header": {"type": "text", "text": "For Ana"},
                "footer": "Until Sunday",
                "links": [
                    {"label": "Shop", "url": "https://example.com/spring"},
                    {"label": "Call", "url": "tel:+15550001111"},
                    {"label": "Copy offer code"},
                ],
            },
        ),
        (PICTURED_CALL, {"header": {"type": "image", **PHOTO}}),
        (
            list_rows({"id": "a", "title": "A"}, footer={"text": "Small"}),
            {"footer": "Small", "menu": "Menu", "sections": [{"title": "", "rows": ["a"]}]},
        ),
        (
            interactive(
                "cta_url",
                {
                    "name": "cta_url",
                    "parameters": {"display_text": "Open", "url": "https://example.com"},
                },
                header={"type": "text", "text": "News"},
            ),
            {
                "header": {"type": "text", "text": "News"},
                "links": [{"label": "Open", "url": "https://example.com"}],
            },
        ),
        (
            text() | {"type": "document", "document": PHOTO | {"filename": "a.pdf"}},
            {"header": {"type": "document", **PHOTO, "filename": "a.pdf"}},
        ),
        (
            text() | {"type": "location", "location": {"latitude": 1.5, "longitude": 2}},
            {"header": {"type": "location", "latitude": 1.5, "longitude": 2}},
        ),
    ],
)
async def test_what_stands_around_a_text_is_kept_with_it(graph, message, shown):
    await graph.put("/_sim/templates", json=[SALE, FULL, PICTURED])
    await reply(graph)
    await send(graph, message)
    await graph.put("/_sim/templates", json=[])
    (record,) = await ledger(graph)
    assert record["shown"] == shown
    assert record["sender"] == SENDER


@pytest.mark.parametrize("after", [-1, 2**63, "none"])
async def test_a_place_that_cannot_be_is_refused(graph, after):
    answer = await graph.get("/_sim/chat", params={"after": after})
    assert answer.is_client_error
    assert "after" in answer.text


async def test_the_page_loads_nothing_from_elsewhere(graph):
    page = await graph.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for name, kind in (("page.js", "text/javascript"), ("page.css", "text/css")):
        file = await graph.get(f"/page/{name}")
        assert file.status_code == 200
        assert file.headers["content-type"].startswith(kind)
        for answer in (page, file):
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "unsafe" not in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
    for unknown in ("other.js", "..%2Fpage.py"):
        assert (await graph.get(f"/page/{unknown}")).is_client_error
