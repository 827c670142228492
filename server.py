"""The API process, put together: FastAPI, PostgreSQL, and the way to Temporal and WhatsApp."""

import asyncio
import contextlib
from uuid import UUID

import uvicorn
import uvloop

from api.app import create_app
from api.metrics import Metrics
from logs import configure_logs
from rates import SendRates
from runs import Runs, limits
from settings import Settings
from storage import channels
from storage.flows import StoredFlows
from storage.outbox import RunOutbox
from storage.session import Database
from storage.templates import TemplateCopies
from temporal import TemporalPresence, connect
from webhook_wakes import WebhookWakes
from whatsapp.client import CloudApi
from whatsapp.simulated_numbers import SimulatedNumbers
from whatsapp.template_source import TemplateSource


async def serve(settings: Settings) -> None:
    """Serve the API until the process is told to stop."""
    async with contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database_url))
        graph = await stack.enter_async_context(
            CloudApi(settings.graph_url, settings.graph_version, http_timeout=10.0, connections=10)
        )
        flows = StoredFlows(database)
        client = await connect(settings, flows)
        counted = Metrics()
        runs = Runs(
            client,
            flows,
            RunOutbox(database),
            task_queue=settings.task_queue,
            limits=limits(settings),
            note_failure=lambda call: counted.left_to_sweep.labels(call).inc(),
        )

        app = create_app(
            settings,
            database,
            pokes=runs,
            signals=runs,
            closing=runs,
            temporal=TemporalPresence(client, settings.task_queue),
            templates=TemplateSource(
                graph, TemplateCopies(database), simulator_url=settings.simulator_url
            ),
            rates=SendRates(client, database, settings.task_queue),
            numbers=_numbers(settings, database),
            wakes=WebhookWakes(
                client,
                database,
                task_queue=settings.task_queue,
                note_failure=lambda call: counted.left_to_sweep.labels(call).inc(),
            ),
            counted=counted,
        )
        config = uvicorn.Config(
            app,
            host=settings.api_host,
            port=settings.api_port,
            log_config=None,
            access_log=False,
            lifespan="off",
            # Longer than clients keep idle connections, or a send races with our closing.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
        )
        await uvicorn.Server(config).serve()


def _numbers(settings: Settings, database: Database) -> SimulatedNumbers | None:
    """Where WhatsApp is the simulator, it has to be told of channels; Meta knows its own."""
    if settings.simulator_url is None:
        return None

    async def sender_of(channel_id: UUID) -> dict[str, str]:
        async with database.transaction() as connection:
            return await channels.sender_of(connection, channel_id)

    return SimulatedNumbers(settings.simulator_url, sender_of)


def main() -> None:
    """Serve the API with the settings of the environment."""
    settings = Settings()
    configure_logs(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings))
