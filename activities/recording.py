"""Short looks into the record and notes in it: the local activities of a run."""

from typing import Protocol

from temporalio import activity

from domain.requests import (
    Answer,
    Ask,
    CheckDelay,
    DelayVerdict,
    FinishRun,
    OpenedRun,
    OpenRun,
)


class RunRecord(Protocol):
    """The record of runs; each method is one transaction and may be repeated."""

    async def check_delay(self, check: CheckDelay) -> DelayVerdict:
        """Judge by what is recorded now; `wait` also asks for a signal on delivery."""

    async def open_ask(self, ask: Ask) -> None:
        """From now on the customer's next text is the answer."""

    async def close_ask(self, ask: Ask) -> Answer:
        """Take no answer any more; return the one that was recorded."""

    async def finish_run(self, finish: FinishRun) -> None:
        """Record outcome, snapshot and end."""

    async def open_run(self, opening: OpenRun) -> OpenedRun:
        """Read the snapshot of an ended entry."""


class Recording:
    """They run in the worker that runs the workflow; a database that is away is a server timer."""

    def __init__(self, record: RunRecord) -> None:
        self._record = record

    @activity.defn
    async def check_delay(self, check: CheckDelay) -> DelayVerdict:
        return await self._record.check_delay(check)

    @activity.defn
    async def open_ask(self, ask: Ask) -> None:
        await self._record.open_ask(ask)

    @activity.defn
    async def close_ask(self, ask: Ask) -> Answer:
        return await self._record.close_ask(ask)

    @activity.defn
    async def finish_run(self, finish: FinishRun) -> None:
        await self._record.finish_run(finish)

    @activity.defn
    async def open_run(self, opening: OpenRun) -> OpenedRun:
        return await self._record.open_run(opening)
