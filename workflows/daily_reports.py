"""The daily campaign report: after midnight (UTC) a schedule closes the day of every business."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.reporting import Reporting
    from domain.requests import ReportRun
    from workflows import messages

_AT_MOST = timedelta(minutes=5)


@workflow.defn(name=messages.DAILY_REPORTS_WORKFLOW)
class DailyReportsWorkflow:
    """One closing of days; those that were missed are closed with it."""

    @workflow.run
    async def run(self) -> None:
        # Until it is done: a database that is away comes back.
        opened = await workflow.execute_activity_method(
            Reporting.open_reports, start_to_close_timeout=_AT_MOST
        )
        for run_id in opened.runs:
            await self._complete(ReportRun(run=run_id))

    async def _complete(self, report: ReportRun) -> None:
        """Complete one business's run; one that cannot be does not keep the others waiting."""
        try:
            await workflow.execute_activity_method(
                Reporting.complete_report,
                report,
                start_to_close_timeout=_AT_MOST,
                schedule_to_close_timeout=timedelta(hours=1),
            )
        except ActivityError:
            await workflow.execute_activity_method(
                Reporting.fail_report, report, start_to_close_timeout=_AT_MOST
            )
