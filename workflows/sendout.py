"""A sendout: it starts the runs of its entries as they become due, and sleeps in between."""

import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.starting import Starting
    from domain.requests import StartRuns
    from workflows import messages

_PAGE_TAKES_AT_MOST = timedelta(minutes=5)
_HEARTBEAT = timedelta(seconds=20)
_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


@workflow.defn(name=messages.SENDOUT_WORKFLOW)
class SendoutWorkflow:
    """One at a time per sendout; its id is `sendout-<sendoutId>`.

    It holds nothing: a poke says that there may be something to do, and the record says what.
    """

    def __init__(self) -> None:
        self._poked = False

    @workflow.signal
    def poke(self) -> None:
        self._poked = True

    @workflow.run
    async def run(self, sendout: messages.SendoutInput) -> None:
        while True:
            self._poked = False
            page = await workflow.execute_activity_method(
                Starting.start_runs,
                StartRuns(sendout=sendout.sendout_id),
                start_to_close_timeout=_PAGE_TAKES_AT_MOST,
                heartbeat_timeout=_HEARTBEAT,
                retry_policy=_RETRY,
            )
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(sendout)
            if page.more or self._poked:
                continue
            if page.again_in is None:
                return
            await self._sleep(page.again_in)

    async def _sleep(self, seconds: float) -> None:
        workflow.set_current_details(f"Next entries are due in {seconds:.0f} s.")
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._poked,
                timeout=timedelta(seconds=seconds),
                timeout_summary="until the next entries are due",
            )
