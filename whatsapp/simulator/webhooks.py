"""Posting webhooks until each was answered 200."""

import asyncio
import contextlib
import logging
import time
from typing import Self

import httpx

from whatsapp.signature import HEADER, sign
from whatsapp.simulator.ledger import Channels
from whatsapp.simulator.outbox import Batch, Outbox
from whatsapp.simulator.webhook_body import webhook_body

_logger = logging.getLogger(__name__)

_AT_ONCE = 8
"""Webhooks on the wire."""
TAKEN_WITHIN = 10.0
"""Seconds for each; one that took longer comes again."""


class WebhookSender:
    """Delivers the outbox to one address: at least once, and each lane in order."""

    def __init__(self, url: str, outbox: Outbox, channels: Channels) -> None:
        self._url = url
        self._outbox = outbox
        self._channels = channels
        self._client = httpx.AsyncClient(
            timeout=TAKEN_WITHIN,
            limits=httpx.Limits(max_connections=_AT_ONCE),
            # A proxy of the environment has no business between two processes of one machine.
            trust_env=False,
        )
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._changed = asyncio.Event()
        self._posts: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._pump = asyncio.create_task(self._run(), name="webhooks")
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [self._pump, *self._posts]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._client.aclose()

    def wake(self) -> None:
        """To be called whenever the outbox has got something new."""
        self._changed.set()

    async def _run(self) -> None:
        while True:
            # A batch is filled only when there is a slot to post it, so that a backlog travels
            # in few webhooks and a quiet time in many small ones.
            await self._slots.acquire()
            batch = await self._next_batch()
            post = asyncio.create_task(self._post(batch))
            self._posts.add(post)
            post.add_done_callback(self._posted)

    def _posted(self, post: asyncio.Task[None]) -> None:
        self._posts.discard(post)
        self._slots.release()
        self._changed.set()
        if not post.cancelled() and post.exception() is not None:
            _logger.error("webhook delivery broke", exc_info=post.exception())

    async def _next_batch(self) -> Batch:
        while True:
            self._changed.clear()
            now = time.time()
            batch = self._outbox.take(now)
            if batch is not None:
                return batch
            due = self._outbox.next_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if due is None else max(due - now, 0.001)):
                    await self._changed.wait()

    async def _post(self, batch: Batch) -> None:
        channel = self._channels.get(batch.phone_number_id)
        if channel is None:
            _logger.error("an event of an unknown channel cannot be signed")
            self._outbox.failed(batch, time.time(), refused=True)
            return
        body = webhook_body(channel, [item.event for item in batch.events])
        headers = {"Content-Type": "application/json", HEADER: sign(channel.app_secret, body)}
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except httpx.ConnectError:
            self._outbox.failed(batch, time.time(), refused=False)
        except httpx.HTTPError as error:
            _logger.info("webhook not answered: %s", type(error).__name__)
            self._outbox.failed(batch, time.time(), refused=True)
        else:
            if answer.status_code == httpx.codes.OK:
                self._outbox.delivered(batch)
            else:
                _logger.info("webhook answered %d", answer.status_code)
                self._outbox.failed(batch, time.time(), refused=True)
