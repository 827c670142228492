"""Repairing what a crash may have left between two commits, and removing what is over."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from temporalio import activity

from activities.beats import beating
from domain.requests import Swept


class Repairs(Protocol):
    """Finds, set-based, what was left half done."""

    async def sleeping_sendouts(self) -> Sequence[UUID]:
        """Sendouts with entries that are due and not started."""

    async def release_held(self) -> int:
        """Put the release of held sends whose hold is over into the outbox; how many runs."""

    async def doubt_abandoned_sends(self) -> int:
        """Mark sends whose lease ended as unknown; how many."""

    async def apply_early_statuses(self) -> int:
        """Apply statuses that came while their message was being recorded; of how many messages."""

    async def forget_passed(self) -> int:
        """Remove statuses of messages nobody sent and suppressions that are over; how many."""

    async def forget_old_answers(self) -> int:
        """Remove answers kept by Idempotency-Key for over 24 hours; how many."""


class Handover(Protocol):
    """The way to the workflows."""

    async def poke_now(self, sendout_id: UUID) -> None:
        """Wake a sendout's workflow."""

    async def hand_over_now(self) -> int:
        """Hand over everything in the outbox to the runs; how much there was."""


class Rates(Protocol):
    """The limits of the senders, held by the server."""

    async def apply(self) -> bool:
        """Bring them up to date with the channels; whether anything was to be changed."""


class Deliveries(Protocol):
    """The way to the workflows that deliver events to the businesses."""

    async def sweep(self) -> int:
        """Wake whoever has events to deliver and sleeps; how many."""


class Sweeping:
    """Run by a schedule; nothing waits for it."""

    def __init__(
        self,
        repairs: Repairs,
        runs: Handover,
        rates: Rates,
        deliveries: Deliveries | None = None,
    ) -> None:
        self._repairs = repairs
        self._runs = runs
        self._rates = rates
        self._deliveries = deliveries

    @activity.defn
    async def sweep(self) -> Swept:
        """Repair every crash gap there is; what fails is tried by the next sweep."""
        async with beating():
            return await self._repair()

    async def _repair(self) -> Swept:
        unknown = await self._repairs.doubt_abandoned_sends()
        released = await self._repairs.release_held()
        applied = await self._repairs.apply_early_statuses()
        # Before the signals: one that cannot be handed over must not keep entries from starting.
        sleeping = await self._repairs.sleeping_sendouts()
        for sendout_id in sleeping:
            await self._runs.poke_now(sendout_id)
        signals = await self._runs.hand_over_now()
        forgotten = await self._repairs.forget_old_answers()
        forgotten += await self._repairs.forget_passed()
        await self._rates.apply()
        if self._deliveries is not None:
            await self._deliveries.sweep()
        return Swept(
            started=len(sleeping),
            signals=signals,
            released=released,
            unknown=unknown,
            applied=applied,
            forgotten=forgotten,
        )
