"""Acceptance is durable (api.md section 2): whatever dies, what was answered runs once, and only that."""

import asyncio
import contextlib
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from embedded import credentials
from embedded.dev import api_url
from embedded.environment import part_environment
from embedded.ports import free_ports
from embedded.processes import spawn, stop
from embedded.stack import Stack
from storage.session import Database
from tests.e2e.absence import frozen, gone
from tests.e2e.business import Business, Document, counts
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.cut_at_commit import CutAtCommit, Side, socket_of
from tests.e2e.flows import invitation
from tests.e2e.patience import until, until_seen
from tests.e2e.provider_events import body_of, change, status
from whatsapp.signature import HEADER, sign

BUSINESS_PATH = f"/v1/businesses/{credentials.BUSINESS_ID}"
SEND = f"{BUSINESS_PATH}/send/campaigns"
KEY = {"X-API-Key": credentials.API_KEY}
BOTH = ["Hello!", "Still there?"]


DEGRADED = (200, "degraded", {"database": "ok", "temporal": "away"})


class TestWithoutTemporal:
    def test_what_was_accepted_runs_when_it_is_back(
        self,
        stack: Stack,
        business: Business,
        customers: Customers,
        numbers: PhoneNumbers,
        name: str,
    ):
        """Nobody is there to be poked, and the API that would poke again is killed: the sweep does it."""
        business.publish(name, invitation(1))
        clients = numbers.take(15)
        with gone(stack, "temporal"):
            sendout = business.send(name, clients)
            again = business.send(name, clients[:5])
            assert again.id == sendout.id
            shown = sendout.read()
            assert (shown["progress"], shown["entries"]) == (
                "running",
                counts(queued=15, duplicate=5),
            )
            assert readiness(stack) == DEGRADED
            everything = {"database": "ok", "temporal": "away", "worker": "away"}
            assert readiness(stack, all=1) == (503, "unready", everything)
            stack.kill("api")

        assert sendout.await_idle()["entries"] == counts(completed=15, duplicate=5)
        assert customers.got_by(clients) == dict.fromkeys(clients, BOTH)

    def test_one_that_answers_nothing_stops_no_acceptance(
        self,
        stack: Stack,
        business: Business,
        customers: Customers,
        numbers: PhoneNumbers,
        name: str,
    ):
        """Neither of an API that was connected to it, nor of one that starts meanwhile."""
        business.publish(name, invitation(1))
        before, after = numbers.take(5), numbers.take(5)
        with frozen(stack, "temporal"):
            sendout = business.send(name, before)
            assert readiness(stack) == DEGRADED
            restart_api(stack)
            assert business.send(name, after).id == sendout.id
            assert readiness(stack) == DEGRADED

        assert sendout.await_idle()["entries"] == counts(completed=10)
        both = [*before, *after]
        assert customers.got_by(both) == dict.fromkeys(both, BOTH)


class TestKilledApi:
    @pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
    async def test_a_request_without_an_answer_is_repeated_and_sends_to_nobody_twice(
        self,
        stack: Stack,
        business: Business,
        customers: Customers,
        numbers: PhoneNumbers,
        name: str,
        moment: str,
    ):
        """One relies on its Idempotency-Key alone, the other on `allow_one`."""
        business.publish(name, invitation(1))
        # The sendout is there before, so that the two do not wait for each other.
        business.send(name, [next(numbers)])
        with_key, allow_one = numbers.take(8), numbers.take(8)
        requests = [
            asked(name, with_key, allow_multiple=True) | {"key": f"{name} {moment}"},
            asked(name, allow_one),
        ]
        async with Database(stack.database_url) as database:
            if moment == "before the commit":
                await _kill_before_commit(stack, database, requests)
                assert await accepted(database, [*with_key, *allow_one]) == 0
            else:
                await _kill_at_commit(stack, database, requests, [*with_key, *allow_one])

        await asyncio.to_thread(stack.wait_ready)
        for request in requests:
            answer = await until_answered(stack, request)
            assert answer.status_code == 200, answer.text
            [row] = answer.json()["data"]
            assert (row["acceptedCount"], row["rejectedCount"]) == (8, 0)

        sendout_id = row["sendoutId"]
        await asyncio.to_thread(await_idle, business, sendout_id)
        assert customers.got_by([*with_key, *allow_one]) == dict.fromkeys(
            [*with_key, *allow_one], BOTH
        )
        entries = business.get(f"/sendouts/{sendout_id}")["entity"]["entries"]
        repeated = 0 if moment == "before the commit" else 8
        assert entries == counts(completed=17, duplicate=repeated)


