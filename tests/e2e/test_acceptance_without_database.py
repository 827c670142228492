"""A database that is away or dies (api.md section 2): every call says what came of it, or that it may have."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from embedded import credentials
from embedded.dev import api_url
from embedded.environment import part_environment
from embedded.ports import free_ports
from embedded.processes import spawn, stop
from embedded.stack import Stack
from storage.session import Database
from tests.e2e.absence import gone
from tests.e2e.acceptance import BUSINESS_PATH, SEND, Invited, accepted, await_readiness, caller
from tests.e2e.business import Document
from tests.e2e.customers import PhoneNumbers
from tests.e2e.cut_at_commit import CutAtCommit, Side, socket_of
from tests.e2e.patience import PATIENCE, until, until_seen
from tests.e2e.provider_events import body_of, change, status
from whatsapp.signature import HEADER, sign


async def test_without_it_nothing_is_accepted_and_every_call_says_so(
    stack: Stack, invited: Invited, numbers: PhoneNumbers
):
    """503 in the documented shape, whatever is asked and with whichever key; then the same request works."""
    clients = numbers.take(5)
    body = invited.request(clients).body
    event = body_of(change(statuses=[status("wamid.nobody", "delivered")]))
    signed = {HEADER: sign(credentials.APP_SECRET, event)}
    sendout = f"{BUSINESS_PATH}/sendouts/{credentials.BUSINESS_ID}"
    async with caller(stack.api_url) as http:
        with gone(stack, "postgres"):
            answers = [
                # The key of the first is still known from the call before.
                await http.post(SEND, json=body),
                await http.post(SEND, json=body, headers={"Idempotency-Key": invited.name}),
                await http.post(SEND, json=body, headers={"X-API-Key": "nobody's"}),
                await http.get("/v1/me", headers={"X-API-Key": "nobody's"}),
                await http.get(f"{BUSINESS_PATH}/campaigns"),
                await http.get(sendout),
                *[
                    await http.post(f"{sendout}/{lever}")
                    for lever in ("pause", "resume", "cancel", "retry")
                ],
                await http.post("/v1/providers/whatsapp/webhook", content=event, headers=signed),
                await http.post("/v1/providers/whatsapp/webhook", content=b"{", headers=signed),
            ]
            away = {"database": "away", "temporal": "ok"}
            await asyncio.to_thread(await_readiness, stack.api_url, 503, "unready", away)
            assert (await http.get("/healthz")).status_code == 200
    for answer in answers:
        assert answer.status_code == 503, (answer.request.url, answer.text)
        assert_unavailable(answer.json(), commit=None)

    again = await asyncio.to_thread(invited.send, clients)
    await asyncio.to_thread(invited.assert_sent, again.id, clients, completed=5)


async def test_one_that_dies_under_load_leaves_no_request_in_doubt_unsaid(
    stack: Stack, invited: Invited, numbers: PhoneNumbers
):
    """200 is accepted, 503 is not, and `commit: unknown` may be; repeated, each is accepted once."""
    clients = numbers.take(40)
    requests = [invited.request([client], key=f"{invited.name} {client}") for client in clients]
    async with caller(stack.api_url) as http:
        await http.get("/v1/me")
        asking = [asyncio.create_task(request.ask(http)) for request in requests]
        # Some are answered, some are on their way, most wait for a connection.
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        stack.kill("postgres")
        answers = await asyncio.gather(*asking)
    await asyncio.to_thread(stack.wait_ready)
    async with Database(stack.database_url) as database:
        there = {client for client in clients if await accepted(database, [client])}
    promised = {client: promise(answer) for client, answer in zip(clients, answers, strict=True)}
    known = {client: was for client, was in promised.items() if was is not None}
    assert known == {client: client in there for client in known}
    repeated = [await request.until_answered(stack.api_url) for request in requests]
    assert {answer.status_code for answer in repeated} == {200}

    sendout_id = repeated[0].json()["data"][0]["sendoutId"]
    await asyncio.to_thread(invited.assert_sent, sendout_id, clients, completed=40)


def promise(answer: httpx.Response) -> bool | None:
    """Whether an answer says that its entry was accepted; None when it cannot say."""
    if answer.status_code == 200:
        return True
    assert answer.status_code == 503, answer.text
    in_doubt = answer.json()["details"][0]["details"] != {}
    assert_unavailable(answer.json(), commit="unknown" if in_doubt else None)
    return None if in_doubt else False


@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_connection_that_breaks_during_the_commit_is_told(
    stack: Stack, invited: Invited, numbers: PhoneNumbers, tmp_path: Path, side: Side
):
    """Whether the database had got the COMMIT or not: repeated with the same key, each runs once."""
    clients = numbers.take(5)
    request = invited.request(clients, key=invited.name)
    proxy = CutAtCommit(socket_of(stack.database_url))
    with proxy.running(), another_api(stack, proxy.port, tmp_path) as address:
        proxy.arm(clients[0], side)
        async with caller(address) as http:
            answer = await request.ask(http)
        assert await asyncio.to_thread(proxy.cut.wait, PATIENCE)
        assert answer.status_code == 503, answer.text
        assert_unavailable(answer.json(), commit="unknown")
        async with Database(stack.database_url) as database:
            if side == "after":
                await until_seen(bool, lambda: accepted(database, clients))
            assert await accepted(database, clients) == (5 if side == "after" else 0)

        repeated = await request.until_answered(address)
        assert repeated.status_code == 200, repeated.text

    [row] = repeated.json()["data"]
    assert (row["status"], row["acceptedCount"]) == ("created", 5)
    await asyncio.to_thread(invited.assert_sent, row["sendoutId"], clients, completed=5)


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

    def is_up() -> bool:
        assert process.poll() is None, (folder / "api.log").read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{api_url(settings)}/readyz", trust_env=False).is_success
        return False

    try:
        until(bool, is_up)
        yield api_url(settings)
    finally:
        stop(process, signal.SIGTERM, 15)
