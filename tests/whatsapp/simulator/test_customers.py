import pytest

from tests.whatsapp.simulator.harness import (
    CUSTOMER,
    SENDER,
    behave,
    click,
    list_rows,
    reply,
    reply_buttons,
    sale,
    send,
    text,
)

MEXICAN = "+525512345678"


@pytest.mark.parametrize("name", ["Stop", "no", "m1:no"])
async def test_a_template_button_is_tapped_by_label_flow_id_or_wire_id(graph, receiver, name):
    wamid = await send(graph, sale("m1"))
    message = await receiver.inbound_arrives(await click(graph, wamid, name))
    assert message["type"] == "button"
    assert message["button"] == {"payload": "m1:no", "text": "Stop"}
    assert message["context"] == {"from": SENDER.removeprefix("+"), "id": wamid}
    assert message["from"] == CUSTOMER.removeprefix("+")


async def test_the_flow_id_is_all_that_follows_the_first_colon(graph, receiver):
    await reply(graph)
    wamid = await send(graph, reply_buttons(("m1:a:b", "A"), ("m1:b", "B")))
    message = await receiver.inbound_arrives(await click(graph, wamid, "a:b"))
    assert message["interactive"]["button_reply"]["id"] == "m1:a:b"
    message = await receiver.inbound_arrives(await click(graph, wamid, "b"))
    assert message["interactive"]["button_reply"]["id"] == "m1:b"


async def test_a_reply_button_comes_back_as_button_reply(graph, receiver):
    await reply(graph)
    wamid = await send(graph, reply_buttons(("m2:y", "Yes")))
    message = await receiver.inbound_arrives(await click(graph, wamid, "Yes"))
    assert message["interactive"] == {
        "type": "button_reply",
        "button_reply": {"id": "m2:y", "title": "Yes"},
    }
    assert message["context"]["id"] == wamid


async def test_a_list_row_comes_back_as_list_reply(graph, receiver):
    await reply(graph)
    wamid = await send(graph, list_rows({"id": "m3:r", "title": "Row", "description": "more"}))
    message = await receiver.inbound_arrives(await click(graph, wamid, "r"))
    assert message["interactive"] == {
        "type": "list_reply",
        "list_reply": {"id": "m3:r", "title": "Row", "description": "more"},
    }


async def test_a_message_is_tapped_by_our_own_id_too(graph, receiver):
    wamid = await send(graph, sale("ours"))
    message = await receiver.inbound_arrives(await click(graph, "ours", "More"))
    assert message["context"]["id"] == wamid


@pytest.mark.parametrize(("message_id", "button"), [("wamid.none", "More"), ("m1", "Never")])
async def test_tapping_what_is_unknown_is_404(graph, message_id, button):
    await send(graph, sale("m1"))
    answer = await graph.post("/_sim/click", json={"messageId": message_id, "button": button})
    assert answer.status_code == 404


async def test_a_message_that_failed_cannot_be_tapped(graph):
    await behave(graph, failWith=131026)
    wamid = await send(graph, sale())
    answer = await graph.post("/_sim/click", json={"messageId": wamid, "button": "More"})
    assert answer.status_code == 409


async def test_every_tap_is_an_inbound_message_of_its_own(graph, receiver):
    wamid = await send(graph, sale())
    taps = [await click(graph, wamid, "More") for _ in range(3)]
    assert len(set(taps)) == 3
    for tap in taps:
        await receiver.inbound_arrives(tap)


async def test_a_tap_delivers_what_was_not_delivered(graph, receiver):
    await behave(graph, deliver=False)
    wamid = await send(graph, sale("m1"))
    await receiver.statuses_reach(wamid, "sent")
    await receiver.inbound_arrives(await click(graph, wamid, "More"))
    statuses = await receiver.statuses_reach(wamid, "sent", "delivered")
    assert statuses[1]["biz_opaque_callback_data"] == "m1"
    await receiver.inbound_arrives(await click(graph, wamid, "More"))
    assert receiver.names(wamid) == ["sent", "delivered"]