class TestWithoutDatabase:
    def test_nothing_is_accepted_and_every_call_says_so(
        self,
        stack: Stack,
        business: Business,
        customers: Customers,
        numbers: PhoneNumbers,
        name: str,
    ):
        """503 in the documented shape, whatever is asked and with whichever key; then the same request works."""
        business.publish(name, invitation(1))
        clients = numbers.take(5)
        body = asked(name, clients)["json"]
        event = body_of(change(statuses=[status("wamid.nobody", "delivered")]))
        signed = {HEADER: sign(credentials.APP_SECRET, event)}
        with (
            httpx.Client(base_url=stack.api_url, headers=KEY, timeout=60, trust_env=False) as http,
            gone(stack, "postgres"),
        ):
            sendout = f"{BUSINESS_PATH}/sendouts/{credentials.BUSINESS_ID}"
            answers = [
                # The key of the first is still known from the call before.
                http.post(SEND, json=body),
                http.post(SEND, json=body, headers={"Idempotency-Key": name}),
                http.post(SEND, json=body, headers={"X-API-Key": "nobody's"}),
                http.get("/v1/me", headers={"X-API-Key": "nobody's"}),
                http.get(f"{BUSINESS_PATH}/campaigns"),
                http.get(sendout),
                *(http.post(f"{sendout}/{x}") for x in ("pause", "resume", "cancel", "retry")),
                http.post("/v1/providers/whatsapp/webhook", content=event, headers=signed),
                http.post("/v1/providers/whatsapp/webhook", content=b"{", headers=signed),
            ]
            assert readiness(stack) == (503, "unready", {"database": "away", "temporal": "ok"})
            assert http.get("/healthz").status_code == 200
        for answer in answers:
            assert answer.status_code == 503, (answer.request.url, answer.text)
            assert_unavailable(answer.json(), commit=None)

        sent = business.send(name, clients)
        assert sent.await_idle()["entries"] == counts(completed=5)
        assert customers.got_by(clients) == dict.fromkeys(clients, BOTH)

    async def test_a_database_that_dies_under_load_leaves_no_request_in_doubt_unsaid(
        self,
        stack: Stack,
        business: Business,
        customers: Customers,
        numbers: PhoneNumbers,
        name: str,
    ):
        """200 is accepted, 503 is not, and `commit: unknown` may be; repeated, each is accepted once."""
        business.publish(name, invitation(1))
        clients = numbers.take(40)
        requests = [
            asked(name, [client], allow_multiple=True) | {"key": f"{name} {client}"}
            for client in clients
        ]
        async with httpx.AsyncClient(
            base_url=stack.api_url, headers=KEY, timeout=60, trust_env=False
        ) as http:
            await http.get("/v1/me")
            asking = [asyncio.create_task(ask(http, request)) for request in requests]
            # Some are answered, some are on their way, most wait for a connection.
            await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            stack.kill("postgres")
            answers = await asyncio.gather(*asking)
            await asyncio.to_thread(stack.wait_ready)
            async with Database(stack.database_url) as database:
                there = {client for client in clients if await accepted(database, [client])}
            promised = {}
            for client, answer in zip(clients, answers, strict=True):
                assert answer.status_code in {200, 503}, answer.text
                if answer.status_code == 200:
                    promised[client] = True
                elif answer.json()["details"][0]["details"] == {}:
                    assert_unavailable(answer.json(), commit=None)
                    promised[client] = False
                else:
                    assert_unavailable(answer.json(), commit="unknown")
            assert promised == {client: client in there for client in promised}
            repeated = [await until_answered(stack, request) for request in requests]
        assert {answer.status_code for answer in repeated} == {200}

        sendout_id = repeated[0].json()["data"][0]["sendoutId"]
        shown = await asyncio.to_thread(await_idle, business, sendout_id)
        assert shown["entries"] == counts(completed=40)
        assert customers.got_by(clients) == dict.fromkeys(clients, BOTH)

    @pytest.mark.parametrize("side", ["before", "after"])
    async def test_a_connection_that_breaks_during_the_commit_is_told(
        self,
        stack: Stack,
        business: Business,
        customers: Customers,
        numbers: PhoneNumbers,
        name: str,
        tmp_path: Path,
        side: Side,
    ):
        """Whether the database had got the COMMIT or not: repeated with the same key, each runs once."""
        business.publish(name, invitation(1))
        clients = numbers.take(5)
        request = asked(name, clients, allow_multiple=True) | {"key": name}
        proxy = CutAtCommit(socket_of(stack.database_url))
        with proxy.running(), another_api(stack, proxy.port, tmp_path) as address:
            async with httpx.AsyncClient(
                base_url=address, headers=KEY, timeout=60, trust_env=False
            ) as http:
                proxy.arm(clients[0], side)
                answer = await ask(http, request)
                assert proxy.cut.is_set()
                assert answer.status_code == 503, answer.text
                assert_unavailable(answer.json(), commit="unknown")
                async with Database(stack.database_url) as database:
                    if side == "after":
                        await until_seen(bool, lambda: accepted(database, clients))
                    assert await accepted(database, clients) == (5 if side == "after" else 0)

                repeated = await until_answered(address, request)
                assert repeated.status_code == 200, repeated.text

        [row] = repeated.json()["data"]
        assert (row["status"], row["acceptedCount"]) == ("created", 5)
        shown = await asyncio.to_thread(await_idle, business, row["sendoutId"])
        assert shown["entries"] == counts(completed=5)
        assert customers.got_by(clients) == dict.fromkeys(clients, BOTH)


