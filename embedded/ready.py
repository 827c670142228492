"""Whether a part can be used: each check answers None, or why not yet."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

Check = Callable[[], Awaitable[str | None]]

_PATIENCE = 5.0


async def http_get(url: str) -> tuple[int, bytes]:
    """The status and the body of a plain HTTP GET on this machine.

    Small on purpose: an HTTP library would take longer to import than the stack to start.
    Raises `OSError` or `TimeoutError` (after 5 s) when there is no answer.
    """
    address = urlsplit(url)
    async with asyncio.timeout(_PATIENCE):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            target = f"{address.path or '/'}?{address.query}"
            writer.write(f"GET {target} HTTP/1.0\r\nHost: {address.netloc}\r\n\r\n".encode())
            answer = await reader.read()
        finally:
            writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    try:
        return int(head.split(maxsplit=2)[1]), body
    except (IndexError, ValueError) as error:
        raise ConnectionError(f"{url} does not speak HTTP") from error


def answers_http(url: str) -> Check:
    """GET `url` answers 200."""

    async def check() -> str | None:
        try:
            status, _ = await http_get(url)
        except (OSError, TimeoutError) as error:
            return f"no answer from {url} ({error})"
        return None if status == 200 else f"{url} answers {status}"

    return check


def answers_sql(socket_folder: Path) -> Check:
    """The embedded PostgreSQL does `SELECT 1`."""

    async def check() -> str | None:
        try:
            connection = await asyncpg.connect(
                host=str(socket_folder), user="postgres", database="postgres", timeout=_PATIENCE
            )
            try:
                await connection.fetchval("SELECT 1")
            finally:
                await connection.close()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return f"no answer from PostgreSQL ({error})"
        return None

    return check


def answers_tcp(port: int) -> Check:
    """Something listens on this port of 127.0.0.1."""

    async def check() -> str | None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            return f"port {port} is closed ({error})"
        writer.close()
        return None

    return check
