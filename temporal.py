"""Clients and workers of Temporal, made in one place: used by the API, the worker and the tests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import structlog
from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorAutoscaling, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.beats import BEATS_EVERY
from activities.recording import Recording
from activities.reporting import Reporting
from activities.send import Sending
from activities.starting import Starting
from activities.sweeping import Sweeping
from activities.webhooks import Delivering
from domain.flow_cache import FlowSource
from settings import Settings
from workflows import messages
from workflows.converter import data_converter
from workflows.daily_reports import DailyReportsWorkflow
from workflows.flow_run import FlowRunWorkflow
from workflows.sendout import SendoutWorkflow
from workflows.sweep import SweepWorkflow
from workflows.webhook_delivery import WebhookDeliveryWorkflow

log = structlog.get_logger(__name__)

WORKFLOWS = (
    FlowRunWorkflow,
    SendoutWorkflow,
    SweepWorkflow,
    DailyReportsWorkflow,
    WebhookDeliveryWorkflow,
)
_OUR_PURE_PACKAGES = ("activities", "domain", "workflows")
_GRACE = timedelta(seconds=15)
"""How long a stopping worker waits for sends on the wire."""
_REGISTRATIONS_AT_ONCE = 500


def metrics_runtime(settings: Settings) -> Runtime | None:
    """What makes the SDK serve its metrics, None if the settings ask for none.

    One per process: it listens at once. Raises `ValueError` or `RuntimeError` when it cannot.
    """
    if not settings.worker_metrics_address:
        return None
    prometheus = PrometheusConfig(bind_address=settings.worker_metrics_address)
    return Runtime(telemetry=TelemetryConfig(metrics=prometheus))


async def connect(
    settings: Settings, flows: FlowSource, *, lazy: bool = True, runtime: Runtime | None = None
) -> Client:
    """One client of this process.

    A lazy one connects at its first call, so that the API works while Temporal is away. Workers
    need one that is connected: raises `RuntimeError` when Temporal is away.
    """
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter(flows),
        lazy=lazy,
        runtime=runtime,
    )


def workflow_runner(settings: Settings) -> SandboxedWorkflowRunner:
    """The sandbox of the workflows.

    In production our pure packages are shared by all runs: importing them again for each run costs
    milliseconds. Tests also run with `full`, which catches a forbidden call.
    """
    restrictions = SandboxRestrictions.default
    if settings.workflow_sandbox == "passthrough":
        restrictions = restrictions.with_passthrough_modules(*_OUR_PURE_PACKAGES)
    return SandboxedWorkflowRunner(restrictions=restrictions)


def workflow_worker(
    client: Client,
    settings: Settings,
    recording: Recording,
    starting: Starting,
    sweeping: Sweeping,
    *,
    reporting: Reporting,
) -> Worker:
    """Runs the workflows, their short looks into the record, and the starts."""
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=list(WORKFLOWS),
        activities=[
            recording.check_delay,
            recording.open_ask,
            recording.close_ask,
            recording.finish_run,
            recording.open_run,
            starting.start_runs,
            sweeping.sweep,
            reporting.open_reports,
            reporting.complete_report,
            reporting.fail_report,
        ],
        workflow_runner=workflow_runner(settings),
        max_cached_workflows=2000,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=_GRACE,
        max_heartbeat_throttle_interval=BEATS_EVERY,
    )


def send_worker(client: Client, settings: Settings, sending: Sending) -> Worker:
    """Makes the sends; `send_slots` of them at once, from a queue of their own."""
    return Worker(
        client,
        task_queue=messages.send_queue(settings.task_queue),
        activities=[sending.send_message],
        max_concurrent_activities=settings.send_slots,
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=_GRACE,
        max_heartbeat_throttle_interval=BEATS_EVERY,
    )


def delivery_worker(client: Client, settings: Settings, delivering: Delivering) -> Worker:
    """Delivers events to the businesses, one activity per registration, from a queue of its own.

    A receiver that is slow or away keeps nobody else's work waiting.
    """
    return Worker(
        client,
        task_queue=messages.webhook_queue(settings.task_queue),
        activities=[delivering.deliver_events],
        max_concurrent_activities=_REGISTRATIONS_AT_ONCE,
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=_GRACE,
        max_heartbeat_throttle_interval=BEATS_EVERY,
    )


async def missing_search_attributes(client: Client) -> dict[str, IndexedValueType.ValueType]:
    """The search attributes of the runs that the namespace has not."""
    have = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return {
        key.name: IndexedValueType.ValueType(int(key.indexed_value_type))
        for key in messages.SEARCH_ATTRIBUTES
        if key.name not in have.custom_attributes
    }


async def register_search_attributes(client: Client) -> None:
    """Register the search attributes of the runs; those that exist are left alone."""
    missing = await missing_search_attributes(client)
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )


async def schedule_sweep(client: Client, settings: Settings) -> None:
    """Create the schedule of the sweep, or bring an existing one up to date."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            messages.SWEEP_WORKFLOW, id=messages.SWEEP_ID, task_queue=settings.task_queue
        ),
        spec=ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=timedelta(seconds=settings.sweep_every))]
        ),
        # A sweep that is late is as good as the next one.
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(seconds=10)
        ),
    )
    await _put_schedule(client, messages.SWEEP_ID, schedule)


async def schedule_daily_reports(client: Client, settings: Settings) -> None:
    """Create the schedule of the daily reports, or bring an existing one up to date."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            messages.DAILY_REPORTS_WORKFLOW,
            id=messages.DAILY_REPORTS_ID,
            task_queue=settings.task_queue,
        ),
        # UTC; some minutes late, so that what was recorded before midnight is there.
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(0)], minute=[ScheduleRange(10)])]
        ),
        # One that was missed while Temporal was away is made when it is back, for all missed days.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(days=1)),
    )
    await _put_schedule(client, messages.DAILY_REPORTS_ID, schedule)


async def _put_schedule(client: Client, schedule_id: str, schedule: Schedule) -> None:
    try:
        await client.create_schedule(schedule_id, schedule)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(schedule_id)

        def same(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule)

        await handle.update(same)


class TemporalPresence:
    """Implements `domain.ports.TemporalHealth`."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue

    async def reachable(self) -> bool:
        """Whether the frontend answers within two seconds."""
        try:
            return await self._client.service_client.check_health(timeout=timedelta(seconds=2))
        except (RPCError, RuntimeError):
            return False

    async def worker_polling(self) -> bool:
        """Whether workers poll both queues: the workflows' and the sends'."""
        queues = (
            (self._task_queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
            (messages.send_queue(self._task_queue), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
        )
        try:
            return all([await pollers(self._client, name, kind) for name, kind in queues])
        except (RPCError, RuntimeError):
            return False


async def pollers(client: Client, task_queue: str, kind: TaskQueueType.ValueType) -> int:
    """How many workers poll a task queue, or did within the last minutes. Raises `RPCError`."""
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=kind,
        ),
        timeout=timedelta(seconds=2),
    )
    return len(answer.pollers)


@contextlib.asynccontextmanager
async def running(workers: Sequence[Worker]) -> AsyncIterator[None]:
    """Run workers until the block ends; they finish what they are doing.

    Raises what a worker dies of.
    """
    async with contextlib.AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        yield


async def connect_patiently(
    settings: Settings, flows: FlowSource, runtime: Runtime | None = None
) -> Client:
    """A connected client, as soon as Temporal answers."""
    while True:
        try:
            return await connect(settings, flows, lazy=False, runtime=runtime)
        except RuntimeError:
            log.info("waiting for Temporal", address=settings.temporal_address)
            await asyncio.sleep(1)
