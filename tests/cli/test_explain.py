"""`sendout explain` on a real record: what happened to one customer and why, in words."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, update

from storage.channels import hold_channel
from storage.customer_tables import opt_outs
from storage.session import Database
from storage.tables import channels, sendouts
from tests.api.sent import (
    FLOW,
    NOW,
    add_ask,
    add_click,
    add_decision,
    add_entry,
    add_inbound,
    add_message,
    add_read_message,
    add_sendout,
    after,
)
from tests.cli.command import done, refused
from tests.record import BUSINESS, add_business, add_campaign

CLIENT = "+16045552331"
ASKING = FLOW | {
    "nodes": FLOW["nodes"]
    | {"size": {"type": "ask", "variable": "size", "timeout": "PT2H", "next": "more"}}
}


@pytest.fixture
async def sendout_id(business: None, database: Database) -> UUID:
    """A running sendout of the campaign spring, version v1."""
    async with database.transaction() as connection:
        campaign_id = await add_campaign(connection, "spring", versions={"v1": ASKING})
        return await add_sendout(connection, campaign_id=campaign_id, flow=ASKING)


async def explained(url: str, *more: str) -> str:
    return await done(url, "explain", "--client", "+1 604 555 2331", *more)


async def test_it_tells_what_happened_step_by_step(
    sendout_id: UUID, database: Database, postgres_url: str
):
    async with database.transaction() as connection:
        entry_id = await add_entry(
            connection, sendout_id, state="completed", created_at=NOW, finished_at=after(hours=21)
        )
        hello = await add_read_message(
            connection, entry_id, accepted_at=after(seconds=2.5), sent_at=after(seconds=2)
        )
        await add_decision(connection, entry_id)
        await add_click(connection, hello, "yes", clicked_at=after(hours=20.5))
        await add_message(
            connection,
            entry_id,
            "refused",
            node="more",
            number=2,
            created_at=after(hours=21),
            error_code=131047,
            error_message="the window is closed",
        )

    told = (await explained(postgres_url)).splitlines()

    assert told == [
        f"{CLIENT} at Test business (business {BUSINESS})",
        "  They have not opted out of marketing.",
        "",
        "spring, version v1: completed",
        f"  entry {entry_id}, sendout {sendout_id} (api)",
        "  2026-05-04 12:00:00Z  accepted",
        (
            '  2026-05-04 12:00:02Z  send "hello" (template greeting (en)) from +15550001111: '
            '"Hello Ana"'
        ),
        '  2026-05-04 12:00:02Z  WhatsApp took "hello"',
        (
            '  2026-05-04 12:00:02Z  wait at "wait" until 2026-05-05 08:00:02Z, then go on if no '
            "button was tapped"
        ),
        '  2026-05-04 12:00:02Z  WhatsApp sent "hello"',
        '  2026-05-04 12:00:05Z  "hello" was delivered',
        '  2026-05-04 12:00:06Z  "hello" was read',
        '  2026-05-05 08:00:00Z  "wait" decides: received: true, clicked: false → go on',
        '  2026-05-05 08:30:00Z  the customer taps "Tell me more" of "hello"',
        '  2026-05-05 09:00:00Z  send "more" from +15550001111',
        (
            '  2026-05-05 09:00:00Z  "more" was refused, error 131047: The customer last wrote more '
            "than 24 hours ago: only templates may be sent (in detail: the window is closed); this "
            "message is refused for good"
        ),
        "  2026-05-05 09:00:00Z  ended: completed",
        "  now: it waits for nothing; a tap on one of its buttons is still followed",
    ]


async def test_duplicates_failures_and_opt_outs_say_why_newest_first(
    sendout_id: UUID, database: Database, postgres_url: str
):
    async with database.transaction() as connection:
        first = await add_entry(
            connection, sendout_id, state="failed", created_at=NOW, finished_at=after(minutes=1),
            error_code="131026", error_message="Message undeliverable",
        )  # fmt: skip
        await add_message(
            connection,
            first,
            "failed",
            created_at=NOW,
            accepted_at=NOW,
            failed_at=after(minutes=1),
            error_code=131026,
            error_message="Message undeliverable",
        )
        await add_entry(
            connection, sendout_id, state="duplicate", duplicate_of=first, created_at=after(hours=1)
        )
        opted_out = await add_entry(
            connection, sendout_id, state="opted_out", created_at=after(hours=2),
            finished_at=after(hours=2),
        )  # fmt: skip
        await add_message(connection, opted_out, "opted_out", created_at=after(hours=2))
        await connection.execute(
            insert(opt_outs).values(
                business_id=BUSINESS, client=CLIENT, source="button", opted_out_at=after(minutes=90)
            )
        )

    told = await explained(postgres_url)

    states = [line for line in told.splitlines() if line.startswith("spring")]
    assert [line.rpartition(": ")[2] for line in states] == ["opted_out", "duplicate", "failed"]
    assert "They opted out of marketing at 2026-05-04 13:30:00Z (by button)." in told
    assert '"hello" is not sent: the customer had opted out of marketing' in told
    assert "ended: opted_out, because: The customer has opted out" in told
    assert (
        "duplicate: it sends nothing, because under allow_one this customer had this campaign "
        f"by entry {first} (version v1, accepted 2026-05-04 12:00:00Z, failed)" in told
    )
    assert '"hello" failed, error 131026: ' in told
    assert "ended: failed, because: " in told
    assert "[131026]" in told


async def test_it_says_what_a_run_waits_for_now(
    sendout_id: UUID, database: Database, postgres_url: str
):
    now = datetime.now(UTC)
    async with database.transaction() as connection:
        entry_id = await add_entry(connection, sendout_id, created_at=now)
        await add_message(connection, entry_id, created_at=now, accepted_at=now)
        await add_message(connection, entry_id, "held", node="nudge", held_for="sendout", number=2)
        await add_message(connection, entry_id, "unknown", node="more", number=3, unknown_since=now)
        await add_ask(connection, entry_id, opened_at=now)
        await connection.execute(update(sendouts).values(state="paused"))
        channel_id = (await connection.execute(channels.select())).one().channel_id
        await hold_channel(connection, channel_id, by="Ana", message="Wrong prices")

    told = [
        line.removeprefix("  now: ")
        for line in (await explained(postgres_url)).splitlines()
        if line.startswith("  now: ")
    ]

    until = f"{now + timedelta(hours=20):%Y-%m-%d %H:%M:%S}Z"
    answer = f"{now + timedelta(hours=2):%Y-%m-%d %H:%M:%S}Z"
    assert told[:4] == [
        'it waits for "nudge": the sendout is paused',
        'it waits for "more": a status that says whether WhatsApp took it',
        f'it waits for the delay "wait": until {until}',
        f'it waits for an answer to "size" until {answer}',
    ]
    assert told[4].startswith(
        "whatever it sends next is held back: the channel +15550001111 is held by Ana since 20"
    )
    assert told[4].endswith(": Wrong prices")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"state": "queued"}, "it waits to be started"),
        ({"state": "queued", "due_at": datetime(2099, 1, 1, tzinfo=UTC)}, "its time to start"),
        ({"state": "running"}, "its next step, which is due"),
        ({"state": "cancelled"}, "it waits for nothing"),
    ],
)
async def test_a_run_without_messages_waits_too(
    sendout_id: UUID, database: Database, postgres_url: str, entry: dict[str, Any], said: str
):
    async with database.transaction() as connection:
        await add_entry(connection, sendout_id, **entry)

    assert said in (await explained(postgres_url)).splitlines()[-1]


async def test_all_businesses_are_told_or_one(
    sendout_id: UUID, database: Database, postgres_url: str
):
    other = uuid4()
    async with database.transaction() as connection:
        await add_entry(connection, sendout_id)
        await add_business(connection, other, key="other", sender="+15550003333")
        await add_inbound(connection, CLIENT, other, text="Hi", received_at=NOW)

    both = await explained(postgres_url)
    one = await explained(postgres_url, "--business", str(other))

    assert f"(business {BUSINESS})" in both
    assert f"(business {other})" in both
    assert one.splitlines() == [
        f"{CLIENT} at Test business (business {other})",
        "  They have not opted out of marketing.",
        "  They last wrote or tapped at 2026-05-04 12:00:00Z.",
    ]


async def test_what_cannot_be_explained_is_one_clear_line(business: None, postgres_url: str):
    assert await refused(postgres_url, "explain", "--client", "Ana") == (
        "--client is neither a phone number, such as +16045552331, nor a WhatsApp user id."
    )
    assert (await refused(postgres_url, "explain", "--client", CLIENT)).startswith(
        f"Nothing is known of {CLIENT} here"
    )
    unknown = str(uuid4())
    assert await refused(postgres_url, "explain", "--client", CLIENT, "--business", unknown) == (
        f"There is no business {unknown}; `sendout business list` shows all."
    )
