"""The sweep: a schedule runs it every few seconds to repair crash gaps."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.sweeping import Sweeping
    from domain.requests import Swept
    from workflows import messages


@workflow.defn(name=messages.SWEEP_WORKFLOW)
class SweepWorkflow:
    """One sweep; the next one follows soon, so it is tried once."""

    @workflow.run
    async def run(self) -> Swept:
        return await workflow.execute_activity_method(
            Sweeping.sweep,
            start_to_close_timeout=timedelta(minutes=1),
            # None begins while one is under way, so one that died with its worker must end soon.
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
