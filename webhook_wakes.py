"""Waking the workflows that deliver events to the businesses, after a commit and by the sweep."""

import asyncio
from collections.abc import Callable, Coroutine
from uuid import UUID

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy

from storage.session import Database
from storage.webhooks import forget_orphans, sleeping_webhooks
from workflows import messages

log = structlog.get_logger(__name__)

_EVERY = 0.1
"""Seconds between two looks for somebody to wake: commits in between share the next one."""
_AGAIN_AFTER = 1.0
"""Seconds from a look that failed to the next."""


class WebhookWakes:
    """Implements `domain.ports.Wakes` with one client. A poke carries nothing; the record says what is due."""

    def __init__(
        self,
        client: Client,
        database: Database,
        *,
        task_queue: str,
        note_failure: Callable[[str], None] = lambda _call: None,
    ) -> None:
        self._client = client
        self._database = database
        self._task_queue = task_queue
        self._note_failure = note_failure
        self._looking = False
        self._again = False
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Wake, soon, whoever has events to deliver and sleeps; never waits and never raises."""
        if self._looking:
            self._again = True
            return
        self._looking = True
        self._spawn(self._keep_looking())

    def wake_one(self, webhook_id: UUID) -> None:
        """Wake one soon, whether or not anything is due: it was changed, or is gone."""
        self._spawn(self._poke(webhook_id))

    async def wake_now(self) -> int:
        """Wake whoever has events to deliver and sleeps; how many.

        Raises `RPCError` when Temporal is away.
        """
        async with self._database.transaction() as connection:
            sleeping = await sleeping_webhooks(connection)
        for webhook_id in sleeping:
            await self._poke_now(webhook_id)
        return len(sleeping)

    async def sweep(self) -> int:
        """The same, and remove what the end of a registration left behind."""
        async with self._database.transaction() as connection:
            await forget_orphans(connection)
        return await self.wake_now()

    async def _keep_looking(self) -> None:
        self._again = True
        while self._again:
            self._again = False
            pause = _EVERY
            try:
                await self.wake_now()
            except Exception as error:  # noqa: BLE001 the sweep wakes whoever sleeps
                self._note_failure("webhook")
                log.warning("webhooks are left to the sweep", error=type(error).__name__)
                pause = _AGAIN_AFTER
            await asyncio.sleep(pause)
        self._looking = False

    async def _poke(self, webhook_id: UUID) -> None:
        try:
            await self._poke_now(webhook_id)
        except Exception as error:  # noqa: BLE001 as above
            self._note_failure("webhook")
            log.warning("webhook left to the sweep", error=type(error).__name__)

    async def _poke_now(self, webhook_id: UUID) -> None:
        await self._client.start_workflow(
            messages.WEBHOOK_WORKFLOW,
            messages.WebhookInput(webhook_id=webhook_id),
            id=messages.webhook_workflow_id(webhook_id),
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal="poke",
        )

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
