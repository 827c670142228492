"""Delivering events to a business: what is due of one registration, until nothing is (api.md section 5)."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from temporalio import activity

from activities.beats import beating
from domain.webhook_events import pause_after
from domain.webhook_payloads import render
from domain.webhooks import DeliveredEvents, DeliverEvents, DueEvent, DuePage, Result, Target

SIDE_BY_SIDE = 16
"""Calls to one receiver at once."""
PAGE = 200
_AT_A_STRETCH = 300.0
"""Seconds after which the workflow is told, so that it can continue as new."""
_LINGERS = 5.0
"""Seconds for which new events are looked for after the last one: each need not wake a workflow."""
_LOOKS_EVERY = 0.2
_STANDS_FOR = 0.1
"""Seconds for which a registration need not be looked up again before a call."""
_BEGUN_WITHIN = 25.0
"""Seconds of a page's lease in which calls may begin: one takes 10 at most."""
_STALLED_AFTER = 20
"""Failures in a row after which the receiver counts as away; nothing may get through in between."""
_LONGEST_STALL = 60.0


class Deliveries(Protocol):
    """The outbox of one registration's events; `storage.webhook_deliveries` tells the rest."""

    async def take(self, webhook_id: UUID, most: int) -> DuePage | None:
        """Lease the oldest due events, one per key; None without a registration."""

    async def stands(self, webhook_id: UUID, target: Target) -> bool:
        """Whether the registration is there and still has this address and secret."""

    async def record(
        self, webhook_id: UUID, results: Sequence[Result], *, stalled_for: float | None
    ) -> None:
        """Record what came of a page."""

    async def rest(self, webhook_id: UUID) -> None:
        """Nobody delivers any more."""

    async def next_in(self, webhook_id: UUID) -> float | None:
        """Seconds until the next event may be tried; None if none is waiting."""


class Line(Protocol):
    """Connections to one receiver."""

    async def post(self, target: Target, event_id: int, body: str) -> str | None:
        """Deliver one event; None if it is delivered, else what happened."""


class Courier(Protocol):
    """The way to receivers."""

    def line(self) -> AbstractAsyncContextManager[Line]:
        """Connections of one registration."""


class Delivering:
    """Delivers at least once, and of each key one event after the other."""

    def __init__(
        self, deliveries: Deliveries, courier: Courier, *, lingers: float = _LINGERS
    ) -> None:
        self._deliveries = deliveries
        self._courier = courier
        self._lingers = lingers

    @activity.defn
    async def deliver_events(self, order: DeliverEvents) -> DeliveredEvents:
        """Deliver until nothing has been due for a while; say when there will be something."""
        async with beating(), self._courier.line() as line:
            return await self._deliver(order.webhook, line)

    async def _deliver(self, webhook_id: UUID, line: Line) -> DeliveredEvents:
        began = last = time.monotonic()
        paused_for = 0.0
        while time.monotonic() - began < _AT_A_STRETCH and not activity.is_worker_shutdown():
            asked_at = time.monotonic()
            page = await self._deliveries.take(webhook_id, PAGE)
            if page is None:
                return DeliveredEvents()
            if page.events:
                await self._page(webhook_id, page, line, asked_at)
                last = time.monotonic()
            elif page.paused_for is not None or time.monotonic() - last > self._lingers:
                paused_for = page.paused_for or 0.0
                break
            else:
                await asyncio.sleep(_LOOKS_EVERY)
        await self._deliveries.rest(webhook_id)
        # Looked up after that, or an event of just now would be nobody's.
        waits = await self._deliveries.next_in(webhook_id)
        return DeliveredEvents(again_in=None if waits is None else max(waits, paused_for))

    async def _page(self, webhook_id: UUID, page: DuePage, line: Line, asked_at: float) -> None:
        standing = _Standing(self._deliveries, webhook_id, page.target, asked_at)
        round_ = _Round(line, page, standing, asked_at)
        async with asyncio.TaskGroup() as calls:
            for _ in range(min(SIDE_BY_SIDE, len(page.events))):
                calls.create_task(round_.work())
        stalled_for = None
        if round_.is_stalled:
            stalled_for = min(2.0**page.failures, _LONGEST_STALL) * random.uniform(0.75, 1.25)  # noqa: S311 spreads
        await self._deliveries.record(webhook_id, round_.results, stalled_for=stalled_for)


class _Round:
    """The calls of one page, some of them side by side."""

    def __init__(self, line: Line, page: DuePage, standing: "_Standing", began: float) -> None:
        self._line = line
        self._page = page
        self._standing = standing
        self._began = began
        self._left: Iterator[DueEvent] = iter(page.events)
        self._failures_in_a_row = 0
        self._most_failures = 1 if page.failures else _STALLED_AFTER
        self.results: list[Result] = []

    @property
    def is_stalled(self) -> bool:
        """Whether so many failed, one after the other, that the receiver counts as away."""
        return self._failures_in_a_row >= self._most_failures

    async def work(self) -> None:
        """Make the next call, as long as there is one; several do so side by side."""
        for due in self._left:
            self.results.append(await self._try(due))

    async def _try(self, due: DueEvent) -> Result:
        event = due.event
        late = time.monotonic() - self._began > _BEGUN_WITHIN or activity.is_worker_shutdown()
        if late or self.is_stalled or not await self._standing.holds():
            return Result(event.event_id, event.key, "not_tried")
        try:
            body = render(event)
        except ValueError as unknown:
            error: str | None = str(unknown)
        else:
            error = await self._line.post(self._page.target, event.event_id, body)
            self._failures_in_a_row = self._failures_in_a_row + 1 if error else 0
        if error is None:
            return Result(event.event_id, event.key, "delivered")
        pause = pause_after(due.tries, random.random())  # noqa: S311 spreads retries
        return Result(event.event_id, event.key, "failed", error, pause)


class _Standing:
    """Whether a registration is still what it was: a moment after it is removed nothing is sent."""

    def __init__(
        self, deliveries: Deliveries, webhook_id: UUID, target: Target, asked_at: float
    ) -> None:
        self._deliveries = deliveries
        self._webhook_id = webhook_id
        self._target = target
        self._asked_at = asked_at
        self._holds = True
        self._asking = asyncio.Lock()

    async def holds(self) -> bool:
        async with self._asking:
            now = time.monotonic()
            if self._holds and now - self._asked_at > _STANDS_FOR:
                self._holds = await self._deliveries.stands(self._webhook_id, self._target)
                self._asked_at = now
        return self._holds