# --- asking ------------------------------------------------------------------------------------


def asked(name: str, clients: list[str], *, allow_multiple: bool = False) -> Document:
    """A send request: its body, and under `key` its Idempotency-Key if one is added."""
    entries = [{"client": client, "campaignName": name} for client in clients]
    duplicates = "allow_multiple" if allow_multiple else "allow_one"
    return {
        "json": {"entries": entries, "options": {"ifDuplicateCheckUnspecified": duplicates}},
    }


async def ask(http: httpx.AsyncClient, request: Document) -> httpx.Response:
    """Send a request once."""
    headers = {"Idempotency-Key": request["key"]} if "key" in request else {}
    return await http.post(SEND, json=request["json"], headers=headers)


async def until_answered(where: Stack | str, request: Document) -> httpx.Response:
    """Send a request again as a client should: as long as the first one still runs."""
    address = where if isinstance(where, str) else where.api_url
    async with httpx.AsyncClient(
        base_url=address, headers=KEY, timeout=60, trust_env=False
    ) as http:
        while True:
            answer = await ask(http, request)
            if answer.status_code != 409:
                return answer
            await asyncio.sleep(float(answer.headers["Retry-After"]))


def await_idle(business: Business, sendout_id: str) -> Document:
    """Wait until no entry of the sendout is pending."""
    return until(
        lambda seen: seen["progress"] == "idle",
        lambda: business.get(f"/sendouts/{sendout_id}")["entity"],
    )


async def accepted(database: Database, clients: list[str]) -> int:
    """How many entries these customers have in the record."""
    async with database.transaction() as connection:
        found = await connection.scalar(
            text("SELECT count(*) FROM entries WHERE client = ANY(:clients)"), {"clients": clients}
        )
    return int(found or 0)


