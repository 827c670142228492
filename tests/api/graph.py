"""WhatsApp's side of the businesses in `tests.record`: a simulator, and the API's way to it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from pydantic import HttpUrl, SecretStr

from storage.session import Database
from storage.templates import TemplateCopies
from tests.record import SENDER, WABA
from tests.whatsapp.simulator.harness import serving
from whatsapp.client import CloudApi
from whatsapp.simulator.app import create_server
from whatsapp.simulator.config import PhoneNumber, SimulatorConfig
from whatsapp.template_source import TemplateSource


@asynccontextmanager
async def simulated_graph(folder: Path) -> AsyncIterator[str]:
    """A simulator that takes the token of `tests.record`; its address."""
    config = SimulatorConfig(
        port=0,
        data_dir=folder,
        webhook_url=HttpUrl("http://127.0.0.1:9/nobody"),
        app_secret=SecretStr("secret"),
        access_token=SecretStr("token"),
        phone_numbers=(
            PhoneNumber(
                phone_number_id="106540352242922", display_phone_number=SENDER, waba_id=WABA
            ),
        ),
    )
    async with serving(create_server(config)) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def template_source(graph_url: str, database: Database) -> AsyncIterator[TemplateSource]:
    """The templates as the API process has them, without making a flow's."""
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(CloudApi(graph_url, "v25.0", http_timeout=60))
        yield TemplateSource(api, TemplateCopies(database))
