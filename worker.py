"""The worker process: it runs the flows and makes the sends. `python worker.py` starts one."""

import asyncio
import contextlib
import signal

import structlog
import uvloop
from temporalio.client import Client
from temporalio.worker import Worker

from activities.recording import Recording
from activities.reporting import Reporting
from activities.send import Sending
from activities.starting import Starting
from activities.sweeping import Sweeping
from activities.webhooks import SIDE_BY_SIDE, Delivering
from domain.sending import Policy
from domain.webhook_address import Allowed
from logs import configure_logs
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
from storage.webhook_deliveries import WebhookDeliveries
from temporal import (
    connect_patiently,
    delivery_worker,
    metrics_runtime,
    register_search_attributes,
    running,
    schedule_daily_reports,
    schedule_sweep,
    send_worker,
    workflow_worker,
)
from webhook_wakes import WebhookWakes
from webhooks.addresses import Addresses
from webhooks.courier import Courier
from whatsapp.client import CloudApi
from whatsapp.sender import WhatsApp

log = structlog.get_logger(__name__)


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Run one worker until `stop`; then finish the sends on the wire.

    Waits for Temporal to be there; PostgreSQL may come and go, activities are repeated.
    """
    pool = settings.send_slots + 20
    async with contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database_url, pool_size=pool))
        api = await stack.enter_async_context(
            CloudApi(
                settings.graph_url,
                settings.graph_version,
                http_timeout=settings.http_timeout,
                connections=settings.send_slots,
            )
        )
        flows = StoredFlows(database)
        client = await connect_patiently(settings, flows, metrics_runtime(settings))
        await register_search_attributes(client)
        await schedule_sweep(client, settings)
        await schedule_daily_reports(client, settings)
        rates = SendRates(client, database, settings.task_queue)
        await rates.apply()
        workers = _workers(client, settings, database, flows, api=api, rates=rates)
        async with running(workers):
            log.info("worker is running", task_queue=settings.task_queue)
            await stop.wait()
            log.info("worker is stopping")


def _workers(
    client: Client,
    settings: Settings,
    database: Database,
    flows: StoredFlows,
    *,
    api: CloudApi,
    rates: SendRates,
) -> list[Worker]:
    """The worker of the flows, that of the sends, and that of the deliveries to businesses."""
    policy = Policy(
        unknown_outcome=settings.unknown_outcome,
        unknown_grace=settings.unknown_grace,
        lease=settings.lease_seconds,
    )
    runs = Runs(
        client,
        flows,
        RunOutbox(database),
        task_queue=settings.task_queue,
        limits=limits(settings),
    )
    wakes = WebhookWakes(client, database, task_queue=settings.task_queue)
    addresses = Addresses(Allowed(settings.webhook_allow))
    return [
        workflow_worker(
            client,
            settings,
            Recording(RunRecord(database)),
            Starting(EntryQueue(database, start_ahead=settings.start_ahead), runs),
            Sweeping(Repairs(database), runs, rates, wakes),
            reporting=Reporting(ReportRuns(database, settings.api_url)),
        ),
        send_worker(
            client,
            settings,
            Sending(SendLedger(database, flows, policy, told=wakes.wake), WhatsApp(api), policy),
        ),
        delivery_worker(
            client,
            settings,
            Delivering(WebhookDeliveries(database), Courier(addresses, connections=SIDE_BY_SIDE)),
        ),
    ]


async def _until_told() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await work(Settings(), stop)


def main() -> None:
    """Start a worker with the settings of the environment."""
    configure_logs(Settings())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_told())


if __name__ == "__main__":
    main()
