"""The way to a business's receiver: one call per event, to the address that was checked.

The answer's body is not read but for what keeps the connection in use, redirects are not followed,
and what is told of a failure never names the address.
"""

import asyncio
import base64
import contextlib
import functools
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Self

import httpx

from domain.webhook_address import IpAddress, UnusableAddress, WebhookAddress
from domain.webhooks import Target
from webhooks.addresses import Addresses, Checked
from webhooks.signature import signature_headers

TIMEOUT = 10.0
"""Seconds for one call, from looking up the host to the answer."""
_LOOKED_UP_EVERY = 1.0
"""Seconds for which a name is not looked up again; the connection is to the checked address anyway."""
_READ_AT_MOST, _READ_WITHIN = 16 * 1024, 1.0
"""Bytes of an answer, and seconds, that are passed over so that the connection can be used again."""
_ADDRESSES_TRIED = 3


class Courier:
    """Makes lines to receivers. `tls` is what certificates are checked with."""

    def __init__(
        self,
        addresses: Addresses,
        *,
        connections: int,
        tls: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._addresses = addresses
        self._tls = tls or httpx.create_ssl_context()
        self._connections = connections
        self._timeout = timeout

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator["Line"]:
        """Connections of one registration, kept while the block lasts."""
        async with Line(self._addresses, self._tls, self._connections, self._timeout) as line:
            yield line


class Line:
    """Kept connections to one receiver."""

    def __init__(
        self, addresses: Addresses, tls: ssl.SSLContext, connections: int, timeout: float
    ) -> None:
        self._addresses = addresses
        self._tls = tls
        self._timeout = timeout
        self._limits = httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30
        )
        self._client: httpx.AsyncClient | None = None
        self._checked: tuple[Target, float, Checked] | None = None
        self._checking = asyncio.Lock()

    async def post(self, target: Target, event_id: int, body: str) -> str | None:
        """Deliver one event; None if it is delivered, else what happened. Never raises for that."""
        try:
            async with asyncio.timeout(self._timeout):
                checked, client = await self._where(target)
                return await self._post(client, checked, target.secret, event_id, body)
        except UnusableAddress as error:
            return str(error)
        except (TimeoutError, httpx.TimeoutException):
            return f"no answer within {self._timeout:g} seconds"
        except httpx.ConnectError as error:
            return "the certificate is not good" if _is_of_tls(error) else "no connection"
        except (httpx.HTTPError, httpx.InvalidURL):
            return "the connection broke"

    async def _where(self, target: Target) -> tuple[Checked, httpx.AsyncClient]:
        """Where the address leads now, and connections to nowhere else."""
        async with self._checking:
            known = self._checked
            fresh = known is not None and time.monotonic() - known[1] < _LOOKED_UP_EVERY
            if known is None or known[0] != target or not fresh or self._client is None:
                asked_at = time.monotonic()
                checked = await self._addresses.check(target.address)
                before = known and (known[2].address.authority, known[2].address.scheme)
                if before != (checked.address.authority, checked.address.scheme):
                    await self._close()
                if self._client is None:
                    self._client = httpx.AsyncClient(
                        verify=self._tls,
                        timeout=self._timeout,
                        limits=self._limits,
                        follow_redirects=False,
                        trust_env=False,
                    )
                known = self._checked = (target, asked_at, checked)
            return known[2], self._client

    async def _post(
        self, client: httpx.AsyncClient, checked: Checked, secret: str, event_id: int, body: str
    ) -> str | None:
        signed = signature_headers(secret, event_id, datetime.now(UTC), body)
        headers = _headers(checked.address) | signed
        addresses = checked.resolved[:_ADDRESSES_TRIED]
        # An address that takes no connection leaves the next one its time.
        timeout = httpx.Timeout(self._timeout, connect=self._timeout / len(addresses))
        # A certificate's names have no dot at their end.
        host = checked.address.host.rstrip(".")
        for ip in addresses:
            # Without the client's own headers, whose merging costs as much as all the rest.
            request = httpx.Request(
                "POST",
                _url(checked.address, ip),
                content=body.encode(),
                headers=headers,
                extensions={"timeout": timeout.as_dict(), "sni_hostname": host},
            )
            try:
                answer = await client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if ip == addresses[-1]:
                    raise
                continue
            try:
                await _pass_over(answer)
            finally:
                await answer.aclose()
            return None if answer.is_success else f"HTTP {answer.status_code}"
        raise UnusableAddress("the host has no address")

    async def _close(self) -> None:
        client, self._client = self._client, None
        self._checked = None
        if client is not None:
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()


def _is_of_tls(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


def _url(address: WebhookAddress, ip: IpAddress) -> httpx.URL:
    host = f"[{ip}]" if ip.version == 6 else str(ip)
    return _parsed(f"{address.scheme}://{host}:{address.port}{address.target}")


_parsed = functools.lru_cache(maxsize=256)(httpx.URL)
"""Reading an address takes as long as signing an event."""


def _headers(address: WebhookAddress) -> dict[str, str]:
    headers = {
        "host": address.authority,
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": "Sendout",
    }
    if address.user is not None or address.password is not None:
        pair = f"{address.user or ''}:{address.password or ''}".encode()
        headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return headers


async def _pass_over(answer: httpx.Response) -> None:
    """Read a short answer to its end; the connection of a longer one is given up."""
    passed = 0
    # The status is what counts: an answer that breaks off or hangs after it is given all the same.
    with contextlib.suppress(httpx.HTTPError, TimeoutError):
        async with asyncio.timeout(_READ_WITHIN):
            async for chunk in answer.aiter_raw():
                passed += len(chunk)
                if passed > _READ_AT_MOST:
                    return
