"""What every test stands on: a real PostgreSQL, the record in it, and the API over real HTTP."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck
from hypothesis import settings as drawing
from sqlalchemy import text

# Before anything imports them: their assertions tell what they saw, as those of tests do.
pytest.register_assert_rewrite("tests.e2e.patience", "tests.chaos.proof")

# The same examples on every machine, however long it stands still over one of them.
drawing.register_profile(
    "sendout",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
drawing.load_profile("sendout")

from embedded.postgres import running_postgres  # noqa: E402
from settings import Settings  # noqa: E402
from storage import session  # noqa: E402
from storage.all_tables import metadata  # noqa: E402
from storage.schema import migrate  # noqa: E402
from storage.session import Database  # noqa: E402
from tests.record import BUSINESS, KEY, add_business  # noqa: E402
from tests.temporal_stand_ins import RecordedPokes, api_without_temporal  # noqa: E402
from whatsapp.simulator import webhooks  # noqa: E402

# In this process no server hangs; a machine that stands still for half a minute does.
session.CONNECTED_WITHIN = session.ANSWERED_WITHIN = session.FREE_WITHIN = 300
webhooks.TAKEN_WITHIN = 300


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of this test session, empty."""
    folder: Path = tmp_path_factory.mktemp("postgres") / "data"
    with running_postgres(folder) as url:
        yield url


@pytest.fixture(scope="session")
async def shared_database(postgres_url: str) -> AsyncIterator[Database]:
    """The migrated database, with whatever the last test left in it."""
    await migrate(postgres_url)
    async with Database(postgres_url) as database:
        outside = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        async with outside.connect() as connection:
            # Had it looked at tables that were empty between two tests, PostgreSQL would take them
            # for empty in the second one, and join ten thousand rows by comparing each with each.
            await connection.execute(text("ALTER SYSTEM SET autovacuum = off"))
            await connection.execute(text("SELECT pg_reload_conf()"))
        yield database


_TABLES = [str(table) for table in reversed(metadata.sorted_tables)]
# Deleting is ten times faster than TRUNCATE, which makes new files for every table and index, until
# there are many dead rows: nothing else removes them here.
_EMPTY = f"""DO $$ BEGIN
    IF EXISTS (SELECT FROM unnest(ARRAY{_TABLES}) t WHERE pg_total_relation_size(t) > 4000000) THEN
        TRUNCATE {", ".join(_TABLES)};
    ELSE
        {"; ".join(f"DELETE FROM {table}" for table in _TABLES)};
    END IF;
END $$"""


@pytest.fixture
async def database(shared_database: Database) -> Database:
    """The migrated database, empty."""
    async with shared_database.transaction() as connection:
        await connection.execute(text(_EMPTY))
    return shared_database


@pytest.fixture
def settings(postgres_url: str) -> Settings:
    """The settings of the API under test; a test that needs others overrides this fixture."""
    # A test that tries hundreds of bodies on a fast machine is no flood.
    return Settings(database_url=postgres_url, requests_per_second=1_000_000)


@pytest.fixture
def pokes() -> RecordedPokes:
    """The sendouts that were poked."""
    return RecordedPokes()


@pytest.fixture
def app(settings: Settings, database: Database, pokes: RecordedPokes) -> FastAPI:
    """The API on the empty database, with Temporal away."""
    return api_without_temporal(settings, database, pokes=pokes)


@contextlib.asynccontextmanager
async def serve(app: FastAPI) -> AsyncIterator[str]:
    """Serve the application over HTTP on a free port; answers its base address."""
    # Named TCP, or asyncio leaves Nagle's algorithm on and every answer takes 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # Not `serve`, which looks up every tenth of a second whether it is to end.
    await server.startup(sockets=[listening])
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        await asyncio.sleep(0.01)  # connections that were closed just now
        await server.shutdown(sockets=[listening])


@contextlib.asynccontextmanager
async def client_of(app: FastAPI, key: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the application; a client of it, with that key, that does not give up on slow machines."""
    headers = {} if key is None else {"X-API-Key": key}
    async with (
        serve(app) as address,
        httpx.AsyncClient(base_url=address, headers=headers, timeout=60, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
async def business(database: Database) -> None:
    """`BUSINESS` with the key `KEY` (all scopes) and one default channel."""
    async with database.transaction() as connection:
        await add_business(connection)


@pytest.fixture
async def api(app: FastAPI, business: None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, over HTTP, with the key of `BUSINESS`; paths start below `/v1/…`."""
    async with client_of(app, KEY) as client:
        yield client


__all__ = ["BUSINESS", "KEY", "client_of", "serve"]
