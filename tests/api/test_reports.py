"""Campaign reports: the documented CSV, byte for byte, and who is in it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.campaign_report import COLUMNS
from storage.campaign_report import Scope, report_rows
from storage.customer_tables import customer_numbers, customer_user_ids, opt_outs
from storage.history import HISTORY_DOCUMENT
from storage.session import Database
from storage.tables import entries
from tests.api.reports import HERE, clients, rows_of
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


def ids(what: str) -> UUID:
    """A readable id."""
    return UUID(f"{what * 8}-0000-4000-8000-000000000001")


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
    await add_opt_outs(connection)


async def add_opt_outs(connection: AsyncConnection) -> None:
    """Of the fifth customer, and of the fourth under a hidden number."""
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
