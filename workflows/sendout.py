"""A sendout: it starts the runs of its entries as they become due, and sleeps in between."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.starting import Starting
    from domain.requests import StartRuns
    from workflows import messages
from workflows.poked import HEARTBEAT, UNTIL_DONE, Poked

_PAGE_TAKES_AT_MOST = timedelta(minutes=5)


@workflow.defn(name=messages.SENDOUT_WORKFLOW)
class SendoutWorkflow(Poked):
    """One at a time per sendout; its id is `sendout-<sendoutId>`."""

    @workflow.run
    async def run(self, sendout: messages.SendoutInput) -> None:
        while True:
            self._poked = False
            page = await workflow.execute_activity_method(
                Starting.start_runs,
                StartRuns(sendout=sendout.sendout_id),
                start_to_close_timeout=_PAGE_TAKES_AT_MOST,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=UNTIL_DONE,
            )
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(sendout)
            if page.more or self._poked:
                continue
            if page.again_in is None:
                return
            await self._sleep(page.again_in, "the next entries are due")
