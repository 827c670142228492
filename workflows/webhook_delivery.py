"""The deliveries of one registration: they are made while there are any, and sleep in between."""

import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.webhooks import Delivering
    from domain.webhooks import DeliverEvents
    from workflows import messages

_TAKES_AT_MOST = timedelta(minutes=10)
_HEARTBEAT = timedelta(seconds=20)
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


@workflow.defn(name=messages.WEBHOOK_WORKFLOW)
class WebhookDeliveryWorkflow:
    """One at a time per registration; its id is `webhook-<webhookId>`.

    It holds nothing: a poke says that there may be something to deliver, and the record says what.
    """

    def __init__(self) -> None:
        self._poked = False

    @workflow.signal
    def poke(self) -> None:
        self._poked = True

    @workflow.run
    async def run(self, webhook: messages.WebhookInput) -> None:
        while True:
            self._poked = False
            delivered = await workflow.execute_activity_method(
                Delivering.deliver_events,
                DeliverEvents(webhook=webhook.webhook_id),
                task_queue=messages.webhook_queue(workflow.info().task_queue),
                start_to_close_timeout=_TAKES_AT_MOST,
                heartbeat_timeout=_HEARTBEAT,
                retry_policy=_RETRY,
            )
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(webhook)
            if self._poked:
                continue
            if delivered.again_in is None:
                return
            if delivered.again_in > 0:
                await self._sleep(delivered.again_in)

    async def _sleep(self, seconds: float) -> None:
        workflow.set_current_details(f"The next event is due in {seconds:.0f} s.")
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._poked,
                timeout=timedelta(seconds=seconds),
                timeout_summary="until the next event is due",
            )
