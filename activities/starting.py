"""Starting the runs of a sendout, a page at a time."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from temporalio import activity

from domain.entry import QueuedEntry
from domain.requests import StartedRuns, StartRuns

_STARTS_AT_ONCE = 4
"""Concurrent start calls: enough to hide the round trip. More do not get a sendout sent sooner where
the machine is the limit, but keep whoever taps meanwhile waiting (docs/delivery.md)."""


class EntryQueue(Protocol):
    """The entries of a sendout that wait to be started."""

    async def next_page(self, sendout: StartRuns) -> tuple[Sequence[QueuedEntry], StartedRuns]:
        """What is due now, within the bounded time ahead of its senders, and what comes after."""

    async def mark_started(self, entries: Sequence[QueuedEntry]) -> None:
        """Record the starts of a page in one statement."""


class RunStarter(Protocol):
    """Starts runs in Temporal."""

    async def start(self, entry: QueuedEntry) -> None:
        """Start the entry's run; starting twice is harmless."""


class Starting:
    """Runs in the workflow worker, on its own client, so that a start can be eager."""

    def __init__(self, queue: EntryQueue, runs: RunStarter) -> None:
        self._queue = queue
        self._runs = runs

    @activity.defn
    async def start_runs(self, sendout: StartRuns) -> StartedRuns:
        """Start one page of due entries; what a crash leaves unmarked is simply started again."""
        page, answer = await self._queue.next_page(sendout)
        slots = asyncio.Semaphore(_STARTS_AT_ONCE)

        async def start(entry: QueuedEntry) -> None:
            async with slots:
                await self._runs.start(entry)
                activity.heartbeat()

        async with asyncio.TaskGroup() as starts:
            for entry in page:
                starts.create_task(start(entry))
        if page:
            await self._queue.mark_started(page)
        return answer