def readiness(stack: Stack, **query: int) -> tuple[int, str, dict[str, str]]:
    """The status of /readyz, and what it says."""
    answer = httpx.get(f"{stack.api_url}/readyz", params=query, timeout=20, trust_env=False)
    return answer.status_code, answer.json()["status"], answer.json()["checks"]


def assert_unavailable(body: Document, *, commit: str | None) -> None:
    """The documents' rpcStatus with the flat error in its details (api.md section 1)."""
    assert body.keys() == {"code", "message", "details"}
    assert body["code"] == 14
    [error] = body["details"]
    assert error["@type"] == "type.googleapis.com/connectly.error.PartialError"
    assert (error["type"], error["code"]) == (
        "ERROR_TYPE_UNAVAILABLE",
        "ERROR_CODE_UNSPECIFIED",
    )
    assert error["message"] == body["message"]
    assert error["details"] == ({} if commit is None else {"commit": commit})


# --- killing -----------------------------------------------------------------------------------


async def _kill_before_commit(
    stack: Stack, database: Database, requests: list[dict[str, Any]]
) -> None:
    """The API dies while its statements wait for a lock of ours."""
    async with database.transaction() as ours:
        await ours.execute(text("LOCK TABLE claims IN EXCLUSIVE MODE"))
        asking = _start_asking(stack, requests)
        waiting = text("""
            SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'claims'::regclass
        """)
        async with database.transaction() as looking:
            everybody = len(requests)
            await until_seen(lambda n: n == everybody, lambda: looking.scalar(waiting))
        stack.kill("api")
        assert await _statuses(asking) == Counter({None: len(requests)})


async def _kill_at_commit(
    stack: Stack, database: Database, requests: list[dict[str, Any]], clients: list[str]
) -> None:
    """The API dies as soon as everything is in the record, answered or not."""
    asking = _start_asking(stack, requests)
    everybody = len(clients)
    await until_seen(lambda n: n == everybody, lambda: accepted(database, clients), every=0)
    stack.kill("api")
    await _statuses(asking)


def _start_asking(
    stack: Stack, requests: list[dict[str, Any]]
) -> list[asyncio.Task[httpx.Response]]:
    async def once(request: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(
            base_url=stack.api_url, headers=KEY, timeout=60, trust_env=False
        ) as http:
            return await ask(http, request)

    return [asyncio.create_task(once(request)) for request in requests]


async def _statuses(asking: list[asyncio.Task[httpx.Response]]) -> Counter[int | None]:
    """The statuses; None for a request that died without an answer."""
    statuses: Counter[int | None] = Counter()
    for task in asking:
        try:
            statuses[(await task).status_code] += 1
        except httpx.TransportError:
            statuses[None] += 1
    return statuses


def restart_api(stack: Stack) -> None:
    """Kill the API and wait until the next one answers."""
    killed = stack.kill("api")

    def is_up() -> bool:
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(f"{stack.api_url}/healthz", trust_env=False)
            return answer.is_success and stack.pid("api") != killed
        return False

    until(bool, is_up)


@contextlib.contextmanager
def another_api(stack: Stack, database_port: int, folder: Path) -> Iterator[str]:
    """A second API of the stack, whose database is at that port; answers its address."""
    [port] = free_ports(1)
    settings = stack.settings.model_copy(
        update={
            "api_port": port,
            "database_url": f"postgresql+asyncpg://postgres@127.0.0.1:{database_port}/postgres",
        }
    )
    process = spawn(
        [sys.executable, "-m", "cli", "api"],
        output=folder / "api.log",
        env=part_environment(settings),
        cwd=Path(__file__).resolve().parent.parent.parent,
    )
    try:

        def is_up() -> bool:
            assert process.poll() is None, (folder / "api.log").read_text()
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{api_url(settings)}/readyz", trust_env=False).is_success
            return False

        until(bool, is_up)
        yield api_url(settings)
    finally:
        stop(process, signal.SIGTERM, 15)
