"""The daily report: which days are closed, and the links that open it."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text, update

from settings import Settings
from storage.report_runs import ReportRuns
from storage.report_tables import report_runs
from storage.session import Database
from storage.tables import entries
from tests.api.reports import HERE, clients
from tests.api.sent import add_entry, add_message, add_sendout


async def close_days(database: Database) -> None:
    """What the schedule does after midnight."""
    runs = ReportRuns(database, "https://sendout.example.com")
    for run_id in await runs.open_runs():
        await runs.complete_run(run_id)


async def today(database: Database) -> datetime:
    """Noon of today by the database's clock."""
    async with database.transaction() as connection:
        noon: datetime | None = await connection.scalar(
            text("SELECT date_trunc('day', now(), 'UTC') + interval '12 hours'")
        )
    assert noon is not None
    return noon


# Or another day would be today in the middle of a test.
_LET_MIDNIGHT_PASS = text("""
    SELECT pg_sleep(seconds) FROM extract(
        epoch FROM date_trunc('day', now(), 'UTC') + interval '1 day' - now()
    ) seconds WHERE seconds < 20
""")


@pytest.fixture
async def sent(business: None, database: Database) -> UUID:
    """A sendout whose customers were sent to on each of the last three days, and today."""
    async with database.transaction() as connection:
        await connection.execute(_LET_MIDNIGHT_PASS)
    noon = await today(database)
    async with database.transaction() as connection:
        sendout_id = await add_sendout(connection)
        for back in range(4):
            at = noon - timedelta(days=back)
            entry_id = await add_entry(
                connection, sendout_id, f"+1604555000{back}", state="completed",
                finished_at=at + timedelta(days=1),
            )  # fmt: skip
            await add_message(connection, entry_id, accepted_at=at)
            # A day later it is another message, which makes no second row.
            await add_message(
                connection, entry_id, node="nudge", number=2, accepted_at=at + timedelta(days=1)
            )
            never_sent = await add_entry(
                connection, sendout_id, f"+1604555001{back}", state="opted_out", finished_at=at
            )
            await add_message(connection, never_sent, "opted_out")
    return sendout_id


async def last_run(api: httpx.AsyncClient) -> dict[str, Any]:
    answer = await api.get(f"{HERE}/reporting/reports", params={"type": "campaign.daily.v1"})
    assert answer.status_code == 200, answer.text
    (report,) = answer.json()["data"]
    assert (report["name"], report["type"]) == ("Daily campaign report", "campaign.daily.v1")
    run: dict[str, Any] = report["lastRun"]
    return run


async def test_the_newest_closed_day_is_behind_a_link_that_needs_no_key(
    api: httpx.AsyncClient, sent: UUID, database: Database
):
    await close_days(database)

    run = await last_run(api)
    assert run["status"] == "completed"
    opens, closes = (datetime.fromisoformat(run["result"][n]) for n in ("createdAt", "expiresAt"))
    assert timedelta(minutes=59) < closes - opens < timedelta(minutes=61)
    async with httpx.AsyncClient(timeout=60, trust_env=False) as anybody:
        answer = await anybody.get(run["result"]["url"])

    assert clients(answer) == ["+16045550001", "+16045550011"]
    yesterday = (await today(database)).date() - timedelta(days=1)
    name = f'attachment; filename="campaign-report-{yesterday}.csv"'
    assert answer.headers["content-disposition"] == name


async def test_a_link_that_was_changed_or_has_expired_opens_nothing(
    api: httpx.AsyncClient, sent: UUID, database: Database
):
    await close_days(database)
    url = urlsplit((await last_run(api))["result"]["url"])
    good = dict(pair.split("=") for pair in url.query.split("&"))
    later = str(int(good["expires"]) + 1)
    async with database.transaction() as connection:
        others = await connection.scalars(
            text("SELECT run_id FROM report_runs ORDER BY day LIMIT 1")
        )
        (other,) = others
    bad: list[tuple[str, dict[str, str]]] = [
        (url.path, {}),
        (url.path, good | {"expires": later}),
        (url.path, good | {"signature": good["signature"][:-1] + "x"}),
        (url.path, good | {"signature": "ü"}),
        (f"/v1/reporting/runs/{other}/report.csv", good),
        ("/v1/reporting/runs/none/report.csv", good),
    ]
    for path, query in bad:
        answer = await api.get(path, params=query)
        assert answer.status_code == 403, (path, query)
        assert "no link of this server" in answer.text
    assert (await api.get(url.path, params=good)).status_code == 200


async def test_a_link_ends_after_an_hour(
    api: httpx.AsyncClient, sent: UUID, database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("domain.report_links.LINK_LASTS", timedelta(seconds=-1))
    await close_days(database)

    answer = await api.get((await last_run(api))["result"]["url"])

    assert answer.status_code == 403
    assert "The link has expired" in answer.text


async def test_days_are_closed_once_and_those_that_were_missed_with_them(
    api: httpx.AsyncClient, sent: UUID, database: Database
):
    assert await last_run(api) is None
    await close_days(database)
    async with database.transaction() as connection:
        first = (await connection.execute(report_runs.select().order_by("day"))).all()
        noon = await today(database)
        # Somebody who ended on a day that is closed opens it no more.
        late = await add_entry(connection, sent, state="failed", finished_at=noon)
        await connection.execute(
            update(entries)
            .where(entries.c.entry_id == late)
            .values(finished_at=noon - timedelta(days=6))
        )
    await close_days(database)

    async with database.transaction() as connection:
        assert (await connection.execute(report_runs.select().order_by("day"))).all() == first
    days: list[date] = [row.day for row in first]
    assert days == [noon.date() - timedelta(days=back) for back in (3, 2, 1)]
    assert {row.state for row in first} == {"completed"}


async def test_a_run_that_is_not_completed_is_told_as_it_stands(
    api: httpx.AsyncClient, sent: UUID, database: Database
):
    runs = ReportRuns(database, "https://sendout.example.com")
    opened = await runs.open_runs()
    run = await last_run(api)
    assert (run["status"], run["result"]) == ("processing", None)
    await runs.fail_run(opened[-1])
    assert (await last_run(api))["status"] == "failed"
    # The newest that is completed goes before a newer one that is not.
    await runs.complete_run(opened[0])
    assert (await last_run(api))["id"] == str(opened[0])
    assert await runs.open_runs() == opened[1:]


async def test_only_reports_of_the_type_asked_for_are_listed(api: httpx.AsyncClient):
    for query, listed in (("", 1), ("?type=", 1), ("?type=campaign.daily.v1", 1), ("?type=x", 0)):
        answer = await api.get(f"{HERE}/reporting/reports{query}")
        assert len(answer.json()["data"]) == listed, query


class TestBehindAProxy:
    """The address that others use is a setting."""

    @pytest.fixture
    def settings(self, postgres_url: str) -> Settings:
        return Settings(database_url=postgres_url, public_url="https://sendout.example.com/")

    async def test_links_begin_with_it(
        self, api: httpx.AsyncClient, sent: UUID, database: Database
    ):
        await close_days(database)
        url = (await last_run(api))["result"]["url"]
        assert url.startswith("https://sendout.example.com/v1/reporting/runs/")
