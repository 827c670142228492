"""Deliveries to businesses as they run: their workflow and their activity, on a real record."""

import contextlib
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.webhooks import Delivering
from settings import Settings
from storage.session import Database
from storage.webhook_deliveries import WebhookDeliveries
from temporal import delivery_worker, running, workflow_runner
from tests.webhooks.delivering import courier
from webhook_wakes import WebhookWakes
from workflows import messages
from workflows.converter import data_converter
from workflows.webhook_delivery import WebhookDeliveryWorkflow


class _NoFlows:
    """Deliveries carry no flow."""

    async def flow_document(self, flow_hash: str) -> str:
        raise AssertionError(flow_hash)


def speaking(client: Client) -> Client:
    """The client with the converter of production."""
    config = client.config()
    config["data_converter"] = data_converter(_NoFlows())
    return Client(**config)


@contextlib.asynccontextmanager
async def delivering(
    client: Client, database: Database, postgres_url: str
) -> AsyncIterator[WebhookWakes]:
    """The way to the workflows, with workers that run them in the full sandbox meanwhile."""
    settings = Settings(
        database_url=postgres_url, task_queue=f"t-{uuid4()}", workflow_sandbox="full"
    )
    activity = Delivering(WebhookDeliveries(database), courier(), lingers=0.2)
    workers = [
        Worker(
            client,
            task_queue=settings.task_queue,
            workflows=[WebhookDeliveryWorkflow],
            workflow_runner=workflow_runner(settings),
        ),
        delivery_worker(client, settings, activity),
    ]
    async with running(workers):
        yield WebhookWakes(client, database, task_queue=settings.task_queue)


def workflow_of(client: Client, webhook_id: UUID) -> WorkflowHandle[object, object]:
    """The workflow that delivers to a registration."""
    return client.get_workflow_handle(messages.webhook_workflow_id(webhook_id))
