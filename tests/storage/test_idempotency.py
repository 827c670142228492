"""Answers kept by Idempotency-Key are forgotten after a day (api.md section 1)."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.idempotency import (
    KeptAnswer,
    first_answer,
    forget_old_answers,
    idempotent_request,
    keep_answer,
)
from storage.repairs import Repairs
from storage.session import Database
from storage.tables import idempotency_keys
from tests.record import BUSINESS


async def keep(connection: AsyncConnection, key: str, age: str) -> None:
    """An answer of that age (a PostgreSQL interval)."""
    request = idempotent_request(BUSINESS, key, "POST", "/x", b"{}")
    await keep_answer(connection, request, KeptAnswer(200, key))
    aged = f"UPDATE idempotency_keys SET created_at = now() - interval '{age}' WHERE key = :key"
    await connection.execute(text(aged), {"key": key})


async def kept(database: Database) -> set[str]:
    async with database.transaction() as connection:
        return set(await connection.scalars(select(idempotency_keys.c.key)))


@pytest.fixture
async def answers(database: Database) -> None:
    """One of each age."""
    async with database.transaction() as connection:
        for key, age in (
            ("fresh", "0 s"),
            ("almost", "23 hours 59 minutes"),
            ("old", "24 hours 1 second"),
            ("older", "2 days"),
        ):
            await keep(connection, key, age)


async def test_only_answers_over_a_day_old_are_forgotten(answers: None, database: Database):
    assert await Repairs(database).forget_old_answers() == 2
    assert await kept(database) == {"fresh", "almost"}
    assert await Repairs(database).forget_old_answers() == 0


async def test_the_oldest_go_first_and_never_more_than_asked(answers: None, database: Database):
    async with database.transaction() as connection:
        assert await forget_old_answers(connection, 1) == 1
    assert await kept(database) == {"fresh", "almost", "old"}


async def test_an_old_key_counts_as_new_before_it_is_forgotten(answers: None, database: Database):
    async with database.transaction() as connection:
        for key, answer in (("almost", KeptAnswer(200, "almost")), ("old", None)):
            request = idempotent_request(BUSINESS, key, "POST", "/x", b"{}")
            assert await first_answer(connection, request) == answer


async def test_a_key_that_is_being_used_anew_is_left_alone(answers: None, database: Database):
    request = idempotent_request(BUSINESS, "old", "POST", "/x", b"{}")
    async with database.transaction() as connection:
        await keep_answer(connection, request, KeptAnswer(200, "anew"))
        # Meanwhile: it neither waits for that request, until it gives up, nor takes its answer.
        assert await Repairs(database).forget_old_answers() == 1
    assert await kept(database) == {"fresh", "almost", "old"}


async def test_old_answers_are_found_by_an_index(database: Database):
    async with database.transaction() as connection:
        await connection.execute(
            text("""
                INSERT INTO idempotency_keys (business_id, key, request_hash, created_at)
                SELECT :business, n::text, '', now() - n * interval '1 second'
                FROM generate_series(1, 100000) n
            """),
            {"business": BUSINESS},
        )
        await connection.execute(text("ANALYZE idempotency_keys"))
        plan = await connection.scalars(
            text("""
                EXPLAIN SELECT key FROM idempotency_keys
                WHERE created_at <= now() - interval '24 hours'
                ORDER BY created_at LIMIT 10000 FOR UPDATE SKIP LOCKED
            """)
        )
        assert "ix_idempotency_keys_created_at" in "\n".join(plan)
        await connection.rollback()
