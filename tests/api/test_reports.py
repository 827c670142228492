"""Campaign reports: the documented CSV, byte for byte, and the links that open it."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.campaign_report import COLUMNS
from settings import Settings
from storage.campaign_report import Scope, report_rows
from storage.customer_tables import customer_numbers, customer_user_ids, opt_outs
from storage.history import HISTORY_DOCUMENT
from storage.report_runs import ReportRuns
from storage.report_tables import report_runs
from storage.session import Database
from storage.tables import entries
from tests.api.sent import (
    FLOW,
    NOW,
    add_click,
    add_entry,
    add_message,
    add_sendout,
    after,
)
from tests.record import BUSINESS, add_business, add_campaign

GOLDEN = Path(__file__).parent.parent / "golden" / "reports"
HERE = f"/v1/businesses/{BUSINESS}"
DAY = NOW.date()


def ids(what: str) -> UUID:
    """A readable id."""
    return UUID(f"{what * 8}-0000-4000-8000-000000000001")


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def clients(answer: httpx.Response) -> list[str]:
    return [row["customer_external_id"] for row in rows_of(answer)]


async def add_reported(connection: AsyncConnection) -> None:
    """A sendout in which everything happened that a report can tell."""
    campaign_id = await add_campaign(
        connection, 'Spring, "50%" off', campaign_id=ids("a"), versions={"v1": FLOW}
    )
    sendout_id = await add_sendout(connection, campaign_id=campaign_id, sendout_id=ids("b"))

    async def entry(n: int, state: str, **columns: Any) -> UUID:
        return await add_entry(
            connection,
            sendout_id,
            f"+160455523{n:02}",
            entry_id=UUID(f"cccccccc-0000-4000-8000-0000000000{n:02}"),
            created_at=after(minutes=n, milliseconds=581),
            state=state,
            **columns,
        )

    ana = await entry(
        1, "completed", variables={"name": 'Ana, "A"', "price": 1.50, "ü": "line\nbreak"},
        output_variables={"size": "M"}, finished_at=after(hours=20),
    )  # fmt: skip
    hello = await add_message(
        connection, ana, accepted_at=after(minutes=1, milliseconds=682), sent_at=after(minutes=1),
        delivered_at=after(minutes=2), read_at=after(minutes=3),
    )  # fmt: skip
    await add_click(connection, hello, "no", clicked_at=after(hours=2, milliseconds=609))
    await add_click(
        connection, hello, "yes", inbound_id="wamid.tap", clicked_at=after(hours=1, microseconds=7)
    )
    await connection.execute(
        text("""
            INSERT INTO inbound (inbound_id, channel_id, kind, text)
            SELECT 'wamid.tap', channel_id, 'tap', 'Tell me more, Ana' FROM channels
        """)
    )
    await add_message(
        connection, ana, "failed", node="nudge", number=2, accepted_at=after(hours=20),
        error_code=131049, error_message="Not this one: the first message counts",
    )  # fmt: skip

    gone = await entry(2, "failed", error_code="131026", finished_at=after(minutes=5))
    await add_message(
        connection, gone, "failed", accepted_at=after(minutes=2), failed_at=after(minutes=5),
        error_code=131026, error_message="Message Undeliverable.",
    )  # fmt: skip
    refused = await entry(3, "failed", error_code="132001", finished_at=after(minutes=3))
    await add_message(
        connection, refused, "refused", error_code=132001, error_message="=HYPERLINK()"
    )
    # WhatsApp leaves `delivered` out where `read` says it.
    read = await entry(4, "completed", finished_at=after(minutes=4))
    await add_message(connection, read, accepted_at=after(minutes=4), read_at=after(minutes=6))
    out = await entry(5, "opted_out", finished_at=after(minutes=5))
    await add_message(connection, out, "opted_out")
    await entry(6, "failed", error_code="EXPIRED", finished_at=after(minutes=6))
    await entry(7, "queued", due_at=after(days=90))
    await entry(8, "duplicate", duplicate_of=ana)
    for client, at in (("+16045552305", after(minutes=1)), ("CA.7", after(minutes=2))):
        await connection.execute(
            insert(opt_outs).values(
                business_id=BUSINESS, client=client, source="text", opted_out_at=at
            )
        )
    # The opt-out of a hidden number is that of the customer behind it, under every number.
    await connection.execute(
        insert(customer_user_ids).values(
            business_id=BUSINESS, user_id="CA.7", client="+16045550000"
        )
    )
    for number in ("+16045552304", "+16045550000"):
        await connection.execute(
            insert(customer_numbers).values(
                business_id=BUSINESS, number=number, client="+16045550000"
            )
        )


async def test_the_report_is_the_documented_csv_byte_for_byte(
    api: httpx.AsyncClient, database: Database
):
    async with database.transaction() as connection:
        await add_reported(connection)

    answer = await api.get(f"{HERE}/sendouts/{ids('b')}/report.csv")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="sendout-{ids("b")}.csv"'
    assert answer.content == (GOLDEN / "sendout.csv").read_bytes()
    assert (await api.get(f"{HERE}/campaigns/{ids('a')}/report.csv")).content == answer.content


async def test_a_sendout_without_entries_is_a_header(api: httpx.AsyncClient, database: Database):
    async with database.transaction() as connection:
        sendout_id = await add_sendout(connection)

    answer = await api.get(f"{HERE}/sendouts/{sendout_id}/report.csv")

    assert answer.text == ",".join(COLUMNS) + "\r\n"


async def test_a_customer_has_one_row_per_sendout(api: httpx.AsyncClient, database: Database):
    """The newest entry that was sent tells it, else the newest."""
    async with database.transaction() as connection:
        campaign_id = await add_campaign(connection, "spring", versions={"v1": FLOW, "v2": FLOW})
        first = await add_sendout(connection, campaign_id=campaign_id, created_at=NOW)
        second = await add_sendout(
            connection, campaign_id=campaign_id, campaign_version="v2", created_at=after(hours=1)
        )
        for sendout_id, client, sent in (
            (first, "+16045552331", ["2026-05-01", None, "2026-05-02", None]),
            (second, "+16045552331", ["2026-05-03"]),
            (first, "+16045552332", [None, None]),
        ):
            for n, day in enumerate(sent):
                entry_id = await add_entry(
                    connection, sendout_id, client, state="failed", error_message=f"try {n}"
                )
                if day is not None:
                    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
                    await add_message(connection, entry_id, accepted_at=at)

    rows = rows_of(await api.get(f"{HERE}/campaigns/{campaign_id}/report.csv"))

    told = [
        (r["sendout_id"], r["customer_external_id"], r["sent_at"][:10], r["error_msg"])
        for r in rows
    ]
    assert told == [
        (str(first), "+16045552331", "2026-05-02", "try 2"),
        (str(first), "+16045552332", "", "try 1"),
        (str(second), "+16045552331", "2026-05-03", "try 0"),
    ]


async def test_single_messages_with_a_tag_have_a_row_each(
    api: httpx.AsyncClient, database: Database
):
    async with database.transaction() as connection:
        for name in ("alerts", ""):
            campaign_id = await add_campaign(connection, name)
            sendout_id = await add_sendout(connection, campaign_id=campaign_id, source="message")
            for hour in range(2):
                entry_id = await add_entry(connection, sendout_id, state="completed")
                await add_message(connection, entry_id, accepted_at=after(hours=hour))

    async with database.transaction() as connection:
        pages = [page async for page in report_rows(connection, Scope(BUSINESS))]

    assert [(row.campaign_name, row.sent_at) for page in pages for row, _ in page] == [
        ("alerts", NOW),
        ("alerts", after(hours=1)),
    ]


async def test_a_second_attempt_tells_of_itself(api: httpx.AsyncClient, database: Database):
    async with database.transaction() as connection:
        sendout_id = await add_sendout(connection)
        entry_id = await add_entry(connection, sendout_id, state="failed")
        await add_message(connection, entry_id, "refused", error_code=131048)
        await connection.execute(update(entries).values(attempt=2, state="running"))

    (row,) = rows_of(await api.get(f"{HERE}/sendouts/{sendout_id}/report.csv"))

    assert (row["sent_at"], row["error_code"]) == ("", "")


async def test_tests_and_imported_history_are_in_no_report(
    api: httpx.AsyncClient, database: Database
):
    async with database.transaction() as connection:
        campaign_id = await add_campaign(connection, "spring")
        sendouts = [
            await add_sendout(connection, campaign_id=campaign_id, is_current=False, **columns)
            for columns in ({"source": "test"}, {"source": "csv", "flow": HISTORY_DOCUMENT})
        ]
        for sendout_id in sendouts:
            entry_id = await add_entry(connection, sendout_id, state="completed")
            await add_message(connection, entry_id, accepted_at=NOW)

    for sendout_id in sendouts:
        assert clients(await api.get(f"{HERE}/sendouts/{sendout_id}/report.csv")) == []
    assert clients(await api.get(f"{HERE}/campaigns/{campaign_id}/report.csv")) == []


async def test_reports_of_another_business_are_not_found(
    api: httpx.AsyncClient, database: Database
):
    other = uuid4()
    async with database.transaction() as connection:
        await add_business(connection, other, key="other", sender=None)
        sendout_id = await add_sendout(connection, business_id=other)
        campaign_id = await add_campaign(connection, "spring", business_id=other)

    for path in (f"sendouts/{sendout_id}", f"campaigns/{campaign_id}", f"sendouts/{uuid4()}"):
        assert (await api.get(f"{HERE}/{path}/report.csv")).status_code == 404


# --- the daily report --------------------------------------------------------------------------


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


@pytest.fixture
async def sent(business: None, database: Database) -> UUID:
    """A sendout whose customers were sent to on each of the last three days, and today."""
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
    async with httpx.AsyncClient(trust_env=False) as anybody:
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
