"""A small world around the workflows: everything real but the time, which a test can skip."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import HttpUrl, SecretStr
from sqlalchemy import text
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
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
from whatsapp.client import CloudApi
from whatsapp.sender import WhatsApp
from whatsapp.simulator.app import create_server
from whatsapp.simulator.config import PhoneNumber, SimulatorConfig
from whatsapp.template_source import TemplateSource
from workflows import messages
from workflows.converter import data_converter

_PATIENCE = 180.0
"""Seconds a test waits for something to come true before it fails."""
_KEPT_SHORTER = httpx.Limits(keepalive_expiry=2)
"""The servers drop idle connections after five seconds, just when a call may be using one."""


class World:
    """What a test does and sees: the API, the customers' phones, and the clock of a run."""

    def __init__(
        self,
        api: httpx.AsyncClient,
        simulator: httpx.AsyncClient,
        client: Client,
        env: WorkflowEnvironment,
        database: Database,
        repairs: Sweeping,
    ) -> None:
        self.api = api
        self.simulator = simulator
        self.client = client
        self.env = env
        self.database = database
        self.sweeping = repairs

    async def publish(self, flow: dict[str, Any], name: str | None = None) -> str:
        """Publish a flow; the campaign's name."""
        name = name or f"campaign {uuid4()}"
        made = await self.api.post("/campaigns", json={"name": name, "flow": flow})
        assert made.status_code == 201, made.text
        campaign = made.json()["entity"]["campaignId"]
        published = await self.api.post(f"/campaigns/{campaign}/publish", json={})
        assert published.status_code == 200, published.text
        return name

    async def send(self, name: str, client: str, **entry: Any) -> "Customer":
        """Send the campaign to one customer."""
        body = {
            "entries": [{"client": client, "campaignName": name, **entry}],
            "options": {"includeEntries": "all"},
        }
        answer = await self.api.post("/send/campaigns", json=body)
        row = answer.json()["data"][0]
        assert row["error"] is None, row
        return Customer(self, client, UUID(row["entries"][0]["entryId"]), UUID(row["sendoutId"]))

    async def behave(self, client: str, **knobs: Any) -> None:
        """Set how the simulator treats one recipient from now on."""
        now = (await self.simulator.get("/_sim/behaviour")).json()
        recipients = now.get("recipients", {}) | {client: knobs}
        answer = await self.simulator.put("/_sim/behaviour", json=now | {"recipients": recipients})
        assert answer.status_code == 200, answer.text


class Customer:
    """One customer's entry: what arrived on the phone, what is tapped, how the run stands."""

    def __init__(self, world: World, number: str, entry_id: UUID, sendout_id: UUID) -> None:
        self.world = world
        self.number = number
        self.entry_id = entry_id
        self.sendout_id = sendout_id
        self.run_id: str | None = None
        """The execution that `run` means; None for the newest."""

    @property
    def run(self) -> WorkflowHandle[Any, Any]:
        workflow_id = messages.run_workflow_id(self.entry_id)
        return self.world.client.get_workflow_handle(workflow_id, run_id=self.run_id)

    async def messages(self) -> list[dict[str, Any]]:
        """Everything WhatsApp accepted for this customer, in order."""
        answer = await self.world.simulator.get("/_sim/messages", params={"to": self.number})
        data: list[dict[str, Any]] = answer.json()["data"]
        return data

    async def texts(self) -> list[str]:
        return [m["text"] for m in await self.messages()]

    async def gets(self, *texts: str) -> None:
        """Wait until exactly these texts have arrived, in this order."""
        await eventually(self.texts, list(texts))

    async def taps(self, label: str, message: int = -1) -> str:
        """Tap a button of a message that arrived (the last one); WhatsApp's id of the tap."""
        wamid = (await self.messages())[message]["id"]
        return await self.does("click", messageId=wamid, button=label)

    async def writes(self, words: str) -> str:
        """Write a text; WhatsApp's id of it."""
        return await self.does("reply", **{"from": self.number, "text": words})

    async def does(self, act: str, **what: str) -> str:
        """Do something on the phone; WhatsApp's id of it. The record hears of it a moment later."""
        answer = await self.world.simulator.post(f"/_sim/{act}", json=what)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def is_heard(self, inbound_id: str) -> None:
        """Wait until the record has a tap or text, and with it what the run is to be told."""

        async def recorded() -> bool:
            query = text("SELECT true FROM inbound WHERE inbound_id = :id")
            async with self.world.database.transaction() as connection:
                return bool(await connection.scalar(query, {"id": inbound_id}))

        await eventually(recorded, True)

    async def entry(self) -> dict[str, Any]:
        answer = await self.world.api.get(f"/sendouts/{self.sendout_id}/entries/{self.entry_id}")
        assert answer.status_code == 200, answer.text
        entity: dict[str, Any] = answer.json()["entity"]
        return entity

    async def state(self) -> str:
        return str((await self.entry())["state"])

    async def is_in_state(self, state: str) -> None:
        await eventually(self.state, state)

    async def delivered(self, node: str) -> None:
        """Wait until the record knows that this node's message was delivered."""
        await self.has("delivered_at IS NOT NULL", node)

    async def has(self, condition: str, node: str) -> None:
        async def holds() -> bool:
            query = (
                f"SELECT count(*) FROM messages WHERE entry_id = :e AND node = :n AND {condition}"
            )
            async with self.world.database.transaction() as connection:
                found = await connection.execute(text(query), {"e": self.entry_id, "n": node})
                return bool(found.scalar_one())

        await eventually(holds, True)

    async def is_delivered_unheard(self, node: str) -> None:
        """Record that this node's message was delivered, and do not tell the run."""
        delivered = """
            UPDATE messages SET delivered_at = now(), awaits_delivery = false
            WHERE entry_id = :e AND node = :n
        """
        async with self.world.database.transaction() as connection:
            await connection.execute(text(delivered), {"e": self.entry_id, "n": node})

    async def waits_for(self, words: str) -> None:
        """Wait until the run says in its details that it waits for this."""

        async def says() -> bool:
            return words in await self.details()

        await eventually(says, True)

    async def details(self) -> str:
        """What a person reads about the run in the Web UI; nothing before it is started."""
        query = "__temporal_workflow_metadata"
        try:
            metadata = await self.run.query(query, result_type=WorkflowMetadata)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return ""
        return str(metadata.current_details)

    async def skip(self, **duration: float) -> None:
        """Let time pass for this run."""
        await asyncio.wait_for(
            self.world.env.fast_forward(self.run, timedelta(**duration)), _PATIENCE
        )

    async def closes(self) -> None:
        """Wait until the run has closed."""
        await asyncio.wait_for(self.run.result(), _PATIENCE)

    async def status(self) -> WorkflowExecutionStatus | None:
        """How Temporal sees the run."""
        return (await self.run.describe()).status


async def eventually(look: Any, wanted: object) -> None:
    """Wait until `look()` gives what is wanted; fail with what it gave last."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        seen = await look()
        if seen == wanted:
            return
        if asyncio.get_running_loop().time() > deadline:
            assert seen == wanted
        await asyncio.sleep(0.05)


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
