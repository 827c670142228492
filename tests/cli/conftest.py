"""What the commands work on: databases, and a WhatsApp that knows the number of `CHANNEL`."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from storage.session import Database
from tests.cli.command import CHANNEL
from tests.record import add_business
from tests.whatsapp.simulator.harness import serving
from whatsapp.simulator.app import create_server
from whatsapp.simulator.config import PhoneNumber, SimulatorConfig


@pytest.fixture
async def nowhere(postgres_url: str, database: Database) -> AsyncIterator[str]:
    """The address of a database without any table."""
    name = f"fresh_{uuid4().hex}"
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"CREATE DATABASE {name}"))
        yield postgres_url.replace("/postgres?", f"/{name}?")
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def shop(database: Database, postgres_url: str) -> str:
    """The address of a database with one business."""
    async with database.transaction() as connection:
        await add_business(connection, sender=None)
    return postgres_url


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a simulator with the number of `CHANNEL`."""
    config = SimulatorConfig(
        port=0,
        data_dir=tmp_path,
        webhook_url="http://127.0.0.1:1/",
        app_secret=CHANNEL["--app-secret"],
        access_token=CHANNEL["--access-token"],
        phone_numbers=(
            PhoneNumber(
                phone_number_id=CHANNEL["--phone-number-id"],
                display_phone_number="+15550001111",
                waba_id=CHANNEL["--waba-id"],
            ),
        ),
    )
    async with serving(create_server(config)) as port:
        yield f"http://127.0.0.1:{port}"
