"""The client over real HTTP, against a server that behaves as badly as the network can."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from domain.delivery import Accepted, NotSent, Refused, Remedy, Unclear
from whatsapp.client import CallError, CloudApi

TOKEN = "EAAsecret"
OK = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "+52", "wa_id": "5215512345678", "user_id": "MX.1"}],
    "messages": [{"id": "wamid.A"}],
}

Behaviour = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """Reads whole requests and answers each as `behaviour` says; a closed writer ends it."""

    behaviour: Behaviour
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    serving: set["asyncio.Task[None] | None"] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.serving.add(asyncio.current_task())
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.requests.append(Request(head[0], headers, body))
                await self.behaviour(self.requests[-1], writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        finally:
            writer.close()


@asynccontextmanager
async def running(behaviour: Behaviour) -> AsyncIterator[Server]:
    state = Server(behaviour)
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    state.url = "http://{}:{}".format(*server.sockets[0].getsockname())
    try:
        yield state
    finally:
        server.close()
        for task in state.serving:
            if task is not None:
                task.cancel()
        await server.wait_closed()


def answer(
    status: int, body: dict[str, Any] | list[Any] | str, headers: dict[str, str] | None = None
) -> Behaviour:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        await writer.drain()

    return behave


def graph_error(code: int, http_status: int = 400, **fields: Any) -> Behaviour:
    headers = fields.pop("headers", None)
    error = {"message": f"(#{code}) Title", "type": "OAuthException", "code": code, **fields}
    return answer(http_status, {"error": error}, headers)


async def drop(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def cut_off(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"messages"')
    writer.close()


async def garbage(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-whatever\r\n\r\n")
    writer.close()


async def silence(_request: Request, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def trickle(_request: Request, writer: asyncio.StreamWriter) -> None:
    """Always another byte before a read times out: only the whole call's limit ends it."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def send(url: str, *, token: str = TOKEN, http_timeout: float = 60.0) -> Any:
    async with CloudApi(url, "v25.0", http_timeout=http_timeout) as api:
        return await api.send(phone_number_id="106540", access_token=token, body={"to": "+1"})


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (answer(200, OK), Accepted("wamid.A", "5215512345678", "MX.1")),
        (answer(200, {"messages": [{"id": "wamid.B"}]}), Accepted("wamid.B")),
        (answer(200, {"messages": [{"id": "wamid.B"}], "contacts": "odd"}), Accepted("wamid.B")),
        # An answer nobody can read proves nothing.
        (answer(200, ""), Unclear("HTTP 200 without a message id")),
        (answer(200, "<html>"), Unclear("HTTP 200 without a message id")),
        (answer(200, {"messages": []}), Unclear("HTTP 200 without a message id")),
        (answer(200, {"messages": [{"id": ""}]}), Unclear("HTTP 200 without a message id")),
        (answer(200, [1]), Unclear("HTTP 200 without a message id")),
        (answer(302, "", {"location": "/elsewhere"}), Unclear("HTTP 302 without a WhatsApp error")),
        (answer(404, "<html>not here"), Unclear("HTTP 404 without a WhatsApp error")),
        (answer(400, {"error": {"code": "?"}}), Unclear("HTTP 400 without a WhatsApp error")),
        (answer(500, "<html>oops"), Unclear("HTTP 500 without a WhatsApp error")),
        (answer(502, ""), Unclear("HTTP 502 without a WhatsApp error")),
        (graph_error(131000, 500), Unclear("HTTP 500 with WhatsApp error 131000")),
        (graph_error(190, 500), Unclear("HTTP 500 with WhatsApp error 190")),
        # A connection that breaks once the request is out proves nothing either.
        (drop, Unclear("RemoteProtocolError")),
        (cut_off, Unclear("RemoteProtocolError")),
        (garbage, Unclear("RemoteProtocolError")),
        (answer(200, OK, {"content-encoding": "gzip"}), Unclear("DecodingError")),
    ],
)
async def test_what_an_answer_proves(behaviour: Behaviour, expected: object):
    async with running(behaviour) as server:
        assert await send(server.url) == expected
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("behaviour", "code", "remedy", "details", "retry_after"),
    [
        (
            graph_error(131056, error_data={"messaging_product": "whatsapp", "details": "Slow"}),
            131056, Remedy.RETRY_AFTER, "Slow", None,
        ),
        (graph_error(132012, error_data="text"), 132012, Remedy.PERMANENT, "text", None),
        (graph_error(132012, error_data=None), 132012, Remedy.PERMANENT, "(#132012) Title", None),
        (graph_error(100, error_subcode=33), 100, Remedy.HOLD_CHANNEL, "(#100) Title", None),
        (graph_error(190, 401), 190, Remedy.HOLD_CHANNEL, "(#190) Title", None),
        (graph_error(424242, 418), 424242, Remedy.PERMANENT, "(#424242) Title", None),
        (graph_error(424242, 429), 424242, Remedy.RETRY_AFTER, "(#424242) Title", None),
        *(
            (graph_error(code, 503), code, remedy, f"(#{code}) Title", None)
            for code, remedy in [
                (2, Remedy.BACKOFF), (4, Remedy.RETRY_AFTER), (130429, Remedy.BACKOFF),
                (131016, Remedy.BACKOFF), (131057, Remedy.RETRY_AFTER), (133004, Remedy.BACKOFF),
            ]
        ),
        (
            graph_error(80007, headers={
                "x-business-use-case-usage": json.dumps({
                    "1": [{"type": "whatsapp", "estimated_time_to_regain_access": 3}],
                    "2": [{"type": "whatsapp", "estimated_time_to_regain_access": 7}],
                }),
            }),
            80007, Remedy.RETRY_AFTER, "(#80007) Title", 420.0,
        ),
        (
            graph_error(4, 400, headers={"x-business-use-case-usage": "[nonsense"}),
            4, Remedy.RETRY_AFTER, "(#4) Title", None,
        ),
        (
            graph_error(4, 429, headers={"retry-after": "90"}),
            4, Remedy.RETRY_AFTER, "(#4) Title", 90.0,
        ),
        (
            graph_error(131056, 429, headers={"retry-after": "90"}),
            131056, Remedy.RETRY_AFTER, "(#131056) Title", None,
        ),
    ],
)  # fmt: skip
async def test_a_refusal_says_that_nothing_was_sent_and_what_to_do(
    behaviour: Behaviour, code: int, remedy: Remedy, details: str, retry_after: float | None
):
    async with running(behaviour) as server:
        refused = await send(server.url)
    assert isinstance(refused, Refused)
    assert refused.title
    assert (refused.code, refused.remedy, refused.details, refused.retry_after) == (
        code, remedy, details, retry_after,
    )  # fmt: skip


