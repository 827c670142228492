"""Events on their way: each arrives, signed and in order, or is kept."""

import asyncio
import itertools
import random

from temporalio.testing import ActivityEnvironment

from activities.webhooks import SIDE_BY_SIDE
from domain.status import StatusName
from tests.webhooks.conftest import FIRST_PAUSE
from tests.webhooks.delivering import Office, courier
from tests.webhooks.receiver import Received, Receiver, moody, redirect

STATUSES: tuple[StatusName, ...] = ("sent", "delivered", "read")


def by_message(calls: list[Received]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for call in calls:
        message_id, status = call.about
        told.setdefault(message_id, []).append(status)
    return told


def without_repetitions(statuses: list[str]) -> list[str]:
    return [status for status, _ in itertools.groupby(statuses)]


async def test_every_event_arrives_in_order_and_signed_at_a_receiver_in_a_bad_mood(
    office: Office, receiver: Receiver
):
    """It fails at random, answers late, redirects, breaks off, and is away for a while."""
    receiver.behaviour = moody(7, failing=0.3, slow=0.1)
    webhook_id = await office.register(receiver.address)
    messages = await office.messages(40)
    reports = [(message, status) for message in messages for status in STATUSES]
    random.Random(7).shuffle(reports)
    for start in range(0, len(reports), 10):
        await office.happens(reports[start : start + 10])
        await office.deliver(webhook_id)
        if start == 40:
            await receiver.end()
        if start == 80:
            await receiver.begin()
            await office.pass_time(days=0)
    await office.deliver_all(webhook_id)

    told = by_message(receiver.taken)
    assert {m: without_repetitions(s) for m, s in told.items()} == {
        message: list(STATUSES) for message in messages
    }
    for statuses in by_message(receiver.got).values():
        assert without_repetitions(statuses) == list(STATUSES)
    assert receiver.unsigned == []
    assert len(receiver.got) > len(reports)
    assert await office.waiting(webhook_id) == []


async def test_an_event_keeps_its_id_at_every_try(office: Office, receiver: Receiver):
    answers = iter([500, 503, 200])

    async def third_time_lucky(_: Received) -> int:
        return next(answers)

    receiver.behaviour = third_time_lucky
    webhook_id = await office.register(receiver.address)
    (message,) = await office.messages(1)
    await office.happens([(message, "sent")])
    await office.deliver_all(webhook_id)

    assert len({call.event_id for call in receiver.got}) == 1
    assert len({call.body for call in receiver.got}) == 1
    assert len(receiver.got) == 3


async def test_pauses_grow(office: Office, receiver: Receiver):
    async def never(_: Received) -> int:
        return 500

    receiver.behaviour = never
    webhook_id = await office.register(receiver.address)
    (message,) = await office.messages(1)
    await office.happens([(message, "sent")])
    pauses = []
    for _ in range(6):
        pauses.append((await office.deliver(webhook_id)).again_in or 0.0)
        await office.pass_time(days=0)

    assert len(receiver.got) == 6
    for tries, pause in enumerate(pauses):
        assert 0.5 * 2**tries < pause / FIRST_PAUSE <= 1.25 * 2**tries


async def test_what_fails_keeps_only_the_later_events_of_its_message_waiting(
    office: Office, receiver: Receiver
):
    messages = await office.messages(5)

    async def not_the_first(call: Received) -> int:
        return 500 if call.about[0] == messages[0] else 200

    receiver.behaviour = not_the_first
    webhook_id = await office.register(receiver.address)
    await office.happens([(message, "read") for message in messages])
    await office.deliver(webhook_id)

    assert by_message(receiver.taken) == {m: list(STATUSES) for m in messages[1:]}
    assert by_message(receiver.got)[messages[0]] == ["sent"]
    assert [kind for kind, *_ in await office.waiting(webhook_id)] == list(STATUSES)


async def test_a_removed_registration_stops_at_once(office: Office, receiver: Receiver):
    """Also in the middle of a page whose receiver is slow."""
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: Received) -> int:
        arrived.set()
        await go_on.wait()
        await asyncio.sleep(0.15)
        return 200

    receiver.behaviour = slow
    webhook_id = await office.register(receiver.address)
    await office.happens([(message, "sent") for message in await office.messages(60)])
    delivering = asyncio.create_task(office.deliver(webhook_id))
    await arrived.wait()
    await office.unregister(webhook_id)
    go_on.set()

    assert (await delivering).again_in is None
    # Those that were on the wire; not one more of the sixty.
    assert 1 <= len(receiver.got) <= SIDE_BY_SIDE
    assert await office.waiting(webhook_id) == []


async def test_a_redirect_is_not_followed(office: Office, receiver: Receiver):
    async with Receiver() as elsewhere:

        async def away(_: Received) -> bytes:
            return redirect(elsewhere.address)

        receiver.behaviour = away
        webhook_id = await office.register(receiver.address)
        (message,) = await office.messages(1)
        await office.happens([(message, "sent")])
        await office.deliver(webhook_id)

        assert elsewhere.got == []
    assert len(receiver.got) == 1
    assert await office.waiting(webhook_id) == [("sent", "pending", "HTTP 307")]


async def test_an_endless_answer_is_not_read(office: Office, receiver: Receiver):
    async def endless(_: Received) -> bytes:
        return b"HTTP/1.1 200 X\r\ncontent-length: 10000000\r\n\r\n" + b"x" * 100_000

    receiver.behaviour = endless
    webhook_id = await office.register(receiver.address)
    await office.happens([(message, "sent") for message in await office.messages(3)])
    await office.deliver_all(webhook_id)

    assert len(receiver.got) == 3
    assert await office.waiting(webhook_id) == []


