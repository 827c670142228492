"""The way to Temporal: starting runs, handing facts to them, waking sendouts.

Used by the API, the worker and the command line; everything is idempotent, because a process can
die between any call and its note in the record.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from temporalio.api.batch.v1 import BatchOperationCancellation
from temporalio.api.workflowservice.v1 import StartBatchOperationRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.entry import QueuedEntry, given_texts
from domain.flow_cache import FLOWS, FlowSource
from domain.rendering import values_for
from domain.run import Limits
from settings import Settings
from storage.outbox import PendingSignal, RunOutbox
from workflows import messages
from workflows.converter import PinnedFlow
from workflows.messages import RunInput

log = structlog.get_logger(__name__)

_TAKES_RUN_UP_AGAIN = {"button_clicked", "message_settled"}
"""Signals that re-open a run that has closed (flow.md 2.2 and 2.6)."""
_HANDED_OVER_AT_ONCE = 32
_POKED_EVERY = 0.1
"""Seconds between pokes of one sendout: requests in between share the next one."""
_POKED_AGAIN_AFTER = 1.0
"""Seconds from a poke that failed, for instance while Temporal is away, to the next."""
_CLOSED_AGAIN_AFTER = 1.0
"""Seconds from a refusal to close runs, since those of another sendout are being closed, to the next try."""
_CLOSED_AGAIN_AT_LAST = 60.0
"""Seconds between such tries when it takes long: the pause doubles until then."""
_DEFAULTS = Limits()


class Runs:
    """Starts and signals workflows through one client.

    `note_failure` is told of each background call that failed and is left to the sweep: `poke` or
    `hand_over`.
    """

    def __init__(
        self,
        client: Client,
        flows: FlowSource,
        outbox: RunOutbox,
        *,
        task_queue: str,
        limits: Limits = _DEFAULTS,
        note_failure: Callable[[str], None] = lambda _call: None,
    ) -> None:
        self._client = client
        self._flows = flows
        self._outbox = outbox
        self._task_queue = task_queue
        self._limits = limits
        self._note_failure = note_failure
        self._poking: dict[UUID, bool] = {}
        self._handing_over = False
        self._more_to_hand_over = False
        self._tasks: set[asyncio.Task[None]] = set()

    # --- runs ----------------------------------------------------------------------------------

    async def start(self, entry: QueuedEntry) -> None:
        """Start an entry's run. Starting it again is harmless.

        Raises `RPCError` when Temporal is away and `FlowNotStored` if the flow is gone.
        """
        if entry.attempt > 1:
            await self._start_again(entry)
            return
        try:
            await self._client.start_workflow(
                messages.RUN_WORKFLOW,
                await self._input(entry),
                id=messages.run_workflow_id(entry.entry_id),
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                search_attributes=_search_attributes(entry),
                priority=_priority(entry, "start"),
                request_eager_start=True,
            )
        except WorkflowAlreadyStartedError:
            log.debug("run had been started before", entry_id=str(entry.entry_id))

    async def _start_again(self, entry: QueuedEntry) -> None:
        """A later attempt: in a new run, or in one that an earlier attempt keeps open for clicks."""
        await self._client.start_workflow(
            messages.RUN_WORKFLOW,
            await self._input(entry),
            id=messages.run_workflow_id(entry.entry_id),
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal="begin",
            start_signal_args=[messages.Begin(attempt=entry.attempt)],
            search_attributes=_search_attributes(entry),
            priority=_priority(entry, "start"),
        )

    async def _input(self, entry: QueuedEntry, *, reopened: bool = False) -> RunInput:
        flow = await FLOWS.load(entry.flow_hash, self._flows)
        given: dict[str, object] = {
            "flow": PinnedFlow(entry.flow_hash, flow),
            "channel": str(entry.channel_id),
        }
        if read := flow.branch_variables():
            values = values_for(flow, given_texts(entry.variables), {})
            given["variables"] = {name: values[name] for name in read if values.get(name)}
        for name in ("click_window", "late_delivery"):
            if getattr(self._limits, name) != getattr(_DEFAULTS, name):
                given[name] = int(getattr(self._limits, name).total_seconds())
        if not flow.leads_on():
            # No tap could start anything: what is tapped is recorded without an open run (ADR 7).
            given["click_window"] = 0
        if entry.is_single:
            given["start_priority"] = messages.PRIORITY_OF_SINGLE
        if self._limits.max_sends != _DEFAULTS.max_sends:
            given["max_sends"] = self._limits.max_sends
        if entry.attempt != 1:
            given["attempt"] = entry.attempt
        if reopened:
            given["reopened"] = True
        return RunInput.model_validate(given)

    async def _signal(self, signal: PendingSignal) -> None:
        """Tell a run a fact, take it up again for one that re-opens it, or cancel it."""
        if signal.is_overtaken:
            return
        workflow_id = messages.run_workflow_id(signal.entry.entry_id)
        arguments = [signal.body] if signal.body else []
        if signal.name in _TAKES_RUN_UP_AGAIN:
            await self._client.start_workflow(
                messages.RUN_WORKFLOW,
                await self._input(signal.entry, reopened=True),
                id=workflow_id,
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                start_signal=signal.name,
                start_signal_args=arguments,
                search_attributes=_search_attributes(signal.entry),
                priority=_priority(signal.entry, "click"),
            )
            return
        handle: WorkflowHandle[object, object] = self._client.get_workflow_handle(workflow_id)
        try:
            if signal.name == "cancel":
                await handle.cancel()
            else:
                await handle.signal(signal.name, args=arguments)
        except RPCError as error:
            # A run that has closed waits for nothing this could tell it.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    # --- the outbox to the runs ----------------------------------------------------------------

    def hand_over(self) -> None:
        """Hand over soon what is in the outbox; never waits and never raises."""
        if self._handing_over:
            self._more_to_hand_over = True
            return
        self._handing_over = True
        self._spawn(self._keep_handing_over())

    async def _keep_handing_over(self) -> None:
        try:
            while True:
                self._more_to_hand_over = False
                await self.hand_over_now()
                if not self._more_to_hand_over:
                    return
        except Exception as error:  # noqa: BLE001 the sweep hands over what is left
            self._note_failure("hand_over")
            log.warning("signals are left to the sweep", error=repr(error))
        finally:
            self._handing_over = False

    async def hand_over_now(self) -> int:
        """Hand over everything in the outbox; the number of signals.

        Signals that fail stay there, and do not keep others from being handed over; only a page of
        which nothing gets through (Temporal is away) ends it. Raises what the last of them raised.
        """
        total, after = 0, 0
        failure: BaseException | None = None
        stuck: set[UUID] = set()
        while True:
            async with self._outbox.page(after) as page:
                failed = await self._hand_over_page(page.signals, page.handed_over, stuck)
            total += len(page.handed_over)
            failure = failed or failure
            if failure is not None and not page.handed_over:
                raise failure
            if not page.signals:
                return total
            after = page.signals[-1].signal_id

    async def _hand_over_page(
        self, signals: Sequence[PendingSignal], done: list[int], stuck: set[UUID]
    ) -> BaseException | None:
        """Each run's signals in their order, different runs at once; the last failure, if any.

        `stuck` are the entries whose runs could not be told something earlier: they are told
        nothing that came after it.
        """
        by_run: dict[UUID, list[PendingSignal]] = {}
        for signal in signals:
            by_run.setdefault(signal.entry.entry_id, []).append(signal)
        slots = asyncio.Semaphore(_HANDED_OVER_AT_ONCE)

        async def tell(entry_id: UUID, own: list[PendingSignal]) -> BaseException | None:
            async with slots:
                try:
                    for signal in own:
                        await self._signal(signal)
                        done.append(signal.signal_id)
                except Exception as error:  # noqa: BLE001 raised by the caller, after the others
                    stuck.add(entry_id)
                    return error
            return None

        told = [tell(entry, own) for entry, own in by_run.items() if entry not in stuck]
        failures = [failure for failure in await asyncio.gather(*told) if failure is not None]
        return failures[-1] if failures else None

    # --- sendouts ------------------------------------------------------------------------------

    def poke(self, sendout_id: UUID) -> None:
        """Wake a sendout soon; never waits and never raises.

        Per sendout at most one call is in flight; pokes until a moment after it become one more.
        """
        if sendout_id in self._poking:
            self._poking[sendout_id] = True
            return
        self._poking[sendout_id] = False
        self._spawn(self._keep_poking(sendout_id))

    async def _keep_poking(self, sendout_id: UUID) -> None:
        is_wanted = True
        while is_wanted:
            self._poking[sendout_id] = False
            try:
                await self.poke_now(sendout_id)
                pause = _POKED_EVERY
            except Exception as error:  # noqa: BLE001 the sweep pokes sendouts nobody pages
                self._note_failure("poke")
                log.warning("poke left to the sweep", sendout_id=str(sendout_id), error=repr(error))
                pause = _POKED_AGAIN_AFTER
            await asyncio.sleep(pause)
            is_wanted = self._poking[sendout_id]
        del self._poking[sendout_id]

    async def poke_now(self, sendout_id: UUID) -> None:
        """Wake a sendout's workflow, starting it if it sleeps. Raises `RPCError`."""
        await self._client.start_workflow(
            messages.SENDOUT_WORKFLOW,
            messages.SendoutInput(sendout_id=sendout_id),
            id=messages.sendout_workflow_id(sendout_id),
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal="poke",
        )

    def close_sendout(self, sendout_id: UUID) -> None:
        """Close the runs of a cancelled sendout in the background; nothing depends on it."""
        self._spawn(self._cancel_runs(sendout_id))

    def close_entry(self, entry_id: UUID) -> None:
        """Close the run of a cancelled entry in the background; nothing depends on it."""
        self._spawn(self._cancel_run(messages.run_workflow_id(entry_id)))

    async def _cancel_run(self, workflow_id: str) -> None:
        try:
            await self._client.get_workflow_handle(workflow_id).cancel()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                log.warning("a run is left to close by itself", error=error.message)

    async def _cancel_runs(self, sendout_id: UUID) -> None:
        query = f"SendoutId = '{sendout_id}'"
        request = StartBatchOperationRequest(
            namespace=self._client.namespace,
            visibility_query=f"{query} AND ExecutionStatus = 'Running'",
            job_id=f"cancel-{sendout_id}",
            reason="cancelled",
            cancellation_operation=BatchOperationCancellation(identity="sendout"),
        )
        pause = _CLOSED_AGAIN_AFTER
        while True:
            try:
                await self._client.workflow_service.start_batch_operation(request)
            except RPCError as error:
                # A namespace has one such operation at a time, unless its server allows more.
                if error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _CLOSED_AGAIN_AT_LAST)
                    continue
                log.warning("runs are left to close by themselves", error=error.message)
            return

    # --- background work -----------------------------------------------------------------------

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def limits(settings: Settings) -> Limits:
    """The limits that runs started by this process obey."""
    return Limits(
        click_window=timedelta(seconds=settings.click_window),
        late_delivery=timedelta(seconds=settings.late_delivery),
        max_sends=settings.max_sends,
    )


def _search_attributes(entry: QueuedEntry) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(messages.BUSINESS_ID, str(entry.business_id)),
            SearchAttributePair(messages.CAMPAIGN_NAME, entry.campaign_name),
            SearchAttributePair(messages.CAMPAIGN_VERSION, entry.campaign_version),
            SearchAttributePair(messages.SENDOUT_ID, str(entry.sendout_id)),
        ]
    )


def _priority(entry: QueuedEntry, cause: str) -> Priority:
    """Runs of one business never starve another's."""
    key = messages.PRIORITY_OF_CAUSE[cause]
    if cause == "start" and entry.is_single:
        key = messages.PRIORITY_OF_SINGLE
    return Priority(priority_key=key, fairness_key=str(entry.business_id))