async def test_the_request_is_the_documented_one():
    async with running(answer(200, OK)) as server, CloudApi(server.url + "/", "v25.0") as api:
        body = {"to": "+1", "text": {"body": "día 👍 \ud83d"}}
        await api.send(phone_number_id="106540", access_token=TOKEN, body=body)
    (request,) = server.requests
    assert request.line == "POST /v25.0/106540/messages HTTP/1.1"
    assert request.headers["authorization"] == f"bearer {TOKEN}".lower()
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == body


async def test_a_closed_port_proves_that_nothing_was_sent():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it either
        port = taken.getsockname()[1]
        assert await send(f"http://127.0.0.1:{port}") == NotSent("ConnectError")


async def test_an_unknown_host_proves_that_nothing_was_sent():
    assert await send("http://nowhere.invalid") == NotSent("ConnectError")


# A connection gets a quarter of the call's time: these tests wait some seconds, so that a machine
# that is busy for a moment does not end them there.


async def test_silence_after_the_request_is_unclear():
    async with running(silence) as server:
        answered = await send(server.url, http_timeout=4)
    assert isinstance(answered, Unclear)


async def test_a_call_ends_in_time_even_if_bytes_keep_coming():
    async with running(trickle) as server, asyncio.timeout(60):
        assert await send(server.url, http_timeout=4) == Unclear("no answer within 4 s")


async def test_a_handshake_that_never_ends_proves_that_nothing_was_sent():
    async with running(silence) as server:  # it never answers the TLS greeting
        url = server.url.replace("http:", "https:")
        assert await send(url, http_timeout=4) == NotSent("ConnectTimeout")
    assert not server.requests


