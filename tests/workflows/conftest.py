"""A small world around the workflows: everything real but the time, which a test can skip."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import HttpUrl, SecretStr
from sqlalchemy import text
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.recording import Recording
from activities.reporting import Reporting
from activities.send import Sending
from activities.starting import Starting
from activities.sweeping import Sweeping
from api.app import create_app
from domain.sending import Policy
from embedded import credentials
from rates import SendRates
from runs import Runs, limits
from settings import Settings
from storage.flows import StoredFlows
from storage.ledger import SendLedger
from storage.outbox import RunOutbox
from storage.queue import EntryQueue
from storage.repairs import Repairs
from storage.report_runs import ReportRuns
from storage.run_record import RunRecord
from storage.session import Database
from storage.templates import TemplateCopies
from temporal import TemporalPresence, running, send_worker, workflow_worker
from tests.conftest import serve
from tests.record import BUSINESS, KEY
from tests.workflows.servers import skipping_server
from tests.workflows.world import World
from whatsapp.client import CloudApi
from whatsapp.sender import WhatsApp
from whatsapp.simulator.app import create_server
from whatsapp.simulator.config import PhoneNumber, SimulatorConfig
from whatsapp.template_source import TemplateSource
from workflows.converter import data_converter

_KEPT_SHORTER = httpx.Limits(keepalive_expiry=2)
"""The servers drop idle connections after five seconds, just when a call may be using one."""


@pytest.fixture(scope="session")
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """The real server, with runs whose time can be skipped."""
    async with await skipping_server() as env:
        yield env


@contextlib.asynccontextmanager
async def simulator_server(folder: Path, webhook_url: str) -> AsyncIterator[str]:
    """A simulator in this process, reporting to `webhook_url`; answers its address."""
    server = create_server(
        SimulatorConfig(
            port=0,
            data_dir=folder,
            webhook_url=HttpUrl(webhook_url),
            app_secret=SecretStr("secret"),
            access_token=SecretStr("token"),
            phone_numbers=(
                PhoneNumber(
                    phone_number_id=credentials.PHONE_NUMBER_ID,
                    display_phone_number=credentials.PHONE_NUMBER,
                    waba_id=credentials.WABA_ID,
                ),
            ),
        )
    )
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
def world_settings(postgres_url: str) -> Settings:
    """The settings of this world; a test that needs others overrides this fixture."""
    return Settings(
        database_url=postgres_url,
        task_queue=f"t-{uuid4()}",
        workflow_sandbox="full",
        unknown_grace=15,
        http_timeout=20,
        send_slots=10,
    )


@pytest.fixture
async def world(
    world_settings: Settings,
    time_skipping: WorkflowEnvironment,
    database: Database,
    business: None,
    tmp_path: Path,
) -> AsyncIterator[World]:
    """API, worker and simulator of one test, over real HTTP, on an empty record."""
    async with make_world(world_settings, time_skipping, database, tmp_path) as made:
        yield made


@contextlib.asynccontextmanager
async def make_world(
    settings: Settings, env: WorkflowEnvironment, database: Database, folder: Path
) -> AsyncIterator[World]:
    """The parts of `server` and `worker`, put together in this process."""
    async with database.transaction() as connection:
        await connection.execute(
            text("UPDATE channels SET phone_number_id = :number, waba_id = :account"),
            {"number": credentials.PHONE_NUMBER_ID, "account": credentials.WABA_ID},
        )
    flows = StoredFlows(database)
    config = env.client.config()
    config["data_converter"] = data_converter(flows)
    client = Client(**config)
    runs = Runs(
        client,
        flows,
        RunOutbox(database),
        task_queue=settings.task_queue,
        limits=limits(settings),
    )
    sweeping = Sweeping(Repairs(database), runs, SendRates(client, database, settings.task_queue))
    async with contextlib.AsyncExitStack() as stack:
        late = _LateTemplates()
        app = create_app(
            settings,
            database,
            pokes=runs,
            signals=runs,
            closing=runs,
            temporal=TemporalPresence(client, settings.task_queue),
            templates=late,
        )
        api_url = await stack.enter_async_context(serve(app))
        webhook = f"{api_url}/v1/providers/whatsapp/webhook"
        simulator_url = await stack.enter_async_context(simulator_server(folder, webhook))
        graph = await stack.enter_async_context(
            CloudApi(simulator_url, "v25.0", http_timeout=settings.http_timeout)
        )
        late.source = TemplateSource(graph, TemplateCopies(database), simulator_url=simulator_url)
        await stack.enter_async_context(
            running(_workers(settings, client, database, flows, runs, sweeping, graph))
        )
        api = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=f"{api_url}/v1/businesses/{BUSINESS}",
                headers={"X-API-Key": KEY},
                trust_env=False,
                timeout=30,
                limits=_KEPT_SHORTER,
            )
        )
        phones = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=simulator_url, trust_env=False, timeout=30, limits=_KEPT_SHORTER
            )
        )
        await phones.put("/_sim/behaviour", json={"delayMs": 5})
        yield World(api, phones, client, env, database, sweeping)


class _LateTemplates:
    """The API needs the templates before the simulator knows the API's address."""

    source: TemplateSource

    async def prepare(self, business_id: UUID, flow: Any) -> None:
        await self.source.prepare(business_id, flow)

    async def registry(self, business_id: UUID, **how: Any) -> Any:
        return await self.source.registry(business_id, **how)

    async def refresh(self, business_id: UUID, *, older_than: float) -> bool:
        return await self.source.refresh(business_id, older_than=older_than)

    def refresh_soon(self, business_id: UUID, *, older_than: float) -> None:
        self.source.refresh_soon(business_id, older_than=older_than)

    async def create(self, waba_id: str, access_token: str, definition: Any) -> Any:
        return await self.source.create(waba_id, access_token, definition)


def _workers(
    settings: Settings,
    client: Client,
    database: Database,
    flows: StoredFlows,
    runs: Runs,
    sweeping: Sweeping,
    graph: CloudApi,
) -> list[Worker]:
    policy = Policy(settings.unknown_outcome, settings.unknown_grace, settings.lease_seconds)
    return [
        workflow_worker(
            client,
            settings,
            Recording(RunRecord(database)),
            Starting(EntryQueue(database, start_ahead=settings.start_ahead), runs),
            sweeping,
            reporting=Reporting(ReportRuns(database, settings.api_url)),
        ),
        send_worker(
            client, settings, Sending(SendLedger(database, flows, policy), WhatsApp(graph), policy)
        ),
    ]
