import asyncio
import json
import time

from tests.whatsapp.simulator.harness import (
    CUSTOMER,
    MESSAGES,
    SENDER,
    SENDER_ID,
    WABA,
    behave,
    click,
    definition,
    reply,
    sale,
    send,
    template,
    text,
)


async def test_statuses_come_signed_in_order_and_carry_our_id(graph, receiver):
    await behave(graph, read=True)
    earliest = int(time.time())
    wamid = await send(graph, sale("01J9"))
    statuses = await receiver.statuses_reach(wamid, "sent", "delivered", "read")
    assert receiver.unsigned == []
    assert {status["biz_opaque_callback_data"] for status in statuses} == {"01J9"}
    assert {status["recipient_id"] for status in statuses} == {CUSTOMER.removeprefix("+")}
    assert all(earliest <= int(status["timestamp"]) <= time.time() for status in statuses)
    assert all(isinstance(status["timestamp"], str) for status in statuses)
    assert all("conversation" not in status for status in statuses)


async def test_pricing_is_told_in_sent_and_once_more(graph, receiver):
    await behave(graph, read=True)
    wamid = await send(graph, sale())
    statuses = await receiver.statuses_reach(wamid, "sent", "delivered", "read")
    assert [status.get("pricing", {}).get("category") for status in statuses] == [
        "marketing",
        "marketing",
        None,
    ]


async def test_a_webhook_names_account_channel_and_contact(graph, receiver):
    wamid = await send(graph, sale())
    await receiver.statuses_reach(wamid, "sent", "delivered")
    change = next(c for c in receiver.changes if c["value"]["statuses"][0]["id"] == wamid)
    assert (change["waba"], change["field"]) == (WABA, "messages")
    assert change["value"]["messaging_product"] == "whatsapp"
    assert change["value"]["metadata"] == {
        "display_phone_number": SENDER.removeprefix("+"),
        "phone_number_id": SENDER_ID,
    }
    (contact,) = change["value"]["contacts"]
    assert contact["wa_id"] == CUSTOMER.removeprefix("+")
    assert contact["user_id"].startswith("US.")


async def test_a_failed_status_has_the_error_and_no_contact(graph, receiver):
    await behave(graph, failWith=131049)
    wamid = await send(graph, sale("m9"))
    (status,) = await receiver.statuses_reach(wamid, "failed")
    assert status["biz_opaque_callback_data"] == "m9"
    (error,) = status["errors"]
    assert error["code"] == 131049
    assert error["title"] == error["message"]
    assert error["error_data"]["details"]
    assert "pricing" not in status
    change = next(c for c in receiver.changes if c["value"]["statuses"][0]["id"] == wamid)
    assert "contacts" not in change["value"]


async def test_bodies_are_ascii_with_slashes_escaped(graph, receiver):
    inbound = await reply(graph, "¿Qué día? 24/12 👍")
    message = await receiver.inbound_arrives(inbound)
    assert message["text"]["body"] == "¿Qué día? 24/12 👍"
    body = next(body for body in receiver.bodies if inbound.split(".")[1].encode() in body)
    assert b"24\\/12" in body
    assert b"\\u00bfQu\\u00e9" in body


async def test_statuses_are_delayed_by_the_delay_each(graph, receiver):
    await behave(graph, delayMs=120)
    start = time.monotonic()
    wamid = await send(graph, sale())
    await receiver.until(lambda: bool(receiver.names(wamid)))
    assert time.monotonic() - start > 0.1
    await receiver.statuses_reach(wamid, "sent", "delivered")
    assert time.monotonic() - start > 0.22


async def test_a_webhook_is_repeated_until_answered_200_in_order(graph, receiver):
    answers = iter([302, 204])
    receiver.answer = lambda _body: next(answers, 200)
    wamid = await send(graph, sale())
    await receiver.statuses_reach(wamid, "sent", "delivered")
    assert next(answers, None) is None, "anything but 200 must be repeated"


async def test_a_webhook_that_is_never_taken_does_not_hold_up_others(graph, receiver):
    receiver.answer = lambda body: 500 if "poison" in body else 200
    await behave(graph, delayMs=0)
    await reply(graph, "poison")
    wamids = [await send(graph, sale(to=f"+1604555{i:04d}")) for i in range(30)]
    for wamid in wamids:
        await receiver.statuses_reach(wamid, "sent", "delivered")


async def test_a_receiver_in_trouble_gets_everything_once_it_is_back(graph, receiver):
    receiver.answer = lambda _body: 503
    wamid = await send(graph, sale())
    await receiver.until(lambda: any(wamid in body for body in receiver.attempts))
    assert receiver.names(wamid) == []
    receiver.answer = lambda _body: 200
    await receiver.statuses_reach(wamid, "sent", "delivered")


