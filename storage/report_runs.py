"""The daily report runs: which days of which business are closed.

A run holds no rows: its CSV is read from the record whenever somebody downloads it.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Row, Select, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.report_links import REPORT_NAME, REPORT_TYPE, SECRET, link, report_id
from storage.campaign_report import OF_DAY, Scope, day_limits, has_rows
from storage.report_tables import report_runs
from storage.server_secrets import server_secret
from storage.session import Database
from storage.webhook_events import tell_report

_LOOK_BACK = 7
"""Days for which reports are still made after nobody was there to make them."""


class ReportRun(NamedTuple):
    """One day of one business. `state` is processing, completed or failed."""

    run_id: UUID
    business_id: UUID
    day: date
    state: str
    completed_at: datetime | None


def _runs() -> Select[Any]:
    return select(*(report_runs.c[name] for name in ReportRun._fields))


def _run(row: Row[Any] | None) -> ReportRun | None:
    return None if row is None else ReportRun(**row._asdict())


async def newest_run(connection: AsyncConnection, business_id: UUID) -> ReportRun | None:
    """The newest completed run of a business, or the newest at all if none is completed."""
    c = report_runs.c
    query = (
        _runs()
        .where(c.business_id == business_id)
        .order_by((c.state == "completed").desc(), c.day.desc())
        .limit(1)
    )
    return _run((await connection.execute(query)).one_or_none())


async def find_run(connection: AsyncConnection, run_id: UUID) -> ReportRun | None:
    """The run of that id, if it is completed."""
    c = report_runs.c
    query = _runs().where(c.run_id == run_id, c.state == "completed")
    return _run((await connection.execute(query)).one_or_none())


class ReportRuns:
    """Implements `activities.reporting.ReportRuns`; links begin with `public_url`."""

    def __init__(self, database: Database, public_url: str) -> None:
        self._database = database
        self._public_url = public_url

    async def open_runs(self) -> list[UUID]:
        """Open a run for every business with something to report, of each day that is over.

        Answers all runs to be completed, those that failed before included.
        """
        async with self._database.transaction() as connection:
            days = await _days_to_close(connection)
        for day in days:
            await self._open(day)
        async with self._database.transaction() as connection:
            c = report_runs.c
            query = select(c.run_id).where(c.state != "completed").order_by(c.day, c.business_id)
            return list(await connection.scalars(query))

    async def _open(self, day: date) -> None:
        """Open the runs of one day: all of them, or after a crash none."""
        async with self._database.transaction() as connection:
            found = sorted(await connection.scalars(_CANDIDATES, day_limits(day)))
        opened = [
            {"run_id": uuid4(), "business_id": business_id, "day": day, "state": "processing"}
            for business_id in found
            if await has_rows(self._database, Scope(business_id, day=day))
        ]
        if opened:
            async with self._database.transaction() as connection:
                await connection.execute(
                    insert(report_runs).values(opened).on_conflict_do_nothing()
                )

    async def complete_run(self, run_id: UUID) -> None:
        """Close the day and announce it; once, however often this is repeated."""
        c = report_runs.c
        completed = (
            update(report_runs)
            .where(c.run_id == run_id, c.state != "completed")
            .values(state="completed", completed_at=func.now())
            .returning(*(c[name] for name in ReportRun._fields))
        )
        async with self._database.transaction() as connection:
            run = _run((await connection.execute(completed)).one_or_none())
            if run is not None:
                await self._tell(connection, run)

    async def fail_run(self, run_id: UUID) -> None:
        """Note that the run could not be completed; the next day's runs try it again."""
        c = report_runs.c
        async with self._database.transaction() as connection:
            await connection.execute(
                update(report_runs)
                .where(c.run_id == run_id, c.state == "processing")
                .values(state="failed")
            )

    async def _tell(self, connection: AsyncConnection, run: ReportRun) -> None:
        """The event `report` (reference/connectly.md section 4.4); the run was completed just now."""
        assert run.completed_at is not None  # noqa: S101 - by the statement that gave the run
        secret = await server_secret(connection, SECRET)
        url, expires_at = link(self._public_url, secret, run.run_id, run.completed_at)
        result = {
            "url": url,
            "expires_at": _text(expires_at),
            "created_at": _text(run.completed_at),
        }
        report = {
            "id": str(report_id(run.business_id)),
            "name": REPORT_NAME,
            "type": REPORT_TYPE,
            "last_run": {"id": str(run.run_id), "status": run.state, "result": result},
        }
        await tell_report(connection, run.business_id, str(run.run_id), report)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _days_to_close(connection: AsyncConnection) -> list[date]:
    """The days since the newest on record that are over, oldest first; a week at most."""
    newest, today = (
        await connection.execute(
            select(
                select(func.max(report_runs.c.day)).scalar_subquery(),
                text("(now() AT TIME ZONE 'UTC')::date"),
            )
        )
    ).one()
    days = [today - timedelta(days=back) for back in range(_LOOK_BACK, 0, -1)]
    return [day for day in days if newest is None or day > newest]


_CANDIDATES = text(f"""
    SELECT DISTINCT business_id FROM entries WHERE entry_id IN ({OF_DAY}) AND state <> 'duplicate'
""")
