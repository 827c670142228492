"""`sendout doctor` on an installation that is not in order; tests/e2e has one that is."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, update

from storage.channels import hold_channel
from storage.inbound_tables import unread_events
from storage.session import Database
from storage.tables import channels, run_signals
from storage.template_holds import hold_by_hand
from storage.webhook_tables import webhook_events, webhooks
from tests.api.sent import add_entry, add_message, add_sendout
from tests.cli.command import Answer, options, sendout
from tests.record import BUSINESS, add_channel

NOBODY = "127.0.0.1:1"


async def examined(url: str, **settings: str) -> Answer:
    """What it says where nothing but the database is there, unless the settings say more."""
    away = {"public_url": f"http://{NOBODY}", "graph_url": f"http://{NOBODY}"}
    given = {"temporal_address": NOBODY} | away | settings
    return await sendout(url, "doctor", **given)


def of(answer: Answer, about: str) -> list[str]:
    """What it said about one thing, problems only."""
    start = f"PROBLEM  {about}: "
    return [line.removeprefix(start) for line in answer.out.splitlines() if line.startswith(start)]


def ago(**parts: float) -> datetime:
    return datetime.now(UTC) - timedelta(**parts)


async def test_unusable_settings_are_named_without_their_values():
    wrong = {"graph_url": "graph", "api_port": "none", "unknown_grace": "secret"}
    answer = await examined("x://user:hunter2@host/db", **wrong)
    assert answer.code == 1
    assert [line.split(": ")[1].split()[0] for line in answer.out.splitlines()[:-1]] == [
        f"SENDOUT_{name.upper()}" for name in wrong
    ]
    assert answer.out.endswith("3 problems")
    assert "hunter2" not in answer.out
    assert "secret" not in answer.out
    answer = await examined("", stop_words="{")
    assert (answer.code, len(of(answer, "settings"))) == (1, 1)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "SENDOUT_DATABASE_URL names no database"),
        (f"postgresql+asyncpg://{NOBODY}/none", "The database cannot be reached"),
    ],
)
async def test_without_a_database_the_other_parts_are_still_examined(url: str, said: str):
    answer = await examined(url)
    assert answer.code == 1
    (line,) = of(answer, "database")
    assert said in line
    assert of(answer, "Temporal") == [
        f"{NOBODY} does not answer; start it, or set SENDOUT_TEMPORAL_ADDRESS."
    ]
    (line,) = of(answer, "API")
    assert line.startswith(f"http://{NOBODY}/v1/providers/whatsapp/webhook is not answered")


async def test_addresses_that_are_none_are_told_with_their_settings():
    answer = await examined("", temporal_address="::::", public_url="http://[")
    assert of(answer, "Temporal")[0].startswith("SENDOUT_TEMPORAL_ADDRESS is unusable: ")
    assert of(answer, "API")[0].endswith("look at SENDOUT_PUBLIC_URL.")


async def test_a_database_of_another_release_is_to_be_migrated(nowhere: str):
    assert of(await examined(nowhere), "database") == [
        "The database has not the tables of this release; run `sendout migrate` first."
    ]


async def test_a_new_installation_is_told_what_comes_next(database: Database, postgres_url: str):
    answer = await examined(postgres_url, meta_verify_token="")
    assert of(answer, "businesses") == ["there is none; `sendout business create` makes one."]
    assert "SENDOUT_META_VERIFY_TOKEN is empty" in of(answer, "verify token")[0]
    assert "SENDOUT_PUBLIC_URL is not an https address" in of(answer, "public address")[0]
    made = (await sendout(postgres_url, "business", "create", "Shop")).out
    assert of(await examined(postgres_url), f"business {made}") == [
        "it has no channel; `sendout channel add` makes one.",
        "it has no key; `sendout key create` makes one.",
    ]


async def test_each_channel_is_checked_at_whatsapp(shop: str, simulator: str, database: Database):
    add = ("channel", "add", "--business", str(BUSINESS))
    channel_id = UUID((await sendout(shop, *add, *options())).out)
    number = "channel +15550001111"
    answer = await examined(shop, graph_url=simulator)
    assert of(answer, number) == []
    assert f"{number}: +15550001111 can send (" in answer.out
    async with database.transaction() as connection:
        await hold_channel(connection, channel_id, by="Ana", message="Wrong prices")
    (line,) = of(await examined(shop, graph_url=simulator), number)
    assert "held by Ana since 20" in line
    assert ": Wrong prices. +15550001111 can send (" in line
    stale = update(channels).values(access_token="hunter2", held_since=None)
    async with database.transaction() as connection:
        await connection.execute(stale)
    answer = await examined(shop, graph_url=simulator)
    assert "The access token is invalid" in of(answer, number)[0]
    assert "hunter2" not in answer.out


async def test_what_stands_still_is_told_with_its_age(shop: str, database: Database):
    quiet = await examined(shop)
    assert "ok       entries: none is due and not started" in quiet.out
    async with database.transaction() as connection:
        await add_channel(connection, BUSINESS, "+15550001111", is_default=True)
        sendout_id = await add_sendout(connection)
        await add_entry(connection, sendout_id, state="queued", due_at=ago(hours=2))
        entry_id = await add_entry(connection, sendout_id)
        waits: list[tuple[str, dict[str, Any]]] = [
            ("sending", {"lease_until": ago(minutes=10)}),
            ("unknown", {"unknown_since": ago(minutes=20)}),
            ("held", {"held_for": "window"}),
        ]
        for visit, (state, columns) in enumerate(waits, 1):
            await add_message(connection, entry_id, state, visit=visit, **columns)
        signal = {"entry_id": entry_id, "name": "clicked", "body": {}, "created_at": ago(hours=1)}
        await connection.execute(insert(run_signals).values(signal))
        await connection.execute(insert(unread_events).values(reason="not JSON", body=b"x"))
        await hold_by_hand(connection, BUSINESS, ("greeting", "en"), by="Ana", message="Typo")
    answer = await examined(shop)
    assert of(answer, "entries")[0].startswith("one is due since 2 h")
    assert of(answer, "sends")[0].startswith("a send was begun and not recorded since 10 min")
    assert of(answer, "unknown outcomes")[0].startswith("an outcome is unknown and nothing was")
    assert of(answer, "facts for runs")[0].startswith("a tap, text or status was not handed over")
    assert of(answer, "events of WhatsApp")[0].startswith("1 could not be read")
    assert "messages: 1 held, 1 on the wire, 1 of unknown outcome" in answer.out
    assert "held by Ana since 20" in of(answer, "template greeting (en)")[0]
    assert of(await examined(shop, unknown_grace="3600"), "unknown outcomes") == []
    async with database.transaction() as connection:
        await add_message(connection, entry_id, visit=9, accepted_at=ago(seconds=9))
    assert of(await examined(shop), "entries") == []


async def test_webhooks_that_fail_are_told_without_their_address(shop: str, database: Database):
    webhook_id = uuid4()
    pending: dict[str, Any] = {"webhook_id": webhook_id, "kind": "sent", "happened_at": ago()}
    async with database.transaction() as connection:
        await connection.execute(
            insert(webhooks).values(
                webhook_id=webhook_id,
                business_id=BUSINESS,
                topic="messages",
                type="HTTP",
                address="https://example.com/hunter2",
                secret="hunter2",
                filters=[],
                failures=1,
            )
        )
    about = f"webhook messages of business {BUSINESS}"
    assert of(await examined(shop), about) == [], "one round that failed may be followed by others"
    async with database.transaction() as connection:
        waits = pending | {"key": "a", "pending_since": ago(hours=3)}
        await connection.execute(insert(webhook_events).values(waits))
        given_up = pending | {"key": "b", "state": "failed", "last_error": "HTTP 500"}
        await connection.execute(insert(webhook_events).values(given_up))
    answer = await examined(shop)
    path = f"…/webhooks/{webhook_id}/deliveries"
    waiting, given_up_ones = of(answer, about)
    assert waiting.startswith("nothing gets through since 3 h")
    assert "; `GET …/webhooks" in waiting
    assert given_up_ones.startswith("1 events were given up; `POST …/webhooks")
    assert path in waiting
    assert path in given_up_ones
    assert "hunter2" not in answer.out