async def test_a_reply_is_a_text_from_the_customer(graph, receiver):
    message = await receiver.inbound_arrives(await reply(graph, "STOP"))
    assert message["type"] == "text"
    assert message["text"] == {"body": "STOP"}
    assert message["from"] == CUSTOMER.removeprefix("+")
    assert "context" not in message


@pytest.mark.parametrize("open_window", [reply, lambda graph: click(graph, "m1", "More")])
async def test_free_form_fails_with_131047_until_the_customer_wrote_or_tapped(
    graph, receiver, open_window
):
    await send(graph, sale("m1"))
    (failed,) = await receiver.statuses_reach(await send(graph, text()), "failed")
    assert failed["errors"][0]["code"] == 131047
    await open_window(graph)
    await receiver.statuses_reach(await send(graph, text()), "sent", "delivered")
    await receiver.statuses_reach(await send(graph, text(to=MEXICAN)), "failed")


async def test_a_reply_goes_to_the_sender_who_wrote_last_unless_named(graph, receiver):
    second = {
        "phoneNumberId": "2002",
        "phoneNumber": "+15550002222",
        "wabaId": "3003",
        "accessToken": "token-two",
        "appSecret": "secret-one",
    }
    await graph.put("/_sim/channels", json=[second])

    async def receiving_channel(**sender: str) -> str:
        inbound = await reply(graph, **sender)
        await receiver.inbound_arrives(inbound)
        change = next(
            c for c in receiver.changes if c["value"].get("messages", [{}])[0].get("id") == inbound
        )
        return str(change["value"]["metadata"]["display_phone_number"])

    assert await receiving_channel() == SENDER.removeprefix("+")
    two = {"Authorization": "Bearer token-two"}
    await graph.post("/v25.0/2002/messages", json=text(), headers=two)
    assert await receiving_channel() == "15550002222"
    assert await receiving_channel(sender=SENDER) == SENDER.removeprefix("+")
    unknown = {"from": CUSTOMER, "text": "x", "sender": "+15559999999"}
    assert (await graph.post("/_sim/reply", json=unknown)).status_code == 404


async def test_the_window_is_open_for_the_number_that_was_written_to_only(graph, receiver):
    second = {
        "phoneNumberId": "2002",
        "phoneNumber": "+15550002222",
        "wabaId": "3003",
        "accessToken": "token-two",
        "appSecret": "secret-one",
    }
    await graph.put("/_sim/channels", json=[second])
    await reply(graph, sender="+15550002222")
    await receiver.statuses_reach(await send(graph, text()), "failed")


async def test_a_rewritten_whatsapp_id_is_answered_and_used_in_every_event(graph, receiver):
    await behave(graph, rewriteWaId=True)
    answer = (
        await graph.post("/v25.0/106540352242922/messages", json=sale("m1", to=MEXICAN))
    ).json()
    assert answer["contacts"] == [{"input": MEXICAN, "wa_id": "5215512345678"}]
    wamid = answer["messages"][0]["id"]
    statuses = await receiver.statuses_reach(wamid, "sent", "delivered")
    assert {status["recipient_id"] for status in statuses} == {"5215512345678"}
    for written in (MEXICAN, "+5215512345678"):
        given = {"from": written, "text": "x"}
        inbound = (await graph.post("/_sim/reply", json=given)).json()["id"]
        assert (await receiver.inbound_arrives(inbound))["from"] == "5215512345678"
    listed = (await graph.get("/_sim/messages", params={"to": "+5215512345678"})).json()["data"]
    assert [line["to"] for line in listed] == [MEXICAN]


async def test_a_hidden_phone_is_in_no_event_but_the_user_id_is(graph, receiver):
    await behave(graph, hidePhone=True)
    wamid = await send(graph, sale("m1"))
    inbound = await receiver.inbound_arrives(await click(graph, wamid, "More"))
    statuses = receiver.statuses(wamid)
    user = inbound["from_user_id"]
    assert "from" not in inbound
    assert all("recipient_id" not in status for status in statuses)
    assert {status["recipient_user_id"] for status in statuses} == {user}
    contacts = [c for change in receiver.changes for c in change["value"]["contacts"]]
    assert all("wa_id" not in contact and contact["user_id"] == user for contact in contacts)