async def test_a_reset_withdraws_undelivered_webhooks(graph, receiver):
    receiver.answer = lambda _body: 503
    wamid = await send(graph, sale())
    await receiver.until(lambda: any(wamid in body for body in receiver.attempts))
    await graph.post("/_sim/reset")
    receiver.answer = lambda _body: 200
    await receiver.inbound_arrives(await reply(graph))
    await asyncio.sleep(0.3)
    assert receiver.names(wamid) == []


async def test_each_channel_signs_with_its_own_secret(graph, receiver):
    other = {
        "phoneNumberId": "2002",
        "phoneNumber": "+15550002222",
        "wabaId": "3003",
        "accessToken": "token-two",
        "appSecret": "secret-two",
    }
    assert (await graph.put("/_sim/channels", json=[other])).status_code == 200
    receiver.secret = "secret-two"
    try:
        answer = await graph.post(
            "/v25.0/2002/messages", json=text(), headers={"Authorization": "Bearer token-two"}
        )
        wamid = answer.json()["messages"][0]["id"]
        await receiver.until(lambda: bool(receiver.names(wamid)))
    finally:
        receiver.secret = "secret-one"
    change = next(c for c in receiver.changes if wamid in json.dumps(c))
    assert change["waba"] == "3003"
    assert change["value"]["metadata"]["phone_number_id"] == "2002"


async def test_templates_belong_to_their_account_and_tokens_to_their_channel(graph):
    other = {
        "phoneNumberId": "2002",
        "phoneNumber": "+15550002222",
        "wabaId": "3003",
        "accessToken": "token-two",
        "appSecret": "secret-two",
    }
    await graph.put("/_sim/channels", json={"data": [other]})
    two = {"Authorization": "Bearer token-two"}
    path = "/v25.0/2002/messages"
    assert (await graph.post(path, json=sale(), headers=two)).json()["error"]["code"] == 132001
    foreign = (await graph.post(path, json=sale())).json()["error"]
    assert (foreign["code"], foreign["error_subcode"]) == (100, 33)
    await graph.put("/_sim/channels", json=[{**other, "accessToken": "token-three"}])
    expired = await graph.post(path, json=sale(), headers=two)
    assert (expired.status_code, expired.json()["error"]["code"]) == (401, 190)
    listed = (await graph.get("/_sim/channels")).json()["data"]
    assert [channel["phoneNumberId"] for channel in listed] == [SENDER_ID, "2002"]
    assert "token-three" not in json.dumps(listed)


async def test_a_stopped_customer_gets_no_marketing_until_resumed(graph, receiver):
    await graph.put(
        "/_sim/templates",
        json=[
            definition("news", {"type": "BODY", "text": "News"}),
            definition("bill", {"type": "BODY", "text": "Bill"}, category="UTILITY"),
        ],
    )

    async def prefer(value: str) -> None:
        answer = await graph.post("/_sim/user-preference", json={"from": CUSTOMER, "value": value})
        assert answer.status_code == 200

    await prefer("stop")
    await receiver.until(lambda: bool(receiver.items("user_preferences")))
    (preference,) = receiver.items("user_preferences")
    assert (preference["value"], preference["category"]) == ("stop", "marketing_messages")
    assert preference["wa_id"] == CUSTOMER.removeprefix("+")
    assert isinstance(preference["timestamp"], int)
    assert receiver.changes[-1]["field"] == "user_preferences"
    (failed,) = await receiver.statuses_reach(await send(graph, template("news")), "failed")
    assert failed["errors"][0]["code"] == 131050
    await receiver.statuses_reach(await send(graph, template("bill")), "sent", "delivered")
    await prefer("resume")
    await receiver.statuses_reach(await send(graph, template("news")), "sent", "delivered")


async def test_a_click_never_overtakes_the_statuses_of_its_message(graph, receiver):
    await behave(graph, delayMs=30_000)
    wamid = await send(graph, sale())
    inbound = await click(graph, wamid, "More")
    await receiver.inbound_arrives(inbound)
    assert receiver.names(wamid) == ["sent", "delivered"]
    everything = b"".join(receiver.bodies).decode()
    assert everything.index('"delivered"') < everything.index(f'"{inbound}"')


async def test_marking_read_or_a_refusal_makes_no_webhook(graph, receiver):
    await graph.post(MESSAGES, json=text(to=SENDER))
    await receiver.inbound_arrives(await reply(graph))
    assert receiver.items("statuses") == []
