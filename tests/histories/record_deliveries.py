"""Record one history per shape of webhook delivery: `python -m tests.histories.record_deliveries`.

As `tests.histories.record`, which tells when.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from embedded.postgres import running_postgres
from storage.schema import migrate
from storage.session import Database
from tests.histories.record import HERE, dev_server, keep
from tests.record import add_business
from tests.webhooks.delivering import Office
from tests.webhooks.receiver import Received, Receiver
from tests.workflows.deliveries import delivering, speaking, workflow_of
from tests.workflows.world import eventually
from webhook_wakes import WebhookWakes


class Delivery:
    """One registration with a receiver that fails as often as it is told, and its workflow."""

    def __init__(self, office: Office, wakes: WebhookWakes, client: Client) -> None:
        self._office = office
        self._wakes = wakes
        self._client = client
        self._fails = 0
        self.receiver = Receiver(behaviour=self._behave)

    async def _behave(self, _: Received) -> int:
        self._fails -= 1
        return 500 if self._fails >= 0 else 200

    async def begin(self, *, fails: int) -> None:
        """One event is due; its first tries fail."""
        self._fails = fails
        self.webhook_id = await self._office.register(self.receiver.address)
        await self._office.happens([(await self._office.message(), "sent")])
        await self._wakes.wake_now()

    @property
    def workflow(self) -> WorkflowHandle[object, object]:
        return workflow_of(self._client, self.webhook_id)

    async def sleeps(self, times: int) -> None:
        """Until the workflow sleeps for the so manieth time."""

        async def begun() -> int:
            events = (await self.workflow.fetch_history()).events
            return sum(e.event_type == EventType.EVENT_TYPE_TIMER_STARTED for e in events)

        await eventually(begun, times)

    async def remove(self) -> None:
        """The registration goes."""
        await self._office.unregister(self.webhook_id)

    def poke(self) -> None:
        """As after a change of the registration."""
        self._wakes.wake_one(self.webhook_id)


_Shape = Callable[[Delivery], Awaitable[None]]


async def delivered(delivery: Delivery) -> None:
    await delivery.begin(fails=0)


async def retried(delivery: Delivery) -> None:
    """It sleeps until the next try."""
    await delivery.begin(fails=2)


async def woken(delivery: Delivery) -> None:
    """It is poked while it sleeps, and sleeps on for what is left."""
    await delivery.begin(fails=3)
    await delivery.sleeps(3)
    delivery.poke()


async def removed(delivery: Delivery) -> None:
    """Its registration is removed while it sleeps."""
    await delivery.begin(fails=100)
    await delivery.sleeps(3)
    await delivery.remove()
    delivery.poke()


SHAPES: tuple[_Shape, ...] = (delivered, retried, woken, removed)


async def record() -> None:
    """Record the shapes that have no file yet."""
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder) / "pg") as url:
        await migrate(url)
        env = await dev_server()
        async with env, Database(url) as database:
            async with database.transaction() as connection:
                await add_business(connection)
            client = speaking(env.client)
            async with delivering(client, database, url) as wakes:
                for shape in SHAPES:
                    await _record_shape(shape, Delivery(Office(database), wakes, client))


async def _record_shape(shape: _Shape, delivery: Delivery) -> None:
    file = HERE / f"webhook.{shape.__name__}.json"
    if file.exists():
        return
    async with delivery.receiver:
        await shape(delivery)
        await delivery.workflow.result()
    keep(file, await delivery.workflow.fetch_history(), {})
    if shape is not removed:
        await delivery.remove()  # there is one registration per topic


if __name__ == "__main__":
    asyncio.run(record())
