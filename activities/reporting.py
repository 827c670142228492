"""Closing the days of the daily campaign report."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from temporalio import activity

from domain.requests import OpenedReports, ReportRun


class ReportRuns(Protocol):
    """The runs on record; every method is one transaction and may be repeated."""

    async def open_runs(self) -> Sequence[UUID]:
        """Open the runs of the days that are over; all that are to be completed."""

    async def complete_run(self, run_id: UUID) -> None:
        """Complete a run and tell the business."""

    async def fail_run(self, run_id: UUID) -> None:
        """Note that a run could not be completed."""


class Reporting:
    """Run by a schedule, once a day."""

    def __init__(self, runs: ReportRuns) -> None:
        self._runs = runs

    @activity.defn
    async def open_reports(self) -> OpenedReports:
        """Open a run for every business with something to report."""
        return OpenedReports(runs=tuple(await self._runs.open_runs()))

    @activity.defn
    async def complete_report(self, report: ReportRun) -> None:
        """Close the day of one business."""
        await self._runs.complete_run(report.run)

    @activity.defn
    async def fail_report(self, report: ReportRun) -> None:
        """Give one up until the next day's runs."""
        await self._runs.fail_run(report.run)
