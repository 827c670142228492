from collections.abc import AsyncIterator

import httpx
import pytest

from tests.whatsapp.simulator import harness
from tests.whatsapp.simulator.harness import Receiver, serving
from whatsapp.simulator.app import create_server


@pytest.fixture(scope="session")
async def listening_receiver() -> AsyncIterator[Receiver]:
    async with Receiver().listening() as receiver:
        yield receiver


@pytest.fixture(scope="session")
async def simulator_url(listening_receiver: Receiver, tmp_path_factory) -> AsyncIterator[str]:
    config = harness.config(tmp_path_factory.mktemp("simulator"), listening_receiver.url)
    async with serving(create_server(config)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
async def client(simulator_url: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {harness.TOKEN}"}
    async with httpx.AsyncClient(base_url=simulator_url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
async def graph(client: httpx.AsyncClient, receiver: Receiver) -> httpx.AsyncClient:
    """A business's client on a simulator that knows nothing but the `sale` template."""
    await client.post("/_sim/reset")
    receiver.forget()  # what it still told of the test before
    await harness.behave(client)
    await client.put("/_sim/templates", json=[harness.SALE])
    return client


@pytest.fixture
async def receiver(listening_receiver: Receiver) -> Receiver:
    listening_receiver.forget()
    return listening_receiver