async def test_an_answer_that_hangs_after_its_status_is_given(office: Office, receiver: Receiver):
    async def hanging(_: Received) -> bytes:
        return b"HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\no"

    receiver.behaviour = hanging
    webhook_id = await office.register(receiver.address)
    await office.happens([(message, "sent") for message in await office.messages(3)])
    await office.deliver(webhook_id)

    assert len(receiver.got) == 3
    assert await office.waiting(webhook_id) == []


async def test_a_receiver_that_never_answers_fails_the_event(office: Office, receiver: Receiver):
    async def asleep(_: Received) -> int:
        await asyncio.sleep(60)
        return 200

    receiver.behaviour = asleep
    webhook_id = await office.register(receiver.address)
    await office.happens([(message, "sent") for message in await office.messages(1)])
    await office.deliver(webhook_id, courier(timeout=0.2))

    said = "no answer within 0.2 seconds"
    assert await office.waiting(webhook_id) == [("sent", "pending", said)]


async def test_connections_are_used_again(office: Office, receiver: Receiver):
    webhook_id = await office.register(receiver.address)
    await office.happens([(message, "read") for message in await office.messages(30)])
    await office.deliver_all(webhook_id)

    assert len(receiver.taken) == 90
    assert receiver.connections <= SIDE_BY_SIDE


async def test_a_receiver_that_is_away_is_only_knocked_at(office: Office, receiver: Receiver):
    webhook_id = await office.register(receiver.address)
    await office.happens([(message, "sent") for message in await office.messages(100)])
    await receiver.end()
    answer = await office.deliver(webhook_id)

    assert answer.again_in is not None
    tried = [error for _, _, error in await office.waiting(webhook_id) if error is not None]
    assert tried
    assert set(tried) == {"no connection"}
    assert len(tried) <= 20 + SIDE_BY_SIDE
    await office.pass_time(days=0)
    await office.deliver(webhook_id)
    again = [error for _, _, error in await office.waiting(webhook_id) if error is not None]
    assert len(again) - len(tried) <= 1
    await receiver.begin()
    await office.deliver_all(webhook_id)
    assert len(receiver.taken) == 100


async def test_what_nobody_took_for_a_day_is_given_up_and_kept(office: Office, receiver: Receiver):
    async def never(_: Received) -> int:
        return 500

    receiver.behaviour = never
    webhook_id = await office.register(receiver.address)
    messages = await office.messages(2)
    await office.happens([(message, "sent") for message in messages])
    await office.deliver(webhook_id)
    await office.pass_time(days=1)
    answer = await office.deliver(webhook_id)

    assert answer.again_in is None
    assert await office.waiting(webhook_id) == [("sent", "failed", "HTTP 500")] * 2
    await office.deliver(webhook_id)
    assert len(receiver.got) == 4


async def test_with_the_receiver_away_for_a_day_all_is_given_up_though_not_all_was_tried(
    office: Office, receiver: Receiver
):
    webhook_id = await office.register(receiver.address)
    await office.happens([(message, "sent") for message in await office.messages(100)])
    await receiver.end()
    await office.deliver(webhook_id)
    await office.pass_time(days=2)
    await office.deliver(webhook_id)

    assert {state for _, state, _ in await office.waiting(webhook_id)} == {"failed"}


async def test_a_later_status_makes_an_earlier_one_that_was_given_up_pointless(
    office: Office, receiver: Receiver
):
    """It could only be sent after the later one, and a status never goes back."""
    refused = True

    async def at_first_never(_: Received) -> int:
        return 500 if refused else 200

    receiver.behaviour = at_first_never
    webhook_id = await office.register(receiver.address)
    (message,) = await office.messages(1)
    await office.happens([(message, "sent")])
    await office.deliver(webhook_id)
    await office.pass_time(days=1)
    await office.deliver(webhook_id)
    assert await office.waiting(webhook_id) == [("sent", "failed", "HTTP 500")]
    refused = False
    await office.happens([(message, "delivered")])
    await office.deliver_all(webhook_id)

    assert await office.waiting(webhook_id) == []
    assert by_message(receiver.taken) == {message: ["delivered"]}


async def test_a_worker_that_stops_ends_its_calls_and_leaves_the_rest_to_the_next(
    office: Office, receiver: Receiver
):
    environment = ActivityEnvironment()

    async def slow(_: Received) -> int:
        environment.worker_shutdown()
        await asyncio.sleep(0.1)
        return 200

    receiver.behaviour = slow
    webhook_id = await office.register(receiver.address)
    await office.happens([(message, "sent") for message in await office.messages(60)])
    answer = await office.deliver(webhook_id, environment=environment)

    assert answer.again_in == 0, "it is not leased any more"
    assert 1 <= len(receiver.taken) <= SIDE_BY_SIDE
    assert len(await office.waiting(webhook_id)) == 60 - len(receiver.taken)


async def test_a_crash_of_the_deliverer_loses_nothing(office: Office, receiver: Receiver):
    arrived = asyncio.Event()

    async def hangs(_: Received) -> int:
        arrived.set()
        await asyncio.sleep(60)
        return 200

    receiver.behaviour = hangs
    webhook_id = await office.register(receiver.address)
    (message,) = await office.messages(1)
    await office.happens([(message, "read")])
    crashing = asyncio.create_task(office.deliver(webhook_id))
    await arrived.wait()
    crashing.cancel()
    await asyncio.gather(crashing, return_exceptions=True)

    receiver.behaviour = Receiver().behaviour
    waits = (await office.deliver(webhook_id)).again_in
    assert waits is not None, "leased: nobody else sends it meanwhile"
    assert receiver.taken == []
    await office.deliver_all(webhook_id)
    assert by_message(receiver.taken) == {message: list(STATUSES)}
