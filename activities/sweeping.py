"""Repairing what a crash may have left between two commits."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from temporalio import activity

from domain.requests import Swept


class Repairs(Protocol):
    """Finds, set-based, what was left half done."""

    async def sleeping_sendouts(self) -> Sequence[UUID]:
        """Sendouts with entries that are due and not started."""

    async def release_held(self) -> int:
        """Put the release of held sends whose hold is over into the outbox; how many runs."""

    async def doubt_abandoned_sends(self) -> int:
        """Mark sends whose lease ended as unknown; how many."""


class Handover(Protocol):
    """The way to the workflows."""

    async def poke_now(self, sendout_id: UUID) -> None:
        """Wake a sendout's workflow."""

    async def hand_over_now(self) -> int:
        """Hand over everything in the outbox to the runs; how much there was."""


class Sweeping:
    """Run by a schedule; nothing waits for it."""

    def __init__(self, repairs: Repairs, runs: Handover) -> None:
        self._repairs = repairs
        self._runs = runs

    @activity.defn
    async def sweep(self) -> Swept:
        """Repair every crash gap there is; what fails is tried by the next sweep."""
        unknown = await self._repairs.doubt_abandoned_sends()
        released = await self._repairs.release_held()
        signals = await self._runs.hand_over_now()
        sleeping = await self._repairs.sleeping_sendouts()
        for sendout_id in sleeping:
            await self._runs.poke_now(sendout_id)
        return Swept(started=len(sleeping), signals=signals, released=released, unknown=unknown)
