"""Acceptance is durable (api.md section 2): whatever dies, what was answered runs once, and only that."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence

import httpx
import pytest
from sqlalchemy import text

from embedded.stack import Stack
from storage.session import Database
from tests.e2e.absence import frozen, gone
from tests.e2e.acceptance import Invited, Request, accepted, await_readiness, caller
from tests.e2e.business import counts
from tests.e2e.customers import PhoneNumbers
from tests.e2e.patience import until, until_seen

DEGRADED = (200, "degraded", {"database": "ok", "temporal": "away"})


class TestWithoutTemporal:
    def test_what_was_accepted_runs_when_it_is_back(
        self, stack: Stack, invited: Invited, numbers: PhoneNumbers
    ):
        """Nobody is there to be poked, and the API that would poke again is killed: the sweep does it."""
        clients = numbers.take(15)
        with gone(stack, "temporal"):
            sendout = invited.send(clients)
            again = invited.send(clients[:5])
            assert again.id == sendout.id
            shown = sendout.read()
            assert (shown["progress"], shown["entries"]) == (
                "running",
                counts(queued=15, duplicate=5),
            )
            await_readiness(stack.api_url, *DEGRADED)
            everything = {"database": "ok", "temporal": "away", "worker": "away"}
            await_readiness(stack.api_url, 503, "unready", everything, all=1)
            stack.kill("api")

        invited.assert_sent(sendout.id, clients, completed=15, duplicate=5)

    def test_one_that_answers_nothing_stops_no_acceptance(
        self, stack: Stack, invited: Invited, numbers: PhoneNumbers
    ):
        """Neither of an API that was connected to it, nor of one that starts meanwhile."""
        before, after = numbers.take(5), numbers.take(5)
        with frozen(stack, "temporal"):
            sendout = invited.send(before)
            await_readiness(stack.api_url, *DEGRADED)
            restart_api(stack)
            assert invited.send(after).id == sendout.id
            await_readiness(stack.api_url, *DEGRADED)

        invited.assert_sent(sendout.id, [*before, *after], completed=10)


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
async def test_a_request_without_an_answer_is_repeated_and_sends_to_nobody_twice(
    stack: Stack, invited: Invited, numbers: PhoneNumbers, moment: str
):
    """The API is killed: one request relies on its Idempotency-Key, the other on `allow_one`."""
    # The sendout is there before, so that the two do not wait for each other; its entry has ended,
    # so that nobody else waits for our lock.
    sendout = invited.send([next(numbers)])
    await asyncio.to_thread(sendout.await_idle)
    with_key, allow_one = numbers.take(8), numbers.take(8)
    requests = [invited.request(with_key, key=invited.name), invited.request(allow_one)]
    clients = [*with_key, *allow_one]
    async with Database(stack.database_url) as database:
        if moment == "before the commit":
            await kill_before_commit(stack, database, requests)
            assert await accepted(database, clients) == 0
        else:
            await kill_at_commit(stack, database, requests, clients)

    await asyncio.to_thread(stack.wait_ready)
    for request in requests:
        answer = await request.until_answered(stack.api_url)
        assert answer.status_code == 200, answer.text
        [row] = answer.json()["data"]
        assert (row["acceptedCount"], row["rejectedCount"]) == (8, 0)
        assert row["sendoutId"] == sendout.id

    repeated = 0 if moment == "before the commit" else 8
    await asyncio.to_thread(
        invited.assert_sent, sendout.id, clients, completed=17, duplicate=repeated
    )


async def kill_before_commit(stack: Stack, database: Database, requests: Sequence[Request]) -> None:
    """The API dies while its statements wait for a lock of ours."""
    waiting = text("""
        SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'claims'::regclass
    """)
    async with database.transaction() as ours:
        await ours.execute(text("LOCK TABLE claims IN EXCLUSIVE MODE"))
        asking = start_asking(stack, requests)
        async with database.transaction() as looking:
            await until_seen(lambda n: n == len(requests), lambda: looking.scalar(waiting))
        stack.kill("api")
        assert await statuses(asking) == Counter({None: len(requests)})


async def kill_at_commit(
    stack: Stack, database: Database, requests: Sequence[Request], clients: list[str]
) -> None:
    """The API dies as soon as everything is in the record, answered or not."""
    asking = start_asking(stack, requests)
    await until_seen(lambda n: n == len(clients), lambda: accepted(database, clients), every=0)
    stack.kill("api")
    await statuses(asking)


def start_asking(stack: Stack, requests: Sequence[Request]) -> list[asyncio.Task[httpx.Response]]:
    async def once(request: Request) -> httpx.Response:
        async with caller(stack.api_url) as http:
            return await request.ask(http)

    return [asyncio.create_task(once(request)) for request in requests]


async def statuses(asking: list[asyncio.Task[httpx.Response]]) -> Counter[int | None]:
    """The statuses; None for a request that died without an answer."""
    found: Counter[int | None] = Counter()
    for task in asking:
        try:
            found[(await task).status_code] += 1
        except httpx.TransportError:
            found[None] += 1
    return found


def restart_api(stack: Stack) -> None:
    """Kill the API and wait until the next one answers."""
    killed = stack.kill("api")

    def is_up() -> bool:
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(f"{stack.api_url}/healthz", trust_env=False)
            return answer.is_success and stack.pid("api") != killed
        return False

    until(bool, is_up)
