"""A business's receiver: it verifies both signatures, keeps what it got, and behaves as it is told.

It speaks HTTP by itself, so that a test can make it answer slowly, redirect, break off, or be away.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

Behaviour = Callable[["Received"], Awaitable[int | bytes | None]]
"""The status to answer with, or a whole answer; None breaks the connection off."""


@dataclass(frozen=True)
class Received:
    """One call, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def about(self) -> tuple[str, str]:
        """The message it is about and what became of it."""
        update = self.event["statusUpdate"]
        return update["id"], update["status"]

    def is_signed(self, secret: str = SECRET) -> bool:
        """Whether both signatures are those of the body."""
        digest = hmac.new(secret.encode(), self.body, hashlib.sha256).digest()
        connectly = base64.b64encode(digest).decode()
        if not hmac.compare_digest(self.headers.get("x-connectly-hmac-sha256", ""), connectly):
            return False
        try:
            Webhook(secret).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return True


async def _good(_: Received) -> int:
    return 200


@dataclass
class Receiver:
    """Listens on loopback. `got` is everything that came, `taken` what was answered with 2xx."""

    secret: str = SECRET
    behaviour: Behaviour = _good
    tls: ssl.SSLContext | None = None
    got: list[Received] = field(default_factory=list)
    taken: list[Received] = field(default_factory=list)
    unsigned: list[Received] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def address(self) -> str:
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}/hook?from=sendout"

    async def begin(self) -> None:
        """Listen, at the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        """Be away: refuse connections and break off those that are open."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            self._server = None

    async def __aenter__(self) -> Self:
        await self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while (call := await _read(reader)) is not None:
                self.got.append(call)
                if not call.is_signed(self.secret):
                    self.unsigned.append(call)
                answer = await self.behaviour(call)
                if answer is None:
                    break
                if isinstance(answer, bytes):
                    writer.write(answer)
                else:
                    if 200 <= answer < 300:
                        self.taken.append(call)
                    writer.write(f"HTTP/1.1 {answer} X\r\ncontent-length: 2\r\n\r\nok".encode())
                await writer.drain()
        self._open.discard(writer)
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(first.split(" ")[1], headers, body)


def moody(seed: int, *, failing: float, slow: float = 0.0) -> Behaviour:
    """Fails at random: with a status, a redirect, or by breaking off; and answers late at random."""
    chance = random.Random(seed)

    async def behave(_: Received) -> int | bytes | None:
        if chance.random() < slow:
            await asyncio.sleep(0.05)
        if chance.random() >= failing:
            return 200
        return chance.choice([500, 429, 404, redirect("http://127.0.0.1:1/elsewhere"), None])

    return behave


def redirect(to: str) -> bytes:
    """An answer that sends the caller elsewhere."""
    return f"HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n".encode()
