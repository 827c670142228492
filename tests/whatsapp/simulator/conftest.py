from collections.abc import AsyncIterator

import httpx
import pytest

from tests.whatsapp.simulator import harness
from tests.whatsapp.simulator.harness import Receiver, serving
from whatsapp.simulator.app import create_server
from whatsapp.simulator.config import PhoneNumber, SimulatorConfig


@pytest.fixture(scope="session")
async def listening_receiver() -> AsyncIterator[Receiver]:
    async with Receiver().listening() as receiver:
        yield receiver


@pytest.fixture(scope="session")
async def simulator_url(listening_receiver: Receiver, tmp_path_factory) -> AsyncIterator[str]:
    config = SimulatorConfig(
        port=0,
        data_dir=tmp_path_factory.mktemp("simulator"),
        webhook_url=listening_receiver.url,
        app_secret=harness.SECRET,
        access_token=harness.TOKEN,
        phone_numbers=(
            PhoneNumber(
                phone_number_id=harness.SENDER_ID,
                display_phone_number=harness.SENDER,
                waba_id=harness.WABA,
            ),
        ),
    )
    async with serving(create_server(config)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
async def client(simulator_url: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {harness.TOKEN}"}
    async with httpx.AsyncClient(base_url=simulator_url, headers=headers) as client:
        yield client


@pytest.fixture
async def graph(client: httpx.AsyncClient, receiver: Receiver) -> httpx.AsyncClient:
    """A business's client on a simulator that knows nothing but the `sale` template."""
    await client.post("/_sim/reset")
    await harness.behave(client)
    await client.put("/_sim/templates", json=[harness.SALE])
    return client


@pytest.fixture
async def receiver(listening_receiver: Receiver) -> Receiver:
    listening_receiver.forget()
    return listening_receiver
