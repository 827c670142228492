"""How fast each sender sends: limits that the Temporal server holds on the queue of the sends.

A send's fairness key is its channel. The server gives every key of a queue the same rate, times a
weight of its own; weights set in the queue's configuration act at once, also on what is queued
already. So there is no limiter of ours, and a change of a channel is a change of one weight.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit, TaskQueue, TaskQueueConfig
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    UpdateTaskQueueConfigRequest,
)
from temporalio.client import Client

from storage.channels import USUAL_RATE, sending_rates
from storage.session import Database
from workflows import messages

log = structlog.get_logger(__name__)

_REASON: Final = "messages per second of a channel"
_CLOSE_ENOUGH: Final = 1e-3
"""Weights travel as single-precision numbers."""


class SendRates:
    """Keeps the queue's limits equal to what the channels ask for."""

    def __init__(self, client: Client, database: Database, task_queue: str) -> None:
        self._client = client
        self._database = database
        self._queue = messages.send_queue(task_queue)
        self._tasks: set[asyncio.Task[None]] = set()

    def apply_soon(self) -> None:
        """Apply the channels' rates soon; never waits and never raises."""
        task = asyncio.get_running_loop().create_task(self._try_to_apply())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try_to_apply(self) -> None:
        try:
            await self.apply()
        except Exception as error:  # noqa: BLE001 the sweep applies them, too
            log.warning("sending rates are left to the sweep", error=repr(error))

    async def apply(self) -> bool:
        """Bring the queue up to date with the channels; whether anything was to be changed.

        Raises `RPCError` when Temporal is away, and what the database raises.
        """
        async with self._database.transaction() as connection:
            rates = await sending_rates(connection)
        wanted = {
            str(channel): rate / USUAL_RATE for channel, rate in rates.items() if rate != USUAL_RATE
        }
        change = self._change(await self._configured(), wanted)
        if change is None:
            return False
        await self._client.workflow_service.update_task_queue_config(change)
        return True

    async def _configured(self) -> TaskQueueConfig:
        described = await self._client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self._client.namespace,
                task_queue=TaskQueue(name=self._queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
                report_config=True,
            )
        )
        return described.config

    def _change(
        self, configured: TaskQueueConfig, wanted: Mapping[str, float]
    ) -> UpdateTaskQueueConfigRequest | None:
        have = dict(configured.fairness_weight_overrides)
        changed = {
            key: weight
            for key, weight in wanted.items()
            if abs(have.get(key, 0.0) - weight) > _CLOSE_ENOUGH * weight
        }
        usual = configured.fairness_keys_rate_limit_default.rate_limit.requests_per_second
        if not changed and have.keys() == wanted.keys() and usual == USUAL_RATE:
            return None
        return UpdateTaskQueueConfigRequest(
            namespace=self._client.namespace,
            identity="sendout",
            task_queue=self._queue,
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            update_fairness_key_rate_limit_default=UpdateTaskQueueConfigRequest.RateLimitUpdate(
                rate_limit=RateLimit(requests_per_second=USUAL_RATE), reason=_REASON
            ),
            set_fairness_weight_overrides=changed,
            unset_fairness_weight_overrides=sorted(have.keys() - wanted.keys()),
        )
