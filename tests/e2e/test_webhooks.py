"""A whole stack tells the business what happens: every event, signed, in order, and nothing else."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from ulid import ULID

from embedded.ports import free_ports
from embedded.stack import Stack
from storage.session import Database
from tests.e2e.business import Business
from tests.e2e.closing import await_closed
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import flow, invitation, template
from tests.e2e.patience import eventually, until
from tests.webhooks.receiver import SECRET, Received, Receiver, moody
from workflows.messages import webhook_workflow_id

WAY = ["sent", "delivered", "read"]


class RunningReceiver:
    """A receiver on an event loop of its own."""

    def __init__(self, secret: str = SECRET) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        # While it is away, nobody else is given its port.
        self.receiver = Receiver(secret=secret, port=free_ports(1)[0])
        self.begin()

    def begin(self) -> None:
        asyncio.run_coroutine_threadsafe(self.receiver.begin(), self._loop).result(10)

    def end(self) -> None:
        """Be away."""
        asyncio.run_coroutine_threadsafe(self.receiver.end(), self._loop).result(10)

    def close(self) -> None:
        self.end()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def taken(self) -> list[Received]:
        """What was answered with 2xx, repetitions included."""
        return list(self.receiver.taken)

    def statuses(self) -> dict[str, dict[str, list[str]]]:
        """Of each customer, of each message, what became of it; repetitions once."""
        told: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for call in self.taken:
            message_id, status = call.about
            told[call.event["recipient"]["id"]][message_id].append(status)
        return {
            client: {message: [s for s, _ in groupby(all_)] for message, all_ in messages.items()}
            for client, messages in told.items()
        }

    def ways(self) -> dict[str, list[list[str]]]:
        """The same without the ids."""
        return {client: list(ways.values()) for client, ways in self.statuses().items()}


class Registrations:
    """The registrations of one test, for its campaigns alone; removed with it."""

    def __init__(self, business: Business, name: str) -> None:
        self._business = business
        self._filters = [{"field": "campaign_name", "expression": f"{name}*"}]
        self._made: list[str] = []

    def add(self, topic: str, address: str, **configuration: Any) -> str:
        body = {
            "topic": topic,
            "address": address,
            "secret": SECRET,
            "configuration": {"filters": self._filters, **configuration},
        }
        webhook_id = str(self._business.post("/create/webhooks", body)["id"])
        self._made.append(webhook_id)
        return webhook_id

    def remove(self, webhook_id: str) -> None:
        assert self._business.http.delete(f"/delete/webhooks/{webhook_id}").json() == {}
        self._made.remove(webhook_id)

    def waiting(self, webhook_id: str, state: str = "pending") -> list[dict[str, Any]]:
        path = f"/webhooks/{webhook_id}/deliveries"
        listed: list[dict[str, Any]] = self._business.get(path, state=state, limit=500)["data"]
        return listed

    def remove_all(self) -> None:
        for webhook_id in list(self._made):
            self.remove(webhook_id)


@pytest.fixture
def receiver() -> Iterator[RunningReceiver]:
    running = RunningReceiver()
    yield running
    running.close()


@pytest.fixture
def registrations(business: Business, name: str) -> Iterator[Registrations]:
    made = Registrations(business, name)
    yield made
    made.remove_all()


def test_what_becomes_of_every_message_is_told(
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    receiver: RunningReceiver,
    registrations: Registrations,
):
    """Read, refused in the answer, failed by status, opted out before the first send, duplicate."""
    reading, refused, failing, out = numbers.take(4)
    customers.behave([reading], read=True, shuffleStatuses=True, duplicateStatuses=True)
    customers.behave([refused], failWith={"code": 131051, "via": "answer"})
    customers.behave([failing], failWith={"code": 131026, "via": "status"})
    business.http.put(f"/opt-outs/{out}", json={"source": "shop"}).raise_for_status()
    registrations.add("delivery_status", receiver.receiver.address)
    everybody = [reading, refused, failing, out]
    business.publish(name, flow(hello=template("Told!")))
    data = {"order": 1.5, "tags": ["a"]}
    sendout = business.send(name, everybody, callbackData=data)
    sendout.await_idle()
    entry = sendout.entry(reading)
    business.send(name, everybody[:1])

    def ways() -> dict[str, list[str]]:
        told = {client: way for client, (way,) in receiver.ways().items()}
        return {c: [s for s in way if s != "sent" or c == reading] for c, way in told.items()}

    expected = {
        reading: WAY,
        refused: ["delivery_failed"],
        # WhatsApp took it before it reported the failure, which it need not have called sent.
        failing: ["delivery_failed"],
        out: ["delivery_failed"],
    }
    eventually(ways, expected)
    assert receiver.receiver.unsigned == []
    codes = {}
    for call in receiver.taken:
        event = call.event
        update = event["statusUpdate"]
        assert event["callbackData"] == data
        assert event["metadata"]["campaign_name"] == name == update["metadata"]["campaignName"]
        assert event["metadata"]["sendoutId"] == sendout.id
        assert event["sender"]["id"] == "+15550001111"
        assert call.headers["content-type"] == "application/json"
        if update["error"] is not None:
            codes[event["recipient"]["id"]] = update["error"]["code"]
    assert codes == {
        refused: "ERROR_CODE_BAD_REQUEST",
        failing: "ERROR_CODE_MESSAGE_UNDELIVERABLE",
        out: "ERROR_CODE_MESSAGE_CUSTOMER_OPTED_OUT",
    }
    (message_id,) = receiver.statuses()[reading]
    told = next(call.event for call in receiver.taken if call.about[0] == message_id)
    assert told["metadata"]["entryId"] == entry["entryId"]
    assert told["metadata"]["nodeId"] == "hello"


def test_the_test_of_a_draft_is_told_as_one(
    business: Business,
    numbers: PhoneNumbers,
    name: str,
    receiver: RunningReceiver,
    registrations: Registrations,
):
    (client,) = numbers.take(1)
    registrations.add("delivery_status", receiver.receiver.address)
    campaign_id = business.draft(name, flow(hello=template("Told of a test!")))
    business.post(f"/campaigns/{campaign_id}/test", {"client": client})

    eventually(receiver.ways, {client: [["sent", "delivered"]]})
    assert all(call.event["metadata"]["test"] is True for call in receiver.taken)


def test_messages_of_customers_and_to_them(
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    receiver: RunningReceiver,
    registrations: Registrations,
):
    """A tap answers a message of ours; with `echo` what is sent is told, too."""
    (curious,) = numbers.take(1)
    registrations.add("messages", receiver.receiver.address, echo=True)
    business.publish(name, invitation(60))
    business.send(name, [curious], callbackData="cd")
    customers.tap(customers.await_message(curious, "Hello!"), "yes")
    customers.await_message(curious, "Here is more.")

    def told() -> list[str]:
        events = [call.event for call in receiver.taken]
        return sorted(
            e["message"]["text"] if "message" in e else f"tap {e['buttonResponse']['payload']}"
            for e in events
        )

    eventually(told, ["Hello!", "Here is more.", "tap yes"])
    by_kind = {"buttonResponse" in call.event: call.event for call in receiver.taken}
    tap = by_kind[True]
    echoes = [c.event["message"] for c in receiver.taken if "message" in c.event]
    assert all(echo["isEcho"] for echo in echoes)
    hello = next(echo["id"] for echo in echoes if echo["text"] == "Hello!")
    assert tap["context"] == {"replyToId": str(UUID(bytes=ULID.from_str(hello).bytes))}
    assert tap["buttonResponse"]["text"] == "Yes"
    assert (tap["sender"]["id"], tap["recipient"]["id"]) == (curious, "+15550001111")
    assert tap["callbackData"] == "cd"
    assert receiver.receiver.unsigned == []


def test_a_receiver_in_a_bad_mood_misses_nothing_though_parts_die(
    stack: Stack,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    receiver: RunningReceiver,
    registrations: Registrations,
):
    """It fails at random and is away for a while; the worker and the API are killed meanwhile."""
    clients = numbers.take(60)
    customers.behave(clients, read=True, delayMs=100, shuffleStatuses=True)
    receiver.receiver.behaviour = moody(11, failing=0.25, slow=0.2)
    webhook_id = registrations.add("delivery_status", receiver.receiver.address)
    sendout = business.start(name, flow(hello=template("Told to the moody!")), clients[:30])
    until(lambda taken: len(taken) > 10, lambda: receiver.taken)
    # A send that is cut off may never be made, and is another story than this one.
    eventually(lambda: sendout.read()["messages"]["sent"], 30)
    stack.kill("worker")
    receiver.end()
    business.send(name, clients[30:])
    until(bool, lambda: registrations.waiting(webhook_id))
    stack.kill("api")
    stack.wait_ready()
    receiver.begin()

    # To an address that was away one event is tried at a time, after up to 75 seconds each, and a
    # quarter of these fail.
    eventually(receiver.ways, {client: [WAY] for client in clients}, within=600)
    eventually(lambda: len(registrations.waiting(webhook_id)), 0, within=600)
    got: dict[str, list[str]] = defaultdict(list)
    for call in receiver.receiver.got:
        message_id, status = call.about
        got[message_id].append(status)
    assert {tuple(s for s, _ in groupby(all_)) for all_ in got.values()} == {tuple(WAY)}
    assert receiver.receiver.unsigned == []


def test_a_dead_address_delays_no_other_registration(
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    receiver: RunningReceiver,
    registrations: Registrations,
):
    """Not even one that takes every call and answers none."""
    clients = numbers.take(20)

    async def asleep(_: Received) -> int:
        await asyncio.sleep(3600)
        return 200

    hanging = RunningReceiver()
    hanging.receiver.behaviour = asleep
    try:
        dead = registrations.add("delivery_status", hanging.receiver.address)
        registrations.add("messages", receiver.receiver.address, echo=True)
        business.start(name, flow(hello=template("Told to one of two!")), clients)
        until(lambda taken: len(taken) == 20, lambda: receiver.taken)
        assert hanging.taken == []
        until(lambda waiting: len(waiting) >= 20, lambda: registrations.waiting(dead))
    finally:
        registrations.remove_all()
        hanging.close()


def test_removing_a_registration_stops_it_at_once(
    stack: Stack,
    business: Business,
    numbers: PhoneNumbers,
    name: str,
    receiver: RunningReceiver,
    registrations: Registrations,
):
    clients = numbers.take(30)
    webhook_id = registrations.add("delivery_status", receiver.receiver.address)
    business.start(name, flow(hello=template("Told until now!")), clients[:10])
    until(bool, lambda: receiver.taken)
    registrations.remove(webhook_id)
    await_closed(stack, webhook_workflow_id(UUID(webhook_id)))  # nothing is on the wire
    told = len(receiver.receiver.got)
    sendout = business.send(name, clients[10:])
    # The same one, which goes on.
    eventually(lambda: sendout.read()["messages"]["delivered"], len(clients))
    # Whoever registers next gets what happens from then on, after all that happened before.
    registrations.add("delivery_status", receiver.receiver.address)
    (late,) = numbers.take(1)
    business.send(name, [late])
    until(lambda seen: late in seen, receiver.ways)

    assert len({c.event["recipient"]["id"] for c in receiver.receiver.got[told:]}) == 1


def test_what_was_given_up_is_listed_and_sent_again(
    stack: Stack,
    business: Business,
    numbers: PhoneNumbers,
    name: str,
    receiver: RunningReceiver,
    registrations: Registrations,
):
    (client,) = numbers.take(1)
    receiver.end()
    webhook_id = registrations.add("delivery_status", receiver.receiver.address)
    business.start(name, flow(hello=template("Told a day late!")), [client])
    until(lambda waiting: len(waiting) == 2, lambda: registrations.waiting(webhook_id))
    age(stack, webhook_id)
    given_up = until(
        lambda failed: len(failed) == 2, lambda: registrations.waiting(webhook_id, "failed")
    )
    assert {e["kind"] for e in given_up} == {"sent", "delivered"}
    # A machine that stalls may not even get to hear that nobody is there.
    assert {e["lastError"] for e in given_up} <= {"no connection", "no answer within 10 seconds"}
    receiver.begin()
    assert business.post(f"/webhooks/{webhook_id}/deliveries/retry") == {"retried": 2}
    eventually(receiver.ways, {client: [["sent", "delivered"]]})


def age(stack: Stack, webhook_id: str) -> None:
    """Let a day pass for the events of a registration."""
    older = """
        UPDATE webhook_events SET pending_since = pending_since - interval '2 days',
            next_at = now() - interval '2 days' WHERE webhook_id = :id
    """

    async def change() -> None:
        async with (
            Database(stack.database_url, pool_size=1) as database,
            database.transaction() as connection,
        ):
            await connection.execute(text(older), {"id": webhook_id})

    asyncio.run(change())


def test_loopback_is_for_the_embedded_stack_alone(business: Business):
    """It allows what is private no further than that."""
    answer = business.http.post(
        "/create/webhooks", json={"topic": "report", "address": "https://10.0.0.1/hook"}
    )

    assert answer.status_code == 400
    assert "private" in answer.json()["message"]
