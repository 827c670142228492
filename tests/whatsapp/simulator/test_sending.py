import base64

import pytest

from tests.whatsapp.simulator.harness import (
    CUSTOMER,
    MESSAGES,
    SENDER,
    SENDER_ID,
    behave,
    envelope,
    interactive,
    ledger,
    list_rows,
    reply,
    reply_buttons,
    sale,
    send,
    text,
)

LINK = {"link": "https://cdn.example/a.bin"}

# One message of every kind, with the text and the button labels a customer sees.
EVERY_KIND = {
    "text": (text("Your order has shipped."), "Your order has shipped.", []),
    "text by default": (
        {"messaging_product": "whatsapp", "to": CUSTOMER, "text": {"body": "No type"}},
        "No type",
        [],
    ),
    "template": (sale(), "Hi Ana, all is on sale.", ["More", "Stop"]),
    "reply buttons": (
        reply_buttons(("m:y", "Yes"), ("m:n", "No"), header={"type": "text", "text": "Order"}),
        "Choose",
        ["Yes", "No"],
    ),
    "list": (
        list_rows({"id": "m:a", "title": "Row A", "description": "more"}),
        "Choose",
        ["Row A"],
    ),
    "link button": (
        interactive(
            "cta_url",
            {
                "name": "cta_url",
                "parameters": {"display_text": "Open", "url": "https://x.example"},
            },
            footer={"text": "Shop"},
        ),
        "Choose",
        [],
    ),
    "flow": (
        interactive(
            "flow",
            {
                "name": "flow",
                "parameters": {"flow_message_version": "3", "flow_id": "1", "flow_cta": "Go"},
            },
        ),
        "Choose",
        [],
    ),
    "location request": (
        interactive("location_request_message", {"name": "send_location"}),
        "Choose",
        [],
    ),
    "image": (envelope("image", {**LINK, "caption": "Look"}), "Look", []),
    "video": (envelope("video", {"id": "1013859600285441"}), "", []),
    "document": (
        envelope("document", {**LINK, "filename": "a.pdf", "caption": "Bill"}),
        "Bill",
        [],
    ),
    "audio": (envelope("audio", LINK), "", []),
    "sticker": (envelope("sticker", LINK), "", []),
    "location": (
        envelope("location", {"latitude": "19.43", "longitude": -99.13, "name": "Store"}),
        "Store",
        [],
    ),
    "reaction": (envelope("reaction", {"message_id": "wamid.X", "emoji": "👍"}), "👍", []),
}


@pytest.mark.parametrize(("message", "seen", "labels"), EVERY_KIND.values(), ids=list(EVERY_KIND))
async def test_every_kind_of_message_is_accepted_and_listed(graph, message, seen, labels):
    await reply(graph)
    wamid = await send(graph, message)
    (record,) = await ledger(graph)
    assert record["id"] == wamid
    assert record["type"] == message.get("type", "text")
    assert record["text"] == seen
    assert [button["label"] for button in record["buttons"]] == labels
    assert record["request"] == message


async def test_the_answer_names_the_recipient_as_asked_and_its_whatsapp_id(graph):
    answer = (await graph.post(MESSAGES, json=text(to="+1 (604) 555-2331"))).json()
    assert answer["messaging_product"] == "whatsapp"
    assert answer["contacts"] == [{"input": "+1 (604) 555-2331", "wa_id": "16045552331"}]
    assert "message_status" not in answer["messages"][0]


async def test_a_template_is_answered_with_a_message_status(graph):
    answer = (await graph.post(MESSAGES, json=sale())).json()
    assert answer["messages"][0]["message_status"] == "accepted"


async def test_message_ids_have_the_real_layout_and_never_repeat(graph):
    ids = [await send(graph, sale()) for _ in range(5)]
    assert len(set(ids)) == 5
    decoded = base64.b64decode(ids[0].removeprefix("wamid."))
    assert decoded.startswith(b"\x1c\x18\x0b16045552331\x15\x02\x00\x11\x18\x12")
    await graph.post("/_sim/reset")
    assert await send(graph, text()) not in ids


async def test_the_ledger_line_tells_sender_recipient_time_and_opaque_id(graph):
    await send(graph, sale("01J9"))
    (record,) = await ledger(graph)
    assert record["to"] == CUSTOMER
    assert record["sender"] == SENDER
    assert record["opaque"] == "01J9"
    assert record["acceptedAt"].endswith("Z")
    assert record["buttons"] == [
        {"id": "01J9:more", "label": "More"},
        {"id": "01J9:no", "label": "Stop"},
    ]


async def test_the_ledger_is_filtered_by_recipient_and_continued_after_a_message(graph):
    first = await send(graph, sale("a"))
    await send(graph, sale("b", to="+5215512345678"))
    third = await send(graph, sale("c"))
    assert [line["opaque"] for line in await ledger(graph)] == ["a", "b", "c"]
    # Unescaped, the plus of a number arrives as a space.
    for to in (CUSTOMER, CUSTOMER.replace("+", " ")):
        assert [line["id"] for line in await ledger(graph, to=to)] == [first, third]
    assert [line["opaque"] for line in await ledger(graph, after=first)] == ["b", "c"]
    assert await ledger(graph, to="+4915112345678") == []


async def test_listing_after_an_unknown_message_is_404(graph):
    assert (await graph.get("/_sim/messages?after=wamid.none")).status_code == 404


async def test_without_a_plus_the_country_of_the_business_is_dialled(graph):
    await send(graph, text(to="6045552331"))
    await send(graph, text(to="16045552331"))
    assert [line["to"] for line in await ledger(graph)] == [CUSTOMER, CUSTOMER]


async def test_any_graph_version_is_served(graph):
    answer = await graph.post(f"/v26.0/{SENDER_ID}/messages", json=sale())
    assert answer.status_code == 200


async def test_marking_as_read_is_no_message(graph):
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN"}
    answer = await graph.post(MESSAGES, json={**mark, "typing_indicator": {"type": "text"}})
    assert answer.json() == {"success": True}
    assert await ledger(graph) == []


async def test_a_customer_is_reached_by_user_id_once_met(graph, receiver):
    met = (await receiver.statuses_reach(await send(graph, sale()), "sent", "delivered"))[0]
    user = met["recipient_user_id"]
    request = {"messaging_product": "whatsapp", "recipient": user, "text": {"body": "x"}}
    answer = (await graph.post(MESSAGES, json=request)).json()
    assert answer["contacts"] == [{"input": user, "user_id": user}]
    assert (await ledger(graph))[-1]["to"] == CUSTOMER


async def test_an_uploaded_file_is_described(graph):
    uploaded = await graph.post(
        f"/v25.0/{SENDER_ID}/media",
        data={"messaging_product": "whatsapp", "type": "image/png"},
        files={"file": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")},
    )
    media = (await graph.get(f"/v25.0/{uploaded.json()['id']}")).json()
    assert media["mime_type"] == "image/png"
    assert media["file_size"] == 8
    assert media["id"] == uploaded.json()["id"]


async def test_the_root_names_the_control_calls(graph):
    await behave(graph)
    assert "POST /_sim/reset" in (await graph.get("/_sim")).json()["control"]
