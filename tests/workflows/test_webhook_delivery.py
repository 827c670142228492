"""One workflow per registration: woken, it delivers everything, and its history stays short."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from storage.session import Database
from tests.webhooks.delivering import Office
from tests.webhooks.receiver import Received, Receiver
from tests.workflows.deliveries import delivering, speaking, workflow_of
from tests.workflows.world import eventually
from webhook_wakes import WebhookWakes


@pytest.fixture
async def office(database: Database, business: None) -> Office:
    return Office(database)


@pytest.fixture
def client(time_skipping: WorkflowEnvironment) -> Client:
    return speaking(time_skipping.client)


@pytest.fixture
async def wakes(
    client: Client, database: Database, postgres_url: str
) -> AsyncIterator[WebhookWakes]:
    async with delivering(client, database, postgres_url) as wakes:
        yield wakes


async def status(client: Client, webhook_id: UUID) -> WorkflowExecutionStatus | None:
    return (await workflow_of(client, webhook_id).describe()).status


async def test_hundreds_of_events_make_no_history_of_hundreds(
    office: Office, client: Client, wakes: WebhookWakes
):
    async with Receiver() as receiver:
        webhook_id = await office.register(receiver.address)
        await office.happens([(message, "read") for message in await office.messages(100)])
        wakes.wake()

        async def taken() -> int:
            return len(receiver.taken)

        await eventually(taken, 300)
        await workflow_of(client, webhook_id).result()
        history = await workflow_of(client, webhook_id).fetch_history()
        assert len(history.events) < 20
        assert receiver.address not in history.to_json()
        assert receiver.secret not in history.to_json()


async def test_it_sleeps_until_the_next_try_and_ends_with_its_registration(
    office: Office, client: Client, wakes: WebhookWakes, monkeypatch: pytest.MonkeyPatch
):
    async def never(_: Received) -> int:
        if receiver.got[1:]:
            monkeypatch.setattr("domain.webhook_events._FIRST_PAUSE", 3600.0)
        return 500

    async with Receiver(behaviour=never) as receiver:
        webhook_id = await office.register(receiver.address)
        await office.happens([(message, "sent") for message in await office.messages(1)])
        assert await wakes.wake_now() == 1

        async def tried() -> bool:
            return len(receiver.got) >= 2

        await eventually(tried, True)
        assert await status(client, webhook_id) is WorkflowExecutionStatus.RUNNING
        assert await wakes.wake_now() == 0
        await office.unregister(webhook_id)
        wakes.wake_one(webhook_id)
        await workflow_of(client, webhook_id).result()


async def test_an_event_after_the_end_starts_it_anew(
    office: Office, client: Client, wakes: WebhookWakes
):
    async with Receiver() as receiver:
        webhook_id = await office.register(receiver.address)
        for message in await office.messages(2):
            await office.happens([(message, "sent")])
            assert await wakes.sweep() == 1
            await workflow_of(client, webhook_id).result()

        assert len(receiver.taken) == 2