async def test_a_call_that_finds_no_free_connection_in_time_proves_that_nothing_was_sent():
    arrived, release = asyncio.Event(), asyncio.Event()

    async def hold(request: Request, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await release.wait()
        await answer(200, OK)(request, writer)

    async with (
        running(hold) as server,
        CloudApi(server.url, "v25.0", connections=1, http_timeout=20) as api,
    ):
        held = asyncio.create_task(api.send(phone_number_id="1", access_token=TOKEN, body={}))
        await arrived.wait()
        late = await api.send(phone_number_id="2", access_token=TOKEN, body={})
        release.set()
        assert isinstance(await held, Accepted)
    assert late == NotSent("PoolTimeout")
    assert len(server.requests) == 1


async def test_a_connection_is_used_again():
    async with running(answer(200, OK)) as server, CloudApi(server.url, "v25.0") as api:
        for _ in range(3):
            await api.send(phone_number_id="1", access_token=TOKEN, body={})
    assert (len(server.requests), server.connections) == (3, 1)


async def test_a_connection_that_the_server_has_closed_is_not_used_for_the_next_send():
    async def answer_then_close(request: Request, writer: asyncio.StreamWriter) -> None:
        await answer(200, OK)(request, writer)
        writer.close()

    async with running(answer_then_close) as server, CloudApi(server.url, "v25.0") as api:
        for _ in range(3):
            accepted = await api.send(phone_number_id="1", access_token=TOKEN, body={})
            assert isinstance(accepted, Accepted)
            await asyncio.sleep(0.05)
    assert server.connections == 3


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "naïve"])
async def test_a_token_that_no_header_can_carry_is_refused_without_a_call(token: str):
    async with running(answer(200, OK)) as server:
        refused = await send(server.url, token=token)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.remedy) == (190, Remedy.HOLD_CHANNEL)
    assert not server.requests
    assert not token or token not in repr(refused)


async def test_secrets_are_in_no_answer_and_no_log(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    long_token = "EAAB" + "x7" * 30
    behaviours = (
        graph_error(190, 401, message=f"Malformed access token {long_token}"),
        graph_error(190, 401, message=f"Malformed access token {long_token[:-3]}"),
        drop,
    )
    for behaviour in behaviours:
        async with running(behaviour) as server:
            assert long_token[:-3] not in repr(await send(server.url, token=long_token))
    assert caplog.text
    assert long_token[:-3] not in caplog.text


@pytest.mark.parametrize("url", ["", "graph.facebook.com", "ftp://x.example", "http://"])
def test_an_address_without_http_is_refused_at_once(url: str):
    with pytest.raises(ValueError, match="http"):
        CloudApi(url, "v25.0")


# --- templates ---------------------------------------------------------------------------------


async def templates(url: str) -> list[dict[str, Any]]:
    async with CloudApi(url, "v25.0", http_timeout=60.0) as api:
        return await api.list_templates(waba_id="1022", access_token=TOKEN)


def page(names: list[str], after: str | None) -> dict[str, Any]:
    paging: dict[str, Any] = {"cursors": {"before": "b", "after": after or "end"}}
    if after is not None:
        paging["next"] = "http://elsewhere.invalid/?access_token=secret"
    return {"data": [{"name": name} for name in names], "paging": paging}


async def test_all_pages_of_the_templates_are_read_by_cursor():
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        body = page(["c"], None) if "after=A%2B" in request.line else page(["a", "b"], "A+")
        await answer(200, body)(request, writer)

    async with running(behave) as server:
        assert [t["name"] for t in await templates(server.url)] == ["a", "b", "c"]
    assert server.requests[0].line.startswith("GET /v25.0/1022/message_templates?")


async def test_a_list_of_templates_without_end_is_given_up():
    async with running(answer(200, page(["a"], "A"))) as server:
        with pytest.raises(CallError, match="does not end"):
            await templates(server.url)
    assert len(server.requests) == 100


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (graph_error(190, 401), Refused),
        (answer(200, "<html>"), Unclear),
        (answer(200, {"data": None}), Unclear),
        (drop, Unclear),
    ],
)
async def test_templates_that_cannot_be_read_raise_what_happened(behaviour: Behaviour, kind: type):
    async with running(behaviour) as server:
        with pytest.raises(CallError) as raised:
            await templates(server.url)
    assert isinstance(raised.value.answer, kind)
