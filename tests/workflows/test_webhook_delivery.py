"""One workflow per registration: woken, it delivers everything, and its history stays short."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.webhooks import Delivering
from settings import Settings
from storage.session import Database
from storage.webhook_deliveries import WebhookDeliveries
from temporal import delivery_worker, running, workflow_runner
from tests.webhooks.delivering import Office, courier
from tests.webhooks.receiver import Received, Receiver
from tests.workflows.conftest import eventually
from webhook_wakes import WebhookWakes
from workflows import messages
from workflows.converter import data_converter
from workflows.webhook_delivery import WebhookDeliveryWorkflow


class NoFlows:
    """Deliveries carry no flow."""

    async def flow_document(self, flow_hash: str) -> str:
        raise AssertionError(flow_hash)


@pytest.fixture
async def office(database: Database, business: None) -> Office:
    return Office(database)


@pytest.fixture
async def client(time_skipping: WorkflowEnvironment) -> Client:
    config = time_skipping.client.config()
    config["data_converter"] = data_converter(NoFlows())
    return Client(**config)


@pytest.fixture
async def wakes(
    client: Client, database: Database, postgres_url: str
) -> AsyncIterator[WebhookWakes]:
    """The way to the workflows, with a worker that runs them in the full sandbox."""
    settings = Settings(
        database_url=postgres_url, task_queue=f"t-{uuid4()}", workflow_sandbox="full"
    )
    delivering = Delivering(WebhookDeliveries(database), courier(), lingers=0.2)
    workers = [
        Worker(
            client,
            task_queue=settings.task_queue,
            workflows=[WebhookDeliveryWorkflow],
            workflow_runner=workflow_runner(settings),
        ),
        delivery_worker(client, settings, delivering),
    ]
    async with running(workers):
        yield WebhookWakes(client, database, task_queue=settings.task_queue)


def workflow(client: Client, webhook_id: UUID) -> WorkflowHandle[object, object]:
    return client.get_workflow_handle(messages.webhook_workflow_id(webhook_id))


async def status(client: Client, webhook_id: UUID) -> WorkflowExecutionStatus | None:
    return (await workflow(client, webhook_id).describe()).status


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
        await workflow(client, webhook_id).result()
        history = await workflow(client, webhook_id).fetch_history()
        assert len(history.events) < 20
        assert receiver.address not in history.to_json()
        assert receiver.secret not in history.to_json()


async def test_it_sleeps_until_the_next_try_and_ends_with_its_registration(
    office: Office, client: Client, wakes: WebhookWakes
):
    async def never(_: Received) -> int:
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
        await workflow(client, webhook_id).result()


async def test_an_event_after_the_end_starts_it_anew(
    office: Office, client: Client, wakes: WebhookWakes
):
    async with Receiver() as receiver:
        webhook_id = await office.register(receiver.address)
        for message in await office.messages(2):
            await office.happens([(message, "sent")])
            assert await wakes.sweep() == 1
            await workflow(client, webhook_id).result()

        assert len(receiver.taken) == 2
