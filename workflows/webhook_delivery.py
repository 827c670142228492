"""The deliveries of one registration: they are made while there are any, and sleep in between."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.webhooks import Delivering
    from domain.webhooks import DeliverEvents
    from workflows import messages
from workflows.poked import HEARTBEAT, UNTIL_DONE, Poked

_TAKES_AT_MOST = timedelta(minutes=10)


@workflow.defn(name=messages.WEBHOOK_WORKFLOW)
class WebhookDeliveryWorkflow(Poked):
    """One at a time per registration; its id is `webhook-<webhookId>`."""

    @workflow.run
    async def run(self, webhook: messages.WebhookInput) -> None:
        while True:
            self._poked = False
            delivered = await workflow.execute_activity_method(
                Delivering.deliver_events,
                DeliverEvents(webhook=webhook.webhook_id),
                task_queue=messages.webhook_queue(workflow.info().task_queue),
                start_to_close_timeout=_TAKES_AT_MOST,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=UNTIL_DONE,
            )
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(webhook)
            if self._poked:
                continue
            if delivered.again_in is None:
                return
            if delivered.again_in > 0:
                await self._sleep(delivered.again_in, "the next event is due")
