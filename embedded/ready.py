"""Whether a part can be used: each check answers None, or why not yet."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import httpx
from sqlalchemy.engine import make_url

Check = Callable[[], Awaitable[str | None]]


def answers_http(url: str) -> Check:
    """GET `url` answers 200."""

    async def check() -> str | None:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                response = await client.get(url)
        except httpx.HTTPError as error:
            return f"no answer from {url} ({type(error).__name__})"
        return None if response.status_code == 200 else f"{url} answers {response.status_code}"

    return check


def answers_sql(database_url: str) -> Check:
    """The database does `SELECT 1`."""
    url = make_url(database_url)
    host = url.query.get("host", url.host)

    async def check() -> str | None:
        try:
            connection = await asyncpg.connect(
                host=host, user=url.username, database=url.database, timeout=5
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
        await writer.wait_closed()
        return None

    return check
